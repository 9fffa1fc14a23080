package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/account"
	"sekisho/internal/reason"
	"sekisho/internal/store"
)

func accountCommand() *cobra.Command {
	return family("account", "people", "Add, show and change accounts",
		accountAdd(), accountList(), accountShow(), accountPasswd(), accountGroup(), accountDisable(), accountEnable(),
		accountLink(), accountRelease(), accountAppPassword())
}

func accountAdd() *cobra.Command {
	var p store.Person
	var source passwordSource
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "add NAME",
		Short:   "Add an account; asks for its password",
		Example: "  sekisho account add alice --display 'Alice Example' --group staff --initial",
		Args:    cobra.ExactArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			p.Name = h.directory().Canonical(args[0])
			if err := h.ours("people", "add %s there; a code device is given out by: sekisho otp enrol %[1]s", p.Name); err != nil {
				return err
			}
			people := h.accounts()
			if err := people.Free(cmd.Context(), p.Name); err != nil {
				return advise(err, p.Name)
			}
			pw, err := source.read(cmd)
			if err != nil {
				return err
			}
			defer clear(pw.Typed)
			initial, err := people.Add(cmd.Context(), p, pw, h.booked(string(reason.AccountAdded), ""))
			switch {
			case errors.Is(err, store.ErrExists): // the name was free
				return hint(err, "choose another with --uid-number")
			case err != nil:
				return advise(err, p.Name)
			}
			h.warnOf(cmd, pw)
			return h.printInitial(cmd, p.Name, "added", initial, asJSON)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&p.Display, "display", "", "the `name` to show")
	f.StringVar(&p.Mail, "mail", "", "mail `address`")
	f.StringVar(&p.Lang, "lang", "", "ja or en; empty: the site's first")
	f.StringArrayVarP(&p.Groups, "group", "g", nil, "a `group`; may be repeated")
	f.Int64Var(&p.UIDNumber, "uid-number", 0, "the `number` that LDAP shows of a Unix account; 0: none")
	f.BoolVar(&asJSON, "json", false, "print one line of JSON")
	source.flags(cmd)
	f.StringVar(&source.hash, "hash", "", "a password `hash` of another system; - reads it from standard input")
	cmd.MarkFlagsMutuallyExclusive("password-stdin", "initial", "hash")
	return cmd
}

func accountPasswd() *cobra.Command {
	var source passwordSource
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "passwd NAME",
		Short: "Set a password; asks for it",
		Args:  cobra.ExactArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			name := h.directory().Canonical(args[0])
			if err := h.ours("passwords", "change that of %s there", name); err != nil {
				return err
			}
			if _, err := h.store.Account(cmd.Context(), name); err != nil {
				return advise(err, name)
			}
			pw, err := source.read(cmd)
			if err != nil {
				return err
			}
			defer clear(pw.Typed)
			initial, err := h.accounts().SetPassword(cmd.Context(), name, pw, h.booked(string(reason.PasswordSet), ""))
			if err != nil {
				return advise(err, name)
			}
			h.warnOf(cmd, pw)
			return h.printInitial(cmd, name, "password set, tickets and application passwords ended", initial, asJSON)
		}),
	}
	source.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON")
	cmd.MarkFlagsMutuallyExclusive("password-stdin", "initial")
	return cmd
}

