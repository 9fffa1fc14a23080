package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/config"
	"sekisho/internal/directory"
	"sekisho/internal/store"
	"sekisho/policy"
)

func explainCommand() *cobra.Command {
	var q struct {
		door, service, user, from, zone string
		shown                           []string
		json                            bool
	}
	cmd := &cobra.Command{
		Use:     "explain",
		GroupID: "ask",
		Short:   "Show what the rules say of a sign-in, without trying it",
		Example: "  sekisho explain --door radius --service ssl-vpn --user alice --from 203.0.113.9",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			doors := []string{policy.DoorRADIUS, policy.DoorLDAP, policy.DoorWeb}
			if !slices.Contains(doors, q.door) {
				return hint(fmt.Errorf("there is no door %q", q.door), "the doors are radius, ldap and web")
			}
			h, err := openHouse(cmd.Context(), configFile(cmd), store.Options{})
			if err != nil {
				return err
			}
			defer h.close()
			facts := policy.Attempt{Door: q.door, Service: q.service, At: h.now()}
			if facts.Zone, err = zoneOf(h.cfg, q.zone, q.from); err != nil {
				return err
			}
			people := h.directory()
			facts.User = people.Canonical(q.user)
			known := true
			if q.user != "" {
				account, err := people.Find(cmd.Context(), facts.User)
				switch {
				case err == nil:
					facts.User, facts.Groups = account.Name, account.Groups
				case errors.Is(err, directory.ErrUnknown), errors.Is(err, directory.ErrName):
					known = false
				default:
					return fmt.Errorf("look %s up: %w", q.user, err)
				}
			}
			for _, f := range q.shown {
				if facts.Shown == nil {
					facts.Shown = make(map[policy.Factor]time.Time)
				}
				facts.Shown[policy.Factor(f)] = facts.At
			}
			e := explanation{
				Door: q.door, Service: q.service, User: facts.User, Known: known, From: q.from, Zone: facts.Zone,
				Rules: h.cfg.Policy().Explain(facts),
			}
			e.decided(h.cfg.Policy().Decide(facts))
			if q.json {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(e)
			}
			e.print(cmd.OutOrStdout())
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.door, "door", policy.DoorRADIUS, "how the request comes in: radius, ldap or web")
	f.StringVar(&q.service, "service", "", "what is signed in to")
	f.StringVar(&q.user, "user", "", "who")
	f.StringVar(&q.from, "from", "", "the person's own `address`; empty: unknown, so off-campus")
	f.StringVar(&q.zone, "zone", "", "the zone, where a client fixes it (instead of --from)")
	f.StringSliceVar(&q.shown, "shown", nil, "`factors` taken as shown: password,otp")
	f.BoolVar(&q.json, "json", false, "print one line of JSON")
	return cmd
}

func zoneOf(cfg *config.Config, name, from string) (string, error) {
	if name != "" {
		z, ok := cfg.Zones().Named(name)
		if !ok {
			return "", hint(fmt.Errorf("no zone is named %q", name), "the zones are %v", cfg.Zones().Names())
		}
		return z.Name, nil
	}
	if from == "" {
		return policy.OffCampus, nil
	}
	addr, err := netip.ParseAddr(from)
	if err != nil {
		return "", hint(errors.New("--from is not an address"), "write it like 203.0.113.9 or 2001:db8::9")
	}
	return cfg.Zones().Of(addr).Name, nil
}

// explanation is one line of JSON, or what is printed.
type explanation struct {
	Door    string        `json:"door"`
	Service string        `json:"service"`
	User    string        `json:"user"`
	Known   bool          `json:"known"`
	From    string        `json:"from,omitempty"`
	Zone    string        `json:"zone"`
	Rules   []policy.Line `json:"rules"`
	Rule    string        `json:"rule,omitempty"`
	Verdict string        `json:"verdict"`
	Need    []string      `json:"need,omitempty"`
	Proves  []string      `json:"proves,omitempty"`
	Ticket  string        `json:"ticket,omitempty"`
	Why     string        `json:"why,omitempty"`
}

func (e *explanation) decided(d policy.Decision) {
	e.Rule, e.Verdict, e.Why = d.Rule, d.Verdict.String(), string(d.Why)
	for _, need := range d.Need {
		e.Need = append(e.Need, need.String())
	}
	for _, f := range d.Proves {
		e.Proves = append(e.Proves, string(f))
	}
	if d.Ticket > 0 {
		e.Ticket = d.Ticket.String()
	}
}

func (e *explanation) print(w io.Writer) {
	who := e.User
	switch {
	case who == "":
		who = "anybody"
	case !e.Known:
		who += " (no such account)"
	}
	from := e.From
	if from == "" {
		from = "an unknown address"
	}
	fmt.Fprintf(w, "%s by %s to %s from %s, zone %s\n", who, e.Door, orAny(e.Service), from, e.Zone)
	for _, l := range e.Rules {
		mark := "-"
		if l.Decides {
			mark = "*"
		}
		fmt.Fprintf(w, "  %s %-16s %s\n", mark, l.Rule, l.Why)
	}
	switch e.Verdict {
	case "allow":
		fmt.Fprintf(w, "allow: rule %s, a ticket of %s\n", e.Rule, e.Ticket)
	case "ask":
		fmt.Fprintf(w, "ask: rule %s needs ", e.Rule)
		for i, n := range e.Need {
			if i > 0 {
				fmt.Fprint(w, " or ")
			}
			fmt.Fprint(w, n)
		}
		fmt.Fprintf(w, "; then a ticket of %s\n", e.Ticket)
	default:
		if e.Rule == "" {
			fmt.Fprintln(w, "deny: no rule matches")
			return
		}
		fmt.Fprintf(w, "deny: rule %s\n", e.Rule)
	}
}

func orAny(s string) string {
	if s == "" {
		return "any service"
	}
	return s
}
