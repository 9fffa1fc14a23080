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
	"sekisho/ldapproxy/insight"
)

func appsCommand() *cobra.Command {
	var asJSON, summed bool
	var since string
	cmd := &cobra.Command{
		Use:     "apps",
		GroupID: "ask",
		Short:   "Tell of each LDAP application what it was seen to do, and what to change",
		Long: "Tell of each LDAP application of the configuration what it was seen to do, and what to change.\n" +
			"A running `sekisho serve` writes that every ten seconds.\n\n" +
			"With --observed, sum up from the book what would have become of the sign-ins through applications\n" +
			"with mode = \"observe\", had it been enforced.",
		Example: "  sekisho apps\n  sekisho apps --observed --since 7d",
		Args:    cobra.NoArgs,
		RunE: inHouse(func(cmd *cobra.Command, h *house, _ []string) error {
			if summed {
				from, err := parseWhen(since, h.now(), 0)
				if err != nil {
					return err
				}
				return h.printObserved(cmd, from, asJSON)
			}
			known, err := insights(cmd.Context(), h.store)
			if err != nil {
				return err
			}
			var lines []printable
			for _, a := range h.cfg.LDAP.Apps {
				lines = append(lines, h.appLine(a, known[a.Name]))
			}
			return printLines(cmd.OutOrStdout(), asJSON, lines)
		}),
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "print a line of JSON for each")
	f.BoolVar(&summed, "observed", false, "sum up what would have been decided where it is only observed")
	f.StringVar(&since, "since", "30d", "with --observed, only from this `time` on: 24h or 7d ago, 2026-03-01, 2026-03-01T08:30")
	return cmd
}

// printable is what is told of one application.
type printable interface{ print(io.Writer) error }

// printLines prints them with an empty line between two, or as JSON.
func printLines(w io.Writer, asJSON bool, lines []printable) error {
	for i, l := range lines {
		var err error
		if asJSON {
			err = json.NewEncoder(w).Encode(l)
		} else {
			if i > 0 {
				fmt.Fprintln(w)
			}
			err = l.print(w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// appLine is an application of the configuration and what is known of it.
type appLine struct {
	insight.App
	KnownBy []string         `json:"known_by"`
	Service string           `json:"service"`
	Advice  []insight.Advice `json:"advice"`
}

func (h *house) appLine(a config.App, i insight.App) *appLine {
	if i.Name = a.Name; i.At.IsZero() {
		i.At = h.now()
	}
	i.At = i.At.Local() // as the advice tells times
	l := &appLine{App: i, KnownBy: knownBy(a), Service: a.Service, Advice: i.Advice()}
	if l.Advice == nil {
		l.Advice = []insight.Advice{}
	}
	return l
}

// knownBy is what an application is known by, in words.
func knownBy(a config.App) []string {
	var list []string
	for _, p := range a.Prefixes {
		list = append(list, p.String())
	}
	list = append(list, a.Listeners...)
	for _, key := range a.Certificates {
		list = append(list, fmt.Sprintf("key %x", key[:8]))
	}
	return append(list, a.BindDNs...)
}

func (l *appLine) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s; %s)\n", l.Name, strings.Join(l.KnownBy, ", "), l.Service)
	if l.Binds.Count > 0 {
		l.rows(rowsOf(&b))
	}
	for _, a := range l.Advice {
		fmt.Fprintf(&b, "  ! %s\n", a.Text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// rowsOf writes rows under a heading.
func rowsOf(w io.Writer) func(what, format string, args ...any) {
	return func(what, format string, args ...any) {
		fmt.Fprintf(w, "  %-18s %s\n", what, fmt.Sprintf(format, args...))
	}
}

func (l *appLine) rows(row func(what, format string, args ...any)) {
	at := func(t time.Time) string { return t.Local().Format(time.DateTime) }
	row("last seen", "%s", at(l.Binds.Last))
	row("binds", "%d on %d connections since %s", l.Binds.Count, l.Connections.Count, at(l.Since))
	hours := l.Hours
	line := fmt.Sprintf("%d in this hour, %d in the one before", hours.Count, hours.Before)
	if hours.Most > 0 {
		line += fmt.Sprintf(", at the most %d in that of %s", hours.Most, at(hours.Busiest))
	}
	row("binds an hour", "%s", line)
	row("outcomes", "%s", often(l.Outcomes))
	if len(l.Reasons) > 0 {
		row("refused for", "%s", often(l.Reasons))
	}
	row("TLS", "%s", often(l.TLS))
	if len(l.Names) > 0 {
		row("names", "%s", often(l.Names))
	}
	if r := l.Rebinds; r.SignIns > 0 {
		row("binds a sign-in", "%.1f, of %d sign-ins; 99 %% within %s of the one before, the longest sign-in for %s",
			r.PerSignIn(), r.SignIns, seconds(r.Idle), seconds(r.Longest))
	}
	if up := l.Upstream; up.Binds+up.Failed.Count > 0 {
		row("directory behind", "%d binds, %d without an answer; p50 %.0f ms, p99 %.0f ms", up.Binds, up.Failed.Count, up.P50, up.P99)
	}
	if up := l.Upstream; up.Binds > 0 {
		row("slowest", "%.0f ms at %s, %s", up.Slowest.Took, orDash(up.Slowest.Server), at(up.Slowest.At))
		row("codes cut off", "from %s of the binds there", share(l.Codes.Count, up.Binds))
	}
}

// often lists what was counted, the most frequent first.
func often(counts map[string]insight.Seen) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if d := int(counts[b].Count) - int(counts[a].Count); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, counts[name].Count)
	}
	return orDash(strings.Join(names, ", "))
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Second)
}
