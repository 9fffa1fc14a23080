package gate

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"errors"
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
	if a.source == "" || allowed.Max <= 0 || row.Ticket == 0 || row.Step != a.match.Step {
		return nil
	}
	t, err := a.gate.Store.Held(ctx, row.Ticket)
	if errors.Is(err, store.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case t.Person != a.account.ID, t.Generation != a.account.Generation, !t.Live(a.at): // one that has lapsed stays so
	case a.at.Sub(t.Created) > allowed.Max, a.at.Sub(a.gate.agains.last(&t.Ticket)) > allowed.Idle:
	case allowed.Answers > 0 && t.Answers >= allowed.Answers:
	case len(t.Repeat) == 0, !a.gate.Ring.VerifyMAC(repeatUse, t.Repeat, a.repeatParts()...):
	default:
		a.repeat = &t.Ticket
	}
	return nil
}

// older finds the code that was accepted last, however long ago: a rule's
// repeat may last longer than a match reaches back. Unless it is a repeat it
// is a code that fits nothing.
func (a *attempt) older(ctx context.Context, devices []device, allowed policy.Repeat) (password []byte, err error) {
	for _, d := range devices {
		password, code, ok := a.split(d.token.Digits)
		if !ok || allowed.Max <= 0 || !d.accepted(code) {
			continue
		}
		a.device, a.match = &d, otp.Match{Found: otp.Used, Step: d.row.Step}
		if err := a.findRepeat(ctx, allowed); err != nil || a.repeat != nil {
			return password, err
		}
		a.device, a.match = nil, otp.Match{}
	}
	return nil, nil
}

// accepted reports whether code is the one that was accepted last. Of a
// counter device a match reaches back to it anyway.
func (d *device) accepted(code []byte) bool {
	if d.token.Kind != otp.TOTP || d.row.Step < 0 || d.row.Period <= 0 {
		return false
	}
	last := d.token.Code(time.Unix(d.row.Step*int64(d.row.Period), 0))
	return last != "" && subtle.ConstantTimeCompare(code, []byte(last)) == 1
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
	if a.source == "" || allowed.Max <= 0 || a.device == nil {
		return nil
	}
	return a.gate.Ring.MAC(repeatUse, a.repeatParts()...)
}

func (a *attempt) repeatParts() [][]byte {
	var ids [24]byte
	binary.BigEndian.PutUint64(ids[:], uint64(a.account.ID))
	binary.BigEndian.PutUint64(ids[8:], uint64(a.device.row.ID))
	binary.BigEndian.PutUint64(ids[16:], uint64(a.match.Step))
	return [][]byte{ids[:], []byte(a.r.Door), []byte(a.r.Service), []byte(a.r.Client), []byte(a.source)}
}
