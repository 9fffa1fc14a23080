package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sekisho/internal/directory"
	"sekisho/internal/reason"
	"sekisho/internal/store"
)

// Whose a local account is, once the people are those of a directory behind, is
// for an operator to say: the same name may be somebody else's there.

func accountLink() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "link NAME | --all",
		Short: "Give a local account, with its code devices, to the person of that name in the directory behind",
		Args: func(cmd *cobra.Command, args []string) error {
			if all {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			if h.behind == nil {
				return errors.New("the people are kept here: there is no directory behind to link an account to")
			}
			names := args
			if all {
				names = nil
				err := h.store.People(cmd.Context(), "", func(p store.Person) error {
					if p.Unlinked() {
						names = append(names, p.Name)
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			var left int
			for _, name := range names {
				switch err := h.link(cmd, name); {
				case err != nil && !all:
					return err
				case err != nil:
					left++
					complain(err)
				}
			}
			if left > 0 {
				return hint(fmt.Errorf("%s not linked", count(left, "account")), "sekisho account release NAME, where the name is somebody else's now")
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "every local account")
	return cmd
}

func (h *house) link(cmd *cobra.Command, typed string) error {
	name := h.behind.Canonical(typed)
	a, err := h.behind.Link(cmd.Context(), name, h.booked(string(reason.AccountAdded), "a local account, linked to the directory behind"))
	switch {
	case errors.Is(err, directory.ErrUnknown):
		return fmt.Errorf("the directory behind has nobody named %q", name)
	case err != nil:
		return advise(err, name)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: linked to %s\n", a.Name, a.DN)
	return nil
}

func accountRelease() *cobra.Command {
	return &cobra.Command{
		Use:   "release NAME",
		Short: "Have a local account give up its name, for somebody else of the directory behind",
		Args:  cobra.ExactArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			name := h.directory().Canonical(args[0])
			err := h.store.Release(cmd.Context(), name, h.booked(string(reason.AccountDisabled), "gave up its name"))
			return report(cmd, err, name, "disabled, and the name is free for somebody of the directory behind", "")
		}),
	}
}

// unlinked tells of local accounts that are in the way.
func unlinked(n int64) string {
	return count(int(n), "local account") + " not linked: whoever has such a name in the directory behind can't sign in; run: sekisho account link --all, or account release NAME"
}
