package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/config"
	"sekisho/internal/keyring"
	"sekisho/internal/reason"
	"sekisho/internal/store"
)

func keysCommand() *cobra.Command {
	return family("keys", "run", "Make, list, rotate and retire the keys that seal secrets",
		keysInit(), keysList(), keysRotate(), keysRetire())
}

func keysInit() *cobra.Command {
	return &cobra.Command{
		Use:   "init [FILE]",
		Short: "Make the key file that the configuration names, or FILE",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var path string
			if len(args) == 1 {
				path = args[0]
			} else {
				cfg, err := config.Draft(configFile(cmd))
				if err != nil {
					return configError(configFile(cmd), err)
				}
				if path, err = keyFile(cfg); err != nil {
					return err
				}
				if err := neverSealed(cmd, cfg); err != nil {
					return err
				}
			}
			switch _, err := os.Lstat(path); {
			case err == nil:
				return hint(fmt.Errorf("%s is there already; making it anew would lose what it opens", path), "sekisho keys rotate")
			case !errors.Is(err, fs.ErrNotExist):
				return err
			}
			ring := keyring.New(time.Now())
			if err := ring.Write(path); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: key %08x made; keep a copy of the file, apart from the copies of the database\n",
				path, ring.Current())
			return nil
		},
	}
}

// neverSealed refuses new keys for a store that has keys: they were lost, and
// what they sealed would be, too.
func neverSealed(cmd *cobra.Command, cfg *config.Config) error {
	if _, err := os.Stat(cfg.Store.File); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	st, err := store.Open(cfg.Store.File, store.Options{})
	if err != nil {
		return err
	}
	defer st.Close()
	known, err := st.KeyChecks(cmd.Context())
	if err == nil && len(known) > 0 {
		err = hint(fmt.Errorf("%s is sealed with other keys", cfg.Store.File),
			"restore its key file from a copy, or move the database away to begin anew")
	}
	return err
}

// keyFile is the file to write keys to.
func keyFile(cfg *config.Config) (string, error) {
	source := keySource(cfg)
	const elsewhere = "change them where they are kept, and start sekisho again"
	if source.Credentials != "" {
		path := filepath.Join(source.Credentials, "sekisho-keys")
		if _, err := os.Stat(path); err == nil {
			return "", hint(fmt.Errorf("the keys are the credential %s, which can't be written", path), elsewhere)
		}
	}
	switch {
	case strings.HasPrefix(source.Path, "exec:"):
		return "", hint(fmt.Errorf("the keys come from %s, which can't be written", source.Path), elsewhere)
	case source.Path == "":
		return "", hint(errors.New("the configuration names no key file"), `write keys = "/etc/sekisho/keys" into [store]`)
	}
	return source.Path, nil
}

// keyLine is one line of `keys list`.
type keyLine struct {
	ID      string `json:"id"`
	Created string `json:"created"` // a day; "": not in the ring
	State   string `json:"state"`   // "current", "old", "missing"
	Devices int    `json:"devices"` // sealed with it
}

