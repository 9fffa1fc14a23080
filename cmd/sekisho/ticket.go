package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/reason"
	"sekisho/internal/store"
)

func ticketCommand() *cobra.Command {
	return family("ticket", "people", "List and revoke tickets", ticketList(), ticketRevoke())
}

// ticketLine is one line of `ticket list`.
type ticketLine struct {
	Ticket  string    `json:"ticket"`
	User    string    `json:"user"`
	Door    string    `json:"door"`
	Client  string    `json:"client"`
	Service string    `json:"service"`
	Zone    string    `json:"zone"`
	Rule    string    `json:"rule"`
	Factors []string  `json:"factors"`
	Created time.Time `json:"created"`
	Until   time.Time `json:"until"`
	Idle    float64   `json:"idle_s,omitempty"` // ends when unused for so long
	Parent  string    `json:"parent,omitempty"`
}

func (h *house) ticketLine(t store.Ticket, user string) ticketLine {
	l := ticketLine{
		Ticket: h.store.TicketName(t.ID), User: user, Door: t.Door, Client: t.Client, Service: t.Service,
		Zone: t.Zone, Rule: t.Rule, Factors: []string{}, Created: t.Created, Until: t.Until, Idle: t.Idle.Seconds(),
	}
	for _, s := range t.Shown {
		l.Factors = append(l.Factors, s.Factor)
	}
	if t.Parent != 0 {
		l.Parent = h.store.TicketName(t.Parent)
	}
	return l
}

func (l ticketLine) String() string {
	return fmt.Sprintf("%s %s %s/%s/%s %s %s %s %s until %s", l.Ticket, l.User, l.Door, orDash(l.Client), orDash(l.Service),
		orDash(l.Zone), orDash(l.Rule), orDash(strings.Join(l.Factors, "+")),
		l.Created.Local().Format(time.RFC3339), l.Until.Local().Format(time.RFC3339))
}

func ticketList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [NAME]",
		Short: "List the tickets that live, the newest first",
		Args:  cobra.MaximumNArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			var person int64
			if len(args) == 1 {
				a, err := h.person(cmd, args[0])
				if err != nil {
					return err
				}
				person = a.ID
			}
			var lines []ticketLine
			err := h.store.Tickets(cmd.Context(), person, h.now(), func(t store.Ticket, user string) error {
				lines = append(lines, h.ticketLine(t, user))
				return nil
			})
			if err != nil {
				return err
			}
			for _, l := range lines {
				if !asJSON {
					fmt.Fprintln(cmd.OutOrStdout(), l)
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

func ticketRevoke() *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "revoke TICKET | --user NAME",
		Short: "End a ticket and those made from it, or all of a person",
		Args:  cobra.MaximumNArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			if (user == "") == (len(args) == 0) {
				return hint(errors.New("want a ticket, or --user NAME"), "sekisho ticket list")
			}
			event := h.booked(string(reason.TicketRevoked), "")
			if user != "" {
				name := h.directory().Canonical(user)
				n, err := h.accounts().SignOut(cmd.Context(), name, event)
				return report(cmd, err, name, count(n, "ticket")+" ended, and every application password", "")
			}
			id, err := h.store.ParseTicket(args[0])
			if err != nil {
				return hint(err, "sekisho ticket list")
			}
			name := h.store.TicketName(id)
			err = h.store.EndTicket(cmd.Context(), id, h.now(), event)
			if errors.Is(err, store.ErrUnknown) {
				return hint(fmt.Errorf("no ticket %s lives", name), "sekisho ticket list")
			}
			return report(cmd, err, name, "ended, with those made from it", "")
		}),
	}
	cmd.Flags().StringVar(&user, "user", "", "end all of this `person`, and application passwords")
	return cmd
}

// person finds an account by the name as typed.
func (h *house) person(cmd *cobra.Command, typed string) (*store.Account, error) {
	name := h.directory().Canonical(typed)
	a, err := h.store.Account(cmd.Context(), name)
	if err != nil {
		return nil, advise(err, name)
	}
	return a, nil
}
