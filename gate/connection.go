package gate

import (
	"cmp"
	"context"
	"errors"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
)

const (
	// jitter is how far the times of a record and of its copy may be apart: a
	// NAS without Event-Timestamp tells of the delay in whole seconds.
	jitter = 2 * time.Second
	// leastInterval is below what two Interim-Updates are no measure: some
	// NASes send one more when something changes.
	leastInterval = 10 * time.Second
)

// keep brings the record of a session into the store. What it rests on is
// looked up before; the store then hands over the session as it is.
func (r *record) keep(ctx context.Context) error {
	r.believe()
	if err := r.attach(ctx); err != nil {
		return err
	}
	var change store.SessionChange
	var counts bool
	err := r.gate.Store.ChangeSession(ctx, r.key(), func(s store.Session) store.SessionChange {
		change, counts = r.change(s)
		return change
	})
	if err != nil {
		return err
	}
	for _, e := range change.Events {
		if why := reason.Code(e.Reason); !usual(why) {
			r.gate.tales.tell(r.tale(why))
		}
	}
	if counts {
		r.gate.accepts.heard(r.Client, &change.Session)
	}
	if s := change.Session; counts && s.Ticket != 0 && s.Stopped.IsZero() {
		r.use(ctx, s.Ticket)
	}
	return nil
}

// use keeps the ticket of a session that lives from being idle. What it rests
// on is a sign-in of its own, which nobody uses by that.
func (r *record) use(ctx context.Context, ticket int64) {
	h, err := r.gate.Store.Held(ctx, ticket)
	switch {
	case err == nil:
		r.gate.Store.UseAlone(h, r.at)
	case !errors.Is(err, store.ErrUnknown):
		r.gate.Log.Warn("a ticket was not marked as used by its session", "client", r.Client, "session", r.Session, "error", err)
	}
}

// change is what the record makes of the session; counts is false where that
// is nothing. It runs in the store's writer, perhaps twice.
func (r *record) change(s store.Session) (c store.SessionChange, counts bool) {
	r = r.dated(&s)
	switch {
	case !s.Stopped.IsZero() && !r.reopens(&s):
		if r.Status != AccountingStop && r.Event.After(s.Event.Add(jitter)) {
			c.Events = r.events(&s, reason.AccountingLate)
		}
		c.Session = s
		return c, false
	case r.passed(&s):
		c.Session = s
		return c, false
	}
	var why []reason.Code
	first, other := s.Seen.IsZero(), r.anotherPerson(&s)
	if other {
		why = append(why, reason.AccountingStranger)
		s = store.Session{}
	}
	if first || other || r.Status == AccountingStart {
		s = r.anew(&s)
		if r.Status != AccountingStop {
			why = append(why, reason.SessionStarted)
		}
	}
	r.count(&s)
	switch {
	case s.Ticket != 0:
	case r.ticket != nil:
		s.Ticket, s.Person, s.Groups = r.ticket.ID, r.ticket.Person, r.told()
	case r.strange && !other:
		why = append(why, reason.AccountingStranger)
	}
	if r.address4.IsValid() || r.address6.IsValid() {
		// When it was so, not when it came: a NAS whose clock is slow by more
		// than a minute vouches for nobody.
		s.Address4, s.Address6, s.Named = r.address4, r.address6, r.Event
		c.Claims = r.Status != AccountingStop
	}
	if r.foreign {
		why = append(why, reason.AddressForeign)
	}
	if r.Status == AccountingStop {
		s.Stopped, s.Cause, c.EndTicket = r.Event, r.Cause, true
		why = append(why, reason.SessionStopped)
	}
	c.Session, c.Events = s, r.events(&s, why...)
	return c, true
}

// dated is the record as of the time that it can be of at the latest. One
// without Event-Timestamp may have been held up, or be a copy of one that was;
// but it tells how old its session was then. One that does not tell that,
// either, is believed.
func (r *record) dated(s *store.Session) *record {
	if !r.Unstamped || r.Lasted == 0 || s.Seen.IsZero() || r.anotherPerson(s) {
		return r
	}
	latest := s.Event
	if since := r.Lasted - s.Lasted; since > 0 {
		latest = s.Event.Add(since + jitter)
	}
	if !r.Event.After(latest) {
		return r
	}
	dated := *r
	dated.Event = latest
	return &dated
}

