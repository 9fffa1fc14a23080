package gate

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"sekisho/internal/otp"
	"sekisho/internal/store"
	"sekisho/policy"
)

const (
	repeatUse  = "repeat"
	showedMost = 24 * time.Hour // each step of it costs an HMAC
)

// findRepeat looks whether the used code is presented again by the same
// person, at the same door, service and client and from the same known source,
// within the rule's repeat. Then the code counts as shown; the password is
// checked all the same.
func (a *attempt) findRepeat(ctx context.Context, allowed policy.Repeat) error {
	row := a.device.row
	if row.Step == a.match.Step {
		if err := a.repeats(ctx, row.Ticket, allowed); err != nil || a.repeat != nil {
			return err
		}
	}
	tickets, err := a.sessionTickets(ctx, allowed)
	for _, t := range tickets {
		if err == nil && a.repeat == nil {
			err = a.repeats(ctx, t.ID, allowed)
		}
	}
	return err
}

// repeats makes the attempt a repeat of the one that the ticket was given to,
// if it is.
func (a *attempt) repeats(ctx context.Context, ticket int64, allowed policy.Repeat) error {
	if a.source == "" || allowed.Max <= 0 || ticket == 0 {
		return nil
	}
	t, err := a.gate.Store.Held(ctx, ticket)
	if errors.Is(err, store.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case t.Person != a.account.ID, t.Generation != a.account.Generation, !t.Live(a.at): // one that has lapsed stays so
		return nil
	case len(t.Repeat) == 0, !a.gate.Ring.VerifyMAC(repeatUse, t.Repeat, a.repeatParts()...):
		return nil
	}
	if allowed.Session {
		sessions, err := a.gate.Store.SessionsOf(ctx, t.ID)
		if err != nil {
			return err
		}
		if len(sessions) > 0 {
			a.repeat, a.answers, a.renewed = &t.Ticket, 0, true
			return nil
		}
	}
	switch {
	case a.at.Sub(t.Created) > allowed.Max, a.at.Sub(a.gate.agains.last(&t.Ticket)) > allowed.Idle:
	case allowed.Answers > 0 && t.Answers >= allowed.Answers:
	default:
		a.repeat, a.answers = &t.Ticket, allowed.Answers
	}
	return nil
}

// sessionTickets are the person's tickets that a session here could have begun
// with, where a code may be presented again as long as it lasts: a later code
// of the same device may have been used elsewhere since.
func (a *attempt) sessionTickets(ctx context.Context, allowed policy.Repeat) (list []store.Ticket, err error) {
	if !allowed.Session || a.source == "" || a.account == nil || a.account.ID == 0 { // whose tickets 0 would list
		return nil, nil
	}
	err = a.gate.Store.Tickets(ctx, a.account.ID, a.at, func(t store.Ticket, _ string) error {
		if t.Door == a.r.Door && t.Client == a.r.Client && len(t.Repeat) > 0 {
			list = append(list, t)
		}
		return nil
	})
	return list, err
}

// older finds the code that was accepted last, or that a session began with,
// however long ago: a rule's repeat may last longer than a match reaches back.
// Unless it is a repeat it is a code that fits nothing.
func (a *attempt) older(ctx context.Context, devices []device, allowed policy.Repeat) (password []byte, err error) {
	tickets, err := a.sessionTickets(ctx, allowed)
	if err != nil {
		return nil, err
	}
	for _, d := range devices {
		password, code, ok := a.split(d.token.Digits)
		if !ok || allowed.Max <= 0 {
			continue
		}
		steps := []int64{d.row.Step}
		for _, t := range tickets {
			steps = append(steps, d.stepsAround(t.Created)...)
		}
		for _, step := range steps {
			if !d.is(code, step) {
				continue
			}
			a.device, a.match = &d, otp.Match{Found: otp.Used, Step: step}
			if err := a.findRepeat(ctx, allowed); err != nil || a.repeat != nil {
				return password, err
			}
			a.device, a.match = nil, otp.Match{}
		}
	}
	return nil, nil
}

// accepted reports whether code is the one that was accepted last.
func (d *device) accepted(code []byte) bool { return d.is(code, d.row.Step) }

// is reports whether the code is that of the step. Of a counter device a match
// reaches back far enough anyway.
func (d *device) is(code []byte, step int64) bool {
	if d.token.Kind != otp.TOTP || step < 0 || d.row.Period <= 0 {
		return false
	}
	shown := d.token.Code(time.Unix(step*int64(d.row.Period), 0))
	return shown != "" && subtle.ConstantTimeCompare(code, []byte(shown)) == 1
}

// stepsAround are those that could have been accepted at that time, for a
// device whose clock was off as it was when last seen, or right.
func (d *device) stepsAround(at time.Time) (steps []int64) {
	const reach = 10 // the widest window
	if d.row.Period <= 0 {
		return nil
	}
	for _, drift := range []int64{0, int64(d.row.Drift)} {
		middle := at.Unix()/int64(d.row.Period) + drift
		for step := middle - reach; step <= middle+reach; step++ {
			if !slices.Contains(steps, step) {
				steps = append(steps, step)
			}
		}
	}
	return steps
}

// showed reports whether code is one that the device showed at most so long
// ago.
func (d *device) showed(code []byte, at time.Time, ago time.Duration) bool {
	if d.token.Kind != otp.TOTP || d.row.Period <= 0 {
		return false
	}
	step := time.Duration(d.row.Period) * time.Second
	now := at.Add(time.Duration(d.row.Drift) * step)
	for back := time.Duration(0); back <= min(ago, showedMost); back += step {
		if subtle.ConstantTimeCompare(code, []byte(d.token.Code(now.Add(-back)))) == 1 {
			return true
		}
	}
	return false
}

// repeatMAC is stored with the ticket. Nothing in it comes from the password.
func (a *attempt) repeatMAC(allowed policy.Repeat) []byte {
	if a.source == "" || allowed.Max <= 0 || a.device == nil && a.redeemed == nil {
		return nil
	}
	return a.gate.Ring.MAC(repeatUse, a.repeatParts()...)
}

func (a *attempt) repeatParts() [][]byte {
	what := binary.BigEndian.AppendUint64(nil, uint64(a.account.ID))
	if a.redeemed != nil {
		what = append(what, a.redeemed.Hash...)
	} else {
		what = binary.BigEndian.AppendUint64(what, uint64(a.device.row.ID))
		what = binary.BigEndian.AppendUint64(what, uint64(a.match.Step))
	}
	return [][]byte{what, []byte(a.r.Door), []byte(a.r.Service), []byte(a.r.Client), []byte(a.source)}
}
