package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/config"
	"sekisho/radiusd"
)

func clientsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "clients",
		GroupID: "ask",
		Short:   "Tell of each RADIUS client what it was seen to do, and what to change",
		Long: "Tell of each RADIUS client of the configuration what it was seen to do, and what to change.\n" +
			"A running `sekisho serve` writes that every ten seconds.",
		Args: cobra.NoArgs,
		RunE: inHouse(func(cmd *cobra.Command, h *house, _ []string) error {
			known, err := readiness(cmd.Context(), h.store)
			if err != nil {
				return err
			}
			for i, c := range h.cfg.Radius.Clients {
				line := h.clientLine(c, known[c.Name])
				if asJSON {
					err = json.NewEncoder(cmd.OutOrStdout()).Encode(line)
				} else {
					if i > 0 {
						fmt.Fprintln(cmd.OutOrStdout())
					}
					err = line.print(cmd.OutOrStdout())
				}
				if err != nil {
					return err
				}
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON for each")
	return cmd
}

// clientLine is a client of the configuration and what is known of it.
type clientLine struct {
	radiusd.Readiness
	Address string           `json:"address"`
	Service string           `json:"service"`
	Advice  []radiusd.Advice `json:"advice"`
}

func (h *house) clientLine(c config.Client, r radiusd.Readiness) clientLine {
	if r.Client = c.Name; r.At.IsZero() {
		r.At = h.now()
	}
	r.At = r.At.Local() // as the advice tells times
	l := clientLine{Readiness: r, Address: c.Prefix.String(), Service: c.Service, Advice: r.Advice()}
	if l.Advice == nil {
		l.Advice = []radiusd.Advice{}
	}
	return l
}

func (l *clientLine) print(w io.Writer) error {
	var b strings.Builder
	row := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "  %-22s %s\n", what, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&b, "%s (%s, %s)\n", l.Client, l.Address, l.Service)
	if !l.LastSeen.IsZero() {
		l.rows(row)
	}
	for _, a := range l.Advice {
		fmt.Fprintf(&b, "  ! %s\n", a.Text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (l *clientLine) rows(row func(what, format string, args ...any)) {
	at := func(t time.Time) string { return t.Local().Format(time.DateTime) }
	often := func(t radiusd.Tally) string {
		if t.Count == 0 {
			return "none"
		}
		return fmt.Sprintf("%d, the last %s", t.Count, at(t.Last))
	}
	row("last seen", "%s", at(l.LastSeen))
	row("requests", "%d since %s", l.Requests.Count, at(l.Since))
	row("answers", "%d accepted, %d refused, %d challenged; p50 %.0f ms, p99 %.0f ms",
		l.Accepts.Count, l.Rejects.Count, l.Challenges.Count, l.Latency.P50, l.Latency.P99)
	var methods []string
	for _, name := range slices.Sorted(maps.Keys(l.Methods)) {
		methods = append(methods, fmt.Sprintf("%s %d", name, l.Methods[name].Count))
	}
	row("methods", "%s", orDash(strings.Join(methods, ", ")))
	mac := l.MessageAuthenticator
	row("Message-Authenticator", "in %s of the requests", share(mac.With.Count, mac.With.Count+mac.Without.Count))
	row("Calling-Station-Id", "%d an address, %d another, %d none", l.Station.Address.Count, l.Station.Other.Count, l.Station.None.Count)
	row("secret differs", "%s", often(l.SecretMismatches))
	row("retransmissions", "%s", often(l.Retransmissions))
	a := l.Accounting
	interims := fmt.Sprintf("%d Interim-Updates", a.Interims.Count)
	if a.Interval > 0 {
		interims += fmt.Sprintf(", every %.0f s", a.Interval)
	}
	row("accounting", "%d records, Class in %s, %s", a.Records.Count, share(a.Class.Count, a.Records.Count), interims)
	if l.Disconnect.Result != "" {
		row("disconnect", "%s, %s", l.Disconnect.Result, at(l.Disconnect.At))
	}
}

// share never rounds up to all, nor down to none.
func share(part, whole uint64) string {
	switch {
	case part == 0:
		return "none"
	case part >= whole:
		return "all"
	}
	return fmt.Sprintf("%.1f %%", max(.1, min(99.9, 100*float64(part)/float64(whole))))
}