// reopens reports whether the record shows that a session goes on which we
// took for over. One that its NAS ended stays so: the record may be a replay.
// A ticket that ended with the session stays so in any case.
func (r *record) reopens(s *store.Session) bool {
	switch s.Cause {
	case store.CauseLost, causeGone:
		return true
	case causeRestarted: // by an On that came late, or that somebody sent again
		return r.Event.After(s.Stopped)
	}
	return false
}

// passed reports whether a later record of the session came before this one,
// or this one itself did (RFC 2866 §2): an Interim-Update that differs from
// the one before in nothing but its time is one of its own.
func (r *record) passed(s *store.Session) bool {
	switch {
	case s.Seen.IsZero():
		return false
	case r.Unstamped && !r.anotherPerson(s) && (r.Status == AccountingStart && !r.renews(s) || r.Lasted > 0 && r.Lasted < s.Lasted):
		return true
	case r.Status == AccountingStop:
		return r.Event.Add(jitter).Before(s.Event)
	case r.Status == AccountingStart:
		return !r.Event.After(s.Event.Add(jitter))
	case r.Event.Equal(s.Event):
		return r.Lasted == s.Lasted && r.Input == s.Input && r.Output == s.Output
	}
	return r.Event.Before(s.Event)
}

// renews reports whether the session begins anew by a later sign-in. By that
// alone an unstamped Start is known from a copy of the first.
func (r *record) renews(s *store.Session) bool { return r.ticket != nil && r.ticket.ID > s.Ticket }

// anotherPerson reports whether the session was somebody else's: a NAS that
// forgot its sessions gives their names away again.
func (r *record) anotherPerson(s *store.Session) bool {
	return r.name != "" && s.User != "" && r.gate.Directory.Canonical(s.User) != r.name
}

// anew is a session that begins. A ticket that its person had here before
// stays until another is found.
func (r *record) anew(before *store.Session) store.Session {
	s := store.Session{User: r.User, Station: r.Source.String(), Started: r.Came}
	if r.ticket == nil && !r.strange {
		s.Ticket, s.Person, s.Groups = before.Ticket, before.Person, before.Groups
	}
	return s
}

// count takes over what has grown.
func (r *record) count(s *store.Session) {
	if apart := r.Event.Sub(s.Event); r.Status == AccountingInterim && s.Lasted > 0 && apart >= leastInterval {
		s.Interval = min(apart, cmp.Or(s.Interval, apart)) // a missed one makes it no longer
	}
	if r.Event.After(s.Event) {
		s.Event = r.Event
	}
	s.Seen, s.Stopped, s.Cause = r.Came, time.Time{}, ""
	s.User, s.Station = cmp.Or(s.User, r.User), cmp.Or(s.Station, r.Source.String())
	s.Lasted, s.Input, s.Output = cmp.Or(r.Lasted, s.Lasted), cmp.Or(r.Input, s.Input), cmp.Or(r.Output, s.Output)
}

// told are the groups that the NAS was told when it was given the ticket. If
// the person changed since, nobody knows; then it is told anew.
func (r *record) told() []string {
	if r.owner == nil || r.owner.ID != r.ticket.Person || r.owner.Generation != r.ticket.Generation {
		return nil
	}
	return r.owner.Groups
}

func usual(why reason.Code) bool { return why == reason.SessionStarted || why == reason.SessionStopped }

// events are what the book has of the record. What is not usual it has once a
// session.
func (r *record) events(s *store.Session, why ...reason.Code) (list []store.Event) {
	for _, each := range why {
		if !usual(each) && r.gate.tales.told(r.tale(each)) {
			continue
		}
		e := r.event(each)
		e.Ticket, e.Detail = s.Ticket, r.detail(cmp.Or(r.Address4, s.Address4), cmp.Or(r.Address6, s.Address6))
		list = append(list, e)
	}
	return list
}
