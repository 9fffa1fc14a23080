package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"sekisho/internal/reason"
	"sekisho/internal/store"
)

const (
	endedFor = 24 * time.Hour   // how long ago an ended session may have ended to be listed
	late     = 10 * time.Second // that an Interim-Update may be, before it is missed
)

func sessionsCommand() *cobra.Command {
	var all, asJSON bool
	cmd := &cobra.Command{
		Use:     "sessions",
		GroupID: "people",
		Short:   "List the VPN sessions that live, the newest first, and end one",
		Args:    cobra.NoArgs,
		RunE: inHouse(func(cmd *cobra.Command, h *house, _ []string) error {
			since := h.now()
			if all {
				since = since.Add(-endedFor)
			}
			lines, err := h.sessions(cmd, since)
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
	cmd.Flags().BoolVar(&all, "all", false, "also those that ended in the last 24 hours")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON for each")
	cmd.AddCommand(sessionsEnd())
	return cmd
}

// sessions are those that live or ended after since, the newest first.
func (h *house) sessions(cmd *cobra.Command, since time.Time) ([]sessionLine, error) {
	var lines []sessionLine
	now := h.now()
	err := h.store.Sessions(cmd.Context(), since, func(s store.Session, ticket string) error {
		lines = append(lines, newSessionLine(s, ticket, now))
		return nil
	})
	return lines, err
}

// sessionLine is one line of `sessions`.
type sessionLine struct {
	ID       int64     `json:"id"`
	User     string    `json:"user"` // as the NAS has it
	Client   string    `json:"client"`
	NAS      string    `json:"nas,omitempty"`
	Session  string    `json:"session"` // Acct-Session-Id
	Station  string    `json:"station,omitempty"`
	Address  []string  `json:"address"` // in the tunnel
	Started  time.Time `json:"started"`
	Seen     time.Time `json:"seen"`
	Interval float64   `json:"interval_s,omitempty"` // between its Interim-Updates; absent: none was seen
	Seconds  float64   `json:"session_s"`
	Input    uint64    `json:"input"`  // octets from the person
	Output   uint64    `json:"output"` // octets to the person
	Ticket   string    `json:"ticket,omitempty"`
	Ousted   bool      `json:"ousted,omitempty"` // another session was seen on its address
	Missed   bool      `json:"missed,omitempty"` // its Interim-Update is overdue
	Ordered  time.Time `json:"ordered,omitzero"` // when the NAS was last told to end or change it
	Obeyed   string    `json:"obeyed,omitempty"` // what it answered
	Stopped  time.Time `json:"stopped,omitzero"`
	Cause    string    `json:"cause,omitempty"`

	ticket int64
}

func newSessionLine(s store.Session, ticket string, now time.Time) sessionLine {
	l := sessionLine{
		ID: s.ID, User: s.User, Client: s.Client, NAS: s.NAS, Session: s.Name, Station: s.Station, Address: []string{},
		Started: s.Started, Seen: s.Seen, Interval: s.Interval.Seconds(), Seconds: s.Lasted.Seconds(), Input: s.Input, Output: s.Output,
		Ticket: ticket, Ousted: s.Ousted, Ordered: s.Ordered, Obeyed: s.Obeyed, Stopped: s.Stopped, Cause: s.Cause, ticket: s.Ticket,
	}
	if s.Address4.IsValid() {
		l.Address = append(l.Address, s.Address4.String())
	}
	if s.Address6.IsValid() {
		l.Address = append(l.Address, s.Address6.String())
	}
	l.Missed = s.Stopped.IsZero() && s.Interval > 0 && now.Sub(s.Seen) > s.Interval+late
	return l
}

// place names the session as the NASes do.
func (l sessionLine) place() string {
	return word(l.Client) + "/" + word(l.NAS) + "/" + word(l.Session)
}

func (l sessionLine) String() string {
	local := func(at time.Time) string { return at.Local().Format(time.RFC3339) }
	every := "-"
	if l.Interval > 0 {
		every = time.Duration(l.Interval * float64(time.Second)).String()
	}
	fields := []string{
		strconv.FormatInt(l.ID, 10), word(l.User), l.place(),
		word(l.Station), orDash(strings.Join(l.Address, ",")), orDash(l.Ticket),
		local(l.Started), "seen", local(l.Seen), "every", every,
		fmt.Sprintf("in=%d out=%d", l.Input, l.Output),
	}
	for _, flag := range []struct {
		on   bool
		text string
	}{
		{l.Ticket == "", "no-ticket"},
		{l.Ousted, "ousted"},
		{l.Missed, "missed"},
		{l.Obeyed != "", "order=" + word(l.Obeyed)},
		{!l.Stopped.IsZero(), "ended=" + word(l.Cause)},
	} {
		if flag.on {
			fields = append(fields, flag.text)
		}
	}
	return strings.Join(fields, " ")
}

func sessionsEnd() *cobra.Command {
	return &cobra.Command{
		Use:   "end ID",
		Short: "End a session, its ticket and those made from it; the running server tells the NAS",
		Long: "End the session of this number, the first column of `sekisho sessions`, with its ticket and those\n" +
			"made from it. The third column names it, too, and so does an Acct-Session-Id that only one has and\n" +
			"that is nobody's number. A running `sekisho serve` then tells the NAS to disconnect it.",
		Args: cobra.ExactArgs(1),
		RunE: inHouse(func(cmd *cobra.Command, h *house, args []string) error {
			l, err := h.session(cmd, args[0])
			if err != nil {
				return err
			}
			event := h.booked(string(reason.VPNEnded), fmt.Sprintf("session %d", l.ID))
			done := "ticket " + l.Ticket + " ended, with those made from it"
			err = h.store.EndTicket(cmd.Context(), l.ticket, h.now(), event)
			if errors.Is(err, store.ErrUnknown) { // or there was none
				done = "no ticket of it lives"
				err = h.store.OrderEnd(cmd.Context(), l.ID, event)
			}
			if errors.Is(err, store.ErrUnknown) {
				return noSession(args[0])
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "session %d of %s: %s; %s\n", l.ID, word(l.User), done, h.whoTells(l.Client))
			return nil
		}),
	}
}

// session finds the one that lives and goes by this number or name. A number
// goes first, also that of a session which has ended: it may have been listed
// a moment ago, and another that is called so was not meant.
func (h *house) session(cmd *cobra.Command, id string) (sessionLine, error) {
	all, err := h.sessions(cmd, time.Time{})
	if err != nil {
		return sessionLine{}, err
	}
	var named []sessionLine
	for _, l := range all {
		lives := l.Stopped.IsZero()
		switch {
		case id == strconv.FormatInt(l.ID, 10) && lives:
			return l, nil
		case id == strconv.FormatInt(l.ID, 10):
			return sessionLine{}, noSession(id)
		case lives && (id == l.Session || id == l.place()):
			named = append(named, l)
		}
	}
	switch len(named) {
	case 0:
		return sessionLine{}, noSession(id)
	case 1:
		return named[0], nil
	}
	var numbers []string
	for _, l := range named {
		numbers = append(numbers, fmt.Sprintf("%d for %s", l.ID, l.place()))
	}
	return sessionLine{}, hint(fmt.Errorf("%d sessions go by %s", len(named), word(id)), "take the number instead: %s", strings.Join(numbers, ", "))
}

func noSession(id string) error {
	return hint(fmt.Errorf("no session %s lives", word(id)), "sekisho sessions")
}

// whoTells says who ends the connection itself.
func (h *house) whoTells(client string) string {
	for _, c := range h.cfg.Radius.Clients {
		if c.Name == client && c.Disconnect.To.IsValid() {
			return "the running server tells " + c.Disconnect.To.String() + " to disconnect it"
		}
	}
	return "the NAS is not told, since " + client + " has no disconnect in the configuration: its connection lasts until the NAS ends it"
}

// word is what a NAS wrote, as one word that does nothing to a terminal.
func word(s string) string {
	quoted := strconv.QuoteToGraphic(s)
	switch {
	case s == "":
		return "-"
	case strings.ContainsFunc(s, unicode.IsSpace), quoted != `"`+s+`"`:
		return quoted
	}
	return s
}
