package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sekisho/gate"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/ldapproxy/insight"
)

// observed is what would have become of the sign-ins through one application.
type observed struct {
	App     string              `json:"app"`
	Service string              `json:"service"`
	From    time.Time           `json:"from"`    // of the first
	To      time.Time           `json:"to"`      // of the last
	SignIns signIns             `json:"signins"` // all
	Passed  signIns             `json:"passed"`  // by the directory behind
	Admit   map[string]*signIns `json:"would_admit"`
	Refuse  map[string]*signIns `json:"would_refuse"` // by reason
	New     map[string]*signIns `json:"new_refusals"` // of them, that the directory behind has passed
	Advice  []insight.Advice    `json:"advice"`
}

// signIns is how many, and of how many people.
type signIns struct {
	Count  int `json:"count"`
	People int `json:"people"`
	names  map[string]bool
}

func (s *signIns) add(e store.Event) {
	s.Count += e.Count
	if e.Name == "" { // nobody that is known
		return
	}
	if s.names == nil {
		s.names = make(map[string]bool)
	}
	s.names[e.Name] = true
	s.People = len(s.names)
}

func (s signIns) String() string {
	what := "sign-ins"
	if s.Count == 1 {
		what = "sign-in"
	}
	switch s.People {
	case 0:
		return fmt.Sprintf("%d %s", s.Count, what)
	case 1:
		return fmt.Sprintf("%d %s of 1 person", s.Count, what)
	}
	return fmt.Sprintf("%d %s of %d people", s.Count, what, s.People)
}

// printObserved sums up the book from that time on.
func (h *house) printObserved(cmd *cobra.Command, from time.Time, asJSON bool) error {
	ctx := cmd.Context()
	apps := make(map[string]*observed)
	for _, a := range h.cfg.LDAP.Apps {
		if a.Observe {
			apps[a.Name] = newObserved(a.Name, a.Service)
		}
	}
	err := h.store.Events(ctx, store.Search{Outcome: "observed", From: from}, func(e store.Event) error {
		o := apps[e.Client]
		if o == nil {
			o = newObserved(e.Client, e.Service)
			apps[e.Client] = o
		}
		o.add(e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what was observed: %w", err)
	}
	if len(apps) == 0 && !asJSON {
		return hint(errors.New("no application is observed, nor was one"), "write mode = \"observe\" in a [[ldap.app]]")
	}
	var lines []printable
	for _, name := range slices.Sorted(maps.Keys(apps)) {
		o := apps[name]
		without := 0
		for name := range o.codeless() {
			a, err := h.store.Account(ctx, name)
			if err != nil && !errors.Is(err, store.ErrUnknown) {
				return fmt.Errorf("look up %s: %w", name, err)
			}
			if err != nil || len(a.Tokens) == 0 {
				without++
			}
		}
		o.advise(without)
		lines = append(lines, o)
	}
	return printLines(cmd.OutOrStdout(), asJSON, lines)
}

func newObserved(app, service string) *observed {
	return &observed{
		App: app, Service: service, Advice: []insight.Advice{},
		Admit: make(map[string]*signIns), Refuse: make(map[string]*signIns), New: make(map[string]*signIns),
	}
}

// add counts a row of the book; they come the newest first.
func (o *observed) add(e store.Event) {
	if o.From = e.At; o.To.IsZero() {
		o.To = e.At
	}
	count := func(m map[string]*signIns, what string) {
		if m[what] == nil {
			m[what] = new(signIns)
		}
		m[what].add(e)
	}
	passed := strings.HasPrefix(e.Detail, gate.ObservedPassed)
	o.SignIns.add(e)
	if passed {
		o.Passed.add(e)
	}
	if e.Reason == string(reason.Admitted) {
		count(o.Admit, e.Rule)
		return
	}
	count(o.Refuse, e.Reason)
	if passed {
		count(o.New, e.Reason)
	}
}

// codeless are the people who got in without a code and would have needed one.
func (o *observed) codeless() map[string]bool {
	names := make(map[string]bool)
	for _, why := range []reason.Code{reason.NoDevice, reason.CodeMissing} {
		if s := o.New[string(why)]; s != nil {
			maps.Copy(names, s.names)
		}
	}
	return names
}

// advise says what to do before it is enforced.
func (o *observed) advise(withoutDevice int) {
	say := func(code, format string, args ...any) {
		o.Advice = append(o.Advice, insight.Advice{Code: code, Text: fmt.Sprintf(format, args...)})
	}
	if o.SignIns.Count == 0 {
		say("not_seen", "nobody has signed in yet")
		return
	}
	if withoutDevice > 0 {
		say("no_device", "%s no code device yet: tell them to enrol one", have(withoutDevice))
	}
	if s := o.New[string(reason.CodeMissing)]; s != nil {
		say("code_missing", "%s had the right password and no code: tell them to type it behind the password", s)
	}
	if s := o.Refuse[string(reason.CannotJudge)]; s != nil {
		say("cannot_judge", "of %s can't be told what would become: a code stood behind the password, and the directory behind does not know the rest alone", s)
	}
	if o.Passed.Count > 0 && len(o.New) == 0 {
		say("ready", "whoever gets in now would get in: mode = \"enforce\" takes nothing away")
	}
}

func have(n int) string {
	if n == 1 {
		return "1 person has"
	}
	return fmt.Sprintf("%d people have", n)
}

func (o *observed) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n", o.App, o.Service)
	if o.SignIns.Count > 0 {
		row, at := rowsOf(&b), func(t time.Time) string { return t.Local().Format(time.DateTime) }
		row("observed", "%s, from %s to %s", o.SignIns, at(o.From), at(o.To))
		row("passed", "%s by the directory behind", o.Passed)
		for _, rule := range slices.Sorted(maps.Keys(o.Admit)) {
			row("would admit", "%s, by the rule %q", o.Admit[rule], rule)
		}
		for _, why := range slices.Sorted(maps.Keys(o.Refuse)) {
			line := fmt.Sprintf("%s, %s", o.Refuse[why], why)
			if s := o.New[why]; s != nil {
				line += fmt.Sprintf("; got in: %s", s)
			}
			row("would refuse", "%s", line)
		}
	}
	for _, a := range o.Advice {
		fmt.Fprintf(&b, "  ! %s\n", a.Text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
