package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/account"
)

func accountShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Show an account, its code devices, application passwords and tickets",
		Args:  cobra.ExactArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			name := h.directory().Canonical(args[0])
			p, err := h.accounts().Profile(cmd.Context(), name)
			if err != nil {
				return advise(err, name)
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(p)
			}
			printProfile(cmd.OutOrStdout(), p)
			return nil
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON")
	return cmd
}

func printProfile(w io.Writer, p account.Profile) {
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(w, "  %-10s %s\n", label, text)
		}
	}
	fmt.Fprintln(w, p.User)
	line("name", p.Display)
	line("mail", p.Mail)
	line("language", p.Lang)
	state := p.State
	if !p.Expires.IsZero() {
		state += ", initial password until " + p.Expires.Local().Format(time.DateTime)
	}
	line("state", state)
	line("groups", orDash(strings.Join(p.Groups, ", ")))
	if p.UIDNumber != 0 {
		line("uid number", fmt.Sprint(p.UIDNumber))
	}
	scheme := p.Password
	if p.Renew {
		scheme += ", renewed at the next sign-in"
	}
	if p.Upstream != "" {
		scheme = "checked by the directory behind"
	}
	line("password", scheme)
	line("created", p.Created.Local().Format(time.DateTime))
	line("generation", fmt.Sprint(p.Generation))
	for _, d := range p.Devices {
		line("device", deviceText(d))
	}
	if len(p.Devices) == 0 {
		line("device", "-")
	}
	for _, p := range p.AppPasswords {
		line("program", appPasswordText(p))
	}
	line("upstream", p.Upstream)
	line("tickets", fmt.Sprint(p.Tickets))
}

// deviceText is a code device on one line.
func deviceText(d account.Device) string {
	kind := fmt.Sprintf("%s, %d digits", d.Kind, d.Digits)
	if d.Period > 0 {
		kind += fmt.Sprintf(", %d s", d.Period)
	}
	used := "not used yet"
	switch {
	case d.Counter > 0:
		used = fmt.Sprintf("%d codes used", d.Counter)
	case !d.Last.IsZero():
		used = fmt.Sprintf("used up to the code of %s, drift %+d", d.Last.Local().Format(time.DateTime), d.Drift)
	}
	return fmt.Sprintf("%q: %s, %s; enrolled %s; %s", d.Label, kind, d.Algorithm, d.Created.Local().Format(time.DateOnly), used)
}