func keysList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the keys, and how many code devices each has sealed",
		Args:  cobra.NoArgs,
		RunE: inHouse(func(cmd *cobra.Command, h *house, _ []string) error {
			sealed, err := h.accounts().SealedBy(cmd.Context())
			if err != nil {
				return err
			}
			var lines []keyLine
			for _, k := range h.ring.Keys() {
				state := "old"
				if k.Current {
					state = "current"
				}
				lines = append(lines, keyLine{fmt.Sprintf("%08x", k.ID), k.Created.Format(time.DateOnly), state, sealed[k.ID]})
				delete(sealed, k.ID)
			}
			for id, n := range sealed {
				lines = append(lines, keyLine{fmt.Sprintf("%08x", id), "", "missing", n})
			}
			for _, l := range lines {
				if !asJSON {
					fmt.Fprintf(cmd.OutOrStdout(), "%s %-10s %-7s %s\n", l.ID, orDash(l.Created), l.State, count(l.Devices, "device"))
					continue
				}
				if err := json.NewEncoder(cmd.OutOrStdout()).Encode(l); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON for each")
	return cmd
}

func keysRotate() *cobra.Command {
	return &cobra.Command{
		Use:   "rotate",
		Short: "Put a new key to use and seal everything again with it",
		Args:  cobra.NoArgs,
		RunE: withKeys(func(cmd *cobra.Command, h *house, path string, _ []string) error {
			ctx, old := cmd.Context(), h.ring.Current()
			// The new key is on the disk before anything is sealed with it.
			h.ring = h.ring.Rotate(h.now())
			if err := h.ring.Write(path); err != nil {
				return err
			}
			n := 0
			err := h.store.SetKeyChecks(ctx, h.ring.CheckValues())
			if err == nil {
				n, err = h.accounts().Reseal(ctx)
			}
			if err != nil {
				return hint(fmt.Errorf("the new key is in place, %s sealed again: %w", count(n, "device"), err),
					"nothing is lost; once it is repaired: sekisho keys rotate")
			}
			event := h.booked(string(reason.KeysRotated), fmt.Sprintf("key %08x current, %d devices sealed again", h.ring.Current(), n))
			if err := h.store.Book(ctx, event); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "key %08x is current, %s sealed again\n", h.ring.Current(), count(n, "device"))
			fmt.Fprintf(cmd.OutOrStdout(), "key %08x is kept for tickets and backups; later: sekisho keys retire %08x\n", old, old)
			return nil
		}),
	}
}

func keysRetire() *cobra.Command {
	return &cobra.Command{
		Use:   "retire ID",
		Short: "Remove an old key with which nothing is sealed any more",
		Args:  cobra.ExactArgs(1),
		RunE: withKeys(func(cmd *cobra.Command, h *house, path string, args []string) error {
			ctx := cmd.Context()
			n, err := strconv.ParseUint(args[0], 16, 32)
			if err != nil || len(args[0]) != 8 {
				return hint(fmt.Errorf("%q is not the id of a key", args[0]), "sekisho keys list")
			}
			id := uint32(n)
			ring, err := h.ring.Retire(id)
			if err != nil {
				return hint(err, "sekisho keys list")
			}
			sealed, err := h.accounts().SealedBy(ctx)
			if err != nil {
				return err
			}
			if left := sealed[id]; left > 0 {
				return hint(fmt.Errorf("key %08x has sealed %s that would be lost", id, count(left, "device")), "sekisho keys rotate")
			}
			hashed, err := h.store.AppPasswordsBy(ctx)
			if err != nil {
				return err
			}
			if left := hashed[id]; left > 0 {
				return hint(fmt.Errorf("key %08x has hashed %s that would be lost", id, count(left, "application password")),
					"keep it until their people have made new ones and ended these")
			}
			// In this order: a store that knows fewer keys than the ring is
			// fine, the other way round it would not open.
			if err := h.store.SetKeyChecks(ctx, ring.CheckValues()); err != nil {
				return err
			}
			if err := ring.Write(path); err != nil {
				return err
			}
			if err := h.store.Book(ctx, h.booked(string(reason.KeysRetired), fmt.Sprintf("key %08x retired", id))); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "key %08x retired; backups from before the rotation can't be read without a copy of it\n", id)
			return nil
		}),
	}
}

// withKeys opens the house for a change of its keys. A serve beside it would
// go on with the keys it started with, and fail to open what is sealed now.
func withKeys(do func(cmd *cobra.Command, h *house, path string, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		h, err := openHouse(cmd.Context(), configFile(cmd), store.Options{Exclusive: true})
		if errors.Is(err, store.ErrLocked) {
			return hint(err, "stop it, change the keys, and start it again: it knows only the keys it started with")
		}
		if err != nil {
			return err
		}
		defer h.close()
		path, err := keyFile(h.cfg)
		if err != nil {
			return err
		}
		return do(cmd, h, path, args)
	}
}
