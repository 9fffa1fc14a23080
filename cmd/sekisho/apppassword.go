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
	"sekisho/internal/config"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
	"sekisho/weblogin"
)

func accountAppPassword() *cobra.Command {
	return family("app-password", "", "Make, list and end passwords for programs that can't show a code",
		appPasswordAdd(), appPasswordList(), appPasswordEnd())
}

func appPasswordAdd() *cobra.Command {
	var p store.AppPassword
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "add NAME",
		Short:   "Make an application password, and show it once",
		Example: "  sekisho account app-password add alice --service webmail --label 'Phone'",
		Args:    cobra.ExactArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			if !slices.Contains(programs(h.cfg), weblogin.Program{Name: p.Service, Title: p.Service}) {
				return noProgram(h.cfg, p.Service)
			}
			a, err := h.adopt(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			name := a.Name
			made, text, err := h.accounts().AddAppPassword(cmd.Context(), a, p, h.booked(string(reason.AppPasswordAdded), ""))
			switch {
			case errors.Is(err, store.ErrTooMany):
				return hint(fmt.Errorf("account %q has %d application passwords, which is the most", name, store.MostAppPasswords),
					"end one that is not used: sekisho account app-password list %s", name)
			case err != nil:
				return advise(err, name)
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
					User string `json:"user"`
					account.AppPassword
					Text string `json:"app_password"`
				}{name, made, text})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: application password for %s: %s\n", name, p.Service, text)
			fmt.Fprintf(cmd.OutOrStdout(), "It goes into the program in place of the password, is not shown again, and ends when it is not used for %d days.\n",
				int(store.AppPasswordIdle/(24*time.Hour)))
			return nil
		}),
	}
	f := cmd.Flags()
	f.StringVar(&p.Service, "service", "", "the `service` that it opens")
	f.StringVar(&p.Label, "label", "", "what the person calls the `program`")
	f.StringVar(&p.Network, "network", "", "a `prefix` that it is good from; empty: anywhere")
	f.BoolVar(&asJSON, "json", false, "print one line of JSON")
	cmd.MarkFlagRequired("service")
	cmd.MarkFlagRequired("label")
	return cmd
}

func appPasswordList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list NAME",
		Short: "List the application passwords of an account",
		Args:  cobra.ExactArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			name := h.directory().Canonical(args[0])
			p, err := h.accounts().Profile(cmd.Context(), name)
			if err != nil {
				return advise(err, name)
			}
			for _, one := range p.AppPasswords {
				if !asJSON {
					fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", one.ID, appPasswordText(one))
					continue
				}
				if err := json.NewEncoder(cmd.OutOrStdout()).Encode(one); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON for each")
	return cmd
}

func appPasswordEnd() *cobra.Command {
	return &cobra.Command{
		Use:   "end NAME ID",
		Short: "End an application password, and the tickets that it gave",
		Args:  cobra.ExactArgs(2),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			name := h.directory().Canonical(args[0])
			err := h.accounts().EndAppPassword(cmd.Context(), name, args[1], h.booked(string(reason.AppPasswordEnded), ""))
			return report(cmd, err, name, "application password ended, with its tickets", "")
		}),
	}
}

// appPasswordText is an application password on one line.
func appPasswordText(p account.AppPassword) string {
	used := "not used yet"
	if !p.Used.IsZero() {
		used = "used " + p.Used.Local().Format(time.DateTime)
	}
	if p.Idle {
		used += ", refused: idle for too long"
	}
	where := ""
	if p.Network != "" {
		where = " from " + p.Network
	}
	return fmt.Sprintf("%q: %s%s; made %s; %s", p.Label, p.Service, where, p.Created.Local().Format(time.DateOnly), used)
}

// noProgram is for a service that has no door where an application password
// can be typed, or no rule that takes one.
func noProgram(cfg *config.Config, service string) error {
	var names []string
	for _, one := range programs(cfg) {
		names = append(names, one.Name)
	}
	if len(names) == 0 {
		return hint(errors.New("no rule takes an application password"),
			`allow it in a rule: need = ["password+otp", "app-password"]`)
	}
	return hint(fmt.Errorf("no rule takes an application password for %q", service), "choose from %s", strings.Join(names, ", "))
}

// programs are the services for which an application password is of use.
func programs(cfg *config.Config) (list []weblogin.Program) {
	add := func(door, service string) {
		one := weblogin.Program{Name: service, Title: service}
		if cfg.Policy().ServesAppPassword(door, service, "") && !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	for _, a := range cfg.LDAP.Apps {
		add(policy.DoorLDAP, a.Service)
	}
	for _, c := range cfg.Radius.Clients {
		add(policy.DoorRADIUS, c.Service)
	}
	return list
}

// words are what a word opens: the VPNs, and the programs that ask by LDAP.
func words(cfg *config.Config) []weblogin.VPN {
	list := vpns(cfg.Radius.Clients)
	for _, a := range cfg.LDAP.Apps {
		inside := a.Zone != "" && a.Zone != policy.OffCampus // where nobody needs a word
		known := slices.ContainsFunc(list, func(v weblogin.VPN) bool { return v.Name == a.Service })
		if !inside && !known && cfg.Policy().Serves(policy.DoorLDAP, a.Service, policy.OffCampus) {
			list = append(list, weblogin.VPN{Name: a.Service, Title: a.Service, Door: policy.DoorLDAP})
		}
	}
	return list
}
