package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/book"
	"sekisho/internal/reason"
	"sekisho/internal/store"
)

func auditCommand() *cobra.Command {
	return family("audit", "ask", "Read the book: one line an event", auditTail(), auditSearch())
}

func auditTail() *cobra.Command {
	var most int
	var follow, asJSON bool
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Show the newest events, and with -f those to come",
		Args:  cobra.NoArgs,
		RunE: inHouse(func(cmd *cobra.Command, h *house, _ []string) error {
			if most < 1 {
				return fmt.Errorf("-n %d: want 1 or more", most)
			}
			print := linePrinter(cmd.OutOrStdout(), asJSON)
			last := int64(-1) // before the first event there will be
			each := func(l book.Line) error {
				last = l.ID
				return print(l)
			}
			ctx := cmd.Context()
			if err := h.book().Search(ctx, store.Search{Most: most}, each); err != nil || !follow {
				return err
			}
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			return follows(ctx, tick.C, func() error {
				return h.book().Search(ctx, store.Search{After: last}, each)
			})
		}),
	}
	f := cmd.Flags()
	f.IntVarP(&most, "lines", "n", 20, "how many events")
	f.BoolVarP(&follow, "follow", "f", false, "go on as events are booked")
	f.BoolVar(&asJSON, "json", false, "print a line of JSON for each")
	return cmd
}

// follows looks at each tick until the context ends, which is how a person
// stops it and no error.
func follows(ctx context.Context, tick <-chan time.Time, look func() error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
			if err := look(); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

func auditSearch() *cobra.Command {
	var q store.Search
	var user, since, until string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "search",
		Short: "Find events, the oldest first",
		Example: "  sekisho audit search --user alice --since 24h\n" +
			"  sekisho audit search --reason wrong_code --since 2026-03-01 --until 2026-03-31",
		Args: cobra.NoArgs,
		RunE: inHouse(func(cmd *cobra.Command, h *house, _ []string) (err error) {
			if user != "" {
				if err := h.inBook(cmd, user, &q); err != nil {
					return err
				}
			}
			if addr, err := netip.ParseAddr(q.Source); err == nil {
				q.Source = addr.Unmap().WithZone("").String()
			}
			if q.Reason != "" && !reason.Valid(reason.Code(q.Reason)) {
				return hint(fmt.Errorf("no reason is named %q", q.Reason), "the reasons are %s", reasons())
			}
			if outcomes := []string{"admitted", "refused", "challenged", "observed", "noticed", "done"}; q.Outcome != "" && !slices.Contains(outcomes, q.Outcome) {
				return hint(fmt.Errorf("no outcome is named %q", q.Outcome), "the outcomes are %s", strings.Join(outcomes, " "))
			}
			if q.From, err = parseWhen(since, h.now(), 0); err != nil {
				return err
			}
			if q.To, err = parseWhen(until, h.now(), 1); err != nil {
				return err
			}
			print, found := linePrinter(cmd.OutOrStdout(), asJSON), false
			err = h.book().Search(cmd.Context(), q, func(l book.Line) error {
				found = true
				return print(l)
			})
			if err == nil && !found && q.Name != "" {
				return fmt.Errorf("no account is named %q, and such events of that name are not in the book", q.Name)
			}
			return err
		}),
	}
	f := cmd.Flags()
	f.StringVar(&user, "user", "", "only of this `person`")
	f.StringVar(&q.Source, "from", "", "only from this `address`")
	f.StringVar(&q.Client, "client", "", "only by this `client`")
	f.StringVar(&q.Reason, "reason", "", "only of this `reason`")
	f.StringVar(&q.Outcome, "outcome", "", "only admitted, refused, challenged, observed, noticed or done")
	f.StringVar(&since, "since", "", "only from this `time` on: 24h or 7d ago, 2026-03-01, 2026-03-01T08:30")
	f.StringVar(&until, "until", "", "only before this `time`; a day is meant whole")
	f.IntVarP(&q.Most, "lines", "n", 0, "only the newest `number`; 0: all")
	f.BoolVar(&asJSON, "json", false, "print a line of JSON for each")
	return cmd
}

// inBook searches for somebody by who they are. Of the directory behind many
// have no account, and as long as it is only observed nobody has: they are
// searched for by name.
func (h *house) inBook(cmd *cobra.Command, user string, q *store.Search) error {
	name := h.directory().Canonical(user)
	a, err := h.store.Account(cmd.Context(), name)
	switch {
	case err == nil:
		q.Person = a.ID
	case errors.Is(err, store.ErrUnknown) && h.behind != nil:
		q.Name = name
	default:
		return advise(err, name)
	}
	return nil
}

func reasons() string {
	var names []string
	for _, c := range reason.All() {
		names = append(names, string(c))
	}
	return strings.Join(names, " ")
}

func linePrinter(w io.Writer, asJSON bool) func(book.Line) error {
	if asJSON {
		out := json.NewEncoder(w)
		return func(l book.Line) error { return out.Encode(l) }
	}
	return func(l book.Line) error {
		_, err := fmt.Fprintln(w, l)
		return err
	}
}

// parseWhen reads a time as people write it: so long ago, a day, or a time of
// a day, in local time. A day means its beginning, plus days.
func parseWhen(text string, now time.Time, days int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if n, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(n); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	if at, err := time.ParseInLocation(time.DateOnly, text, now.Location()); err == nil {
		return at.AddDate(0, 0, days), nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", time.DateTime, time.RFC3339} {
		if at, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return at, nil
		}
	}
	return time.Time{}, hint(fmt.Errorf("%q is not a time", text), "write 24h or 7d (ago), 2026-03-01, or 2026-03-01T08:30")
}