func accountList() *cobra.Command {
	var group string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts, one a line: name, state, groups",
		Args:  cobra.NoArgs,
		RunE: inHouse(func(cmd *cobra.Command, h *house, _ []string) error {
			// Read first, print later: a pager must not hold the store.
			var people []store.Person
			err := h.store.People(cmd.Context(), "", func(p store.Person) error {
				if group == "" || slices.Contains(p.Groups, group) {
					people = append(people, p)
				}
				return nil
			})
			if err != nil {
				return err
			}
			out := json.NewEncoder(cmd.OutOrStdout())
			for _, p := range people {
				state := account.State(p, h.now())
				if !asJSON {
					fmt.Fprintf(cmd.OutOrStdout(), "%-20s %-8s %s\n", p.Name, state, orDash(strings.Join(p.Groups, ", ")))
					continue
				}
				if err := out.Encode(listed{p.Name, p.Display, state, append([]string{}, p.Groups...)}); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	cmd.Flags().StringVarP(&group, "group", "g", "", "only those in this `group`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON for each")
	return cmd
}

// listed is one line of `account list --json`.
type listed struct {
	User    string   `json:"user"`
	Display string   `json:"display,omitempty"`
	State   string   `json:"state"`
	Groups  []string `json:"groups"`
}

func accountGroup() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "group NAME [+GROUP | -GROUP | GROUP]...",
		Short: "Show the groups, change them (+staff -students), or set them (staff library)",
		Args:  cobra.MinimumNArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			name := h.directory().Canonical(args[0])
			a, err := h.store.Account(cmd.Context(), name)
			if err != nil {
				return advise(err, name)
			}
			groups := a.Groups
			if len(args) > 1 {
				if err := h.ours("groups", "change those of %s there", name); err != nil {
					return err
				}
				groups, err = h.accounts().SetGroups(cmd.Context(), name, args[1:], h.booked(string(reason.GroupsSet), ""))
				if err != nil && !errors.Is(err, account.ErrNoChange) {
					return advise(err, name)
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", name, orDash(strings.Join(groups, ", ")))
			return nil
		}),
	}
	cmd.Flags().SetInterspersed(false) // -GROUP is no flag
	return cmd
}

func accountDisable() *cobra.Command {
	return &cobra.Command{
		Use:   "disable NAME",
		Short: "Let an account in no more, and end its tickets",
		Args:  cobra.ExactArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			a, err := h.adopt(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			name := a.Name
			err = h.accounts().Disable(cmd.Context(), name, h.booked(string(reason.AccountDisabled), ""))
			return report(cmd, err, name, "disabled, tickets ended", "disabled already")
		}),
	}
}

func accountEnable() *cobra.Command {
	return &cobra.Command{
		Use:   "enable NAME",
		Short: "Let an account in again",
		Args:  cobra.ExactArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			name := h.directory().Canonical(args[0])
			err := h.accounts().Enable(cmd.Context(), name, h.booked(string(reason.AccountEnabled), ""))
			return report(cmd, err, name, "enabled", "enabled already")
		}),
	}
}

// report says what was done, or that there was nothing to do.
func report(cmd *cobra.Command, err error, name, done, already string) error {
	switch {
	case errors.Is(err, account.ErrNoChange):
		done = already
	case err != nil:
		return advise(err, name)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", name, done)
	return nil
}

// advise adds what to type next to an error about an account.
func advise(err error, name string) error {
	switch {
	case errors.Is(err, store.ErrUnknown):
		return hint(fmt.Errorf("no account is named %q", name), "sekisho account list")
	case errors.Is(err, store.ErrExists):
		return hint(err, "sekisho account show %s", name)
	case errors.Is(err, account.ErrHasDevice):
		return hint(err, "add --replace if it is lost, --add if this is one more; sekisho otp list %s shows them", name)
	case errors.Is(err, account.ErrNoDevice):
		return hint(err, "sekisho otp enrol %s", name)
	case errors.Is(err, account.ErrNoAppPassword):
		return hint(err, "sekisho account app-password list %s", name)
	case errors.Is(err, account.ErrNoPair):
		return hint(err, "wait for two new codes and type the older one first; if it still fails: sekisho otp enrol %s --replace", name)
	case errors.Is(err, account.ErrGroups):
		return hint(err, "flags such as -c go before the name; sekisho account group %s shows the groups", name)
	}
	return err
}

// printInitial says what was done and, once, the initial password.
func (h *house) printInitial(cmd *cobra.Command, name, done, initial string, asJSON bool) error {
	until := h.now().Add(account.InitialFor)
	if asJSON {
		line := struct {
			User    string    `json:"user"`
			Initial string    `json:"initial_password,omitempty"`
			Expires time.Time `json:"expires,omitzero"`
		}{User: name}
		if initial != "" {
			line.Initial, line.Expires = initial, until.Truncate(time.Second)
		}
		return json.NewEncoder(cmd.OutOrStdout()).Encode(line)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", name, done)
	if initial != "" {
		fmt.Fprintf(cmd.OutOrStdout(), "initial password: %s\nIt has to be changed before %s, and is not shown again.\n",
			initial, until.Format(time.DateOnly))
	}
	return nil
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// family is a command that has only commands below it.
func family(use, group, short string, members ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, GroupID: group, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(members...)
	return cmd
}

// inHouse runs a command with the house open.
func inHouse(do func(cmd *cobra.Command, h *house, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		h, err := openHouse(cmd.Context(), configFile(cmd), store.Options{})
		if err != nil {
			return err
		}
		defer h.close()
		return do(cmd, h, args)
	}
}
