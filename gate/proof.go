package gate

import (
	"context"
	"fmt"
	"time"

	"sekisho/internal/directory"
	"sekisho/internal/keyring"
	"sekisho/internal/otp"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

const maxPassword = 1024 // octets

// device is a code device with its secret opened.
type device struct {
	row   store.Token
	token otp.Token
}

// prove has the person prove one of the alternatives that the policy left
// open. A reason ends the attempt with a refusal.
func (a *attempt) prove(ctx context.Context, need policy.Need, allowed policy.Repeat) (reason.Code, error) {
	codeNeeded, passwordNeeded := needs(need, policy.OTP), needs(need, policy.Password)
	if why := badPassword(a.r.Password); why == reason.BadPassword || why != "" && passwordNeeded {
		return why, nil
	}
	if codeNeeded && !a.gate.clock.steady(a.gate.Store.Newest()) {
		return "", errClock
	}
	password, why, err := a.code(ctx, codeNeeded, allowed)
	if err != nil || why != "" && a.match.Found == otp.None {
		return why, err
	}
	if len(password) == 0 && passwordNeeded {
		return reason.EmptyPassword, nil
	}
	if codeNeeded && a.match.Found == otp.Used && a.repeat == nil {
		if err := a.findRepeat(ctx, allowed); err != nil {
			return "", err
		}
	}
	// Where a ticket lent the password none need be typed; one that was typed
	// is judged all the same.
	if len(password) > 0 {
		if why, err := a.password(ctx, password); why != "" || err != nil {
			return why, err
		}
	}
	_, a.proved = a.shown[policy.Password]
	if a.account.MustChange {
		return reason.MustChange, nil
	}
	if a.match.Found == otp.Fresh || a.repeat != nil {
		a.show(policy.OTP)
	}
	if codeNeeded && a.repeat == nil {
		return why, nil
	}
	return "", nil
}

// password has the password judged, unless it was found wrong lately. A
// directory behind is asked less, too: it counts each wrong one, and a program
// that has an old one saved would keep the person locked there.
func (a *attempt) password(ctx context.Context, password []byte) (reason.Code, error) {
	a.typed = a.memory("password", password)
	lately := a.gate.throttle.wrongLately
	if a.gate.Directory.Behind() {
		lately = a.gate.throttle.wrongBehind
	}
	if !lately(a.typed, a.at) {
		v, err := a.check(ctx, password)
		switch {
		case err != nil:
			return "", err
		case v == directory.Right:
			a.show(policy.Password)
			return "", nil
		case v == directory.Locked: // and kept so by guesses, which count
			a.wrong = wrongPassword
			return useless(v), nil
		case v != directory.Wrong:
			a.proved = v.Proved()
			return useless(v), nil
		}
		a.wrong = wrongPassword
		if a.gate.Directory.Behind() {
			a.gate.throttle.foundWrong(a.typed, a.at)
		}
	}
	switch {
	case a.account == nil:
		return reason.UnknownUser, nil
	case a.account.Disabled:
		return reason.Disabled, nil
	}
	a.gate.after.wrongPassword(a, password)
	return reason.WrongPassword, nil
}

// check asks who can tell whether it is the password, and nobody of what is
// none.
func (a *attempt) check(ctx context.Context, password []byte) (directory.Verdict, error) {
	account := a.judged()
	switch {
	case len(password) == 0, a.isMade(password):
		return directory.Wrong, nil
	case a.r.Verify != nil && account == a.account:
		v, err := a.r.Verify(ctx, account.DN, password)
		if err == nil && v.Proved() {
			err = a.gate.Directory.StillTheirs(ctx, account)
		}
		return v, err
	}
	return a.gate.Directory.CheckPassword(ctx, account, password, a.priority())
}

// useless tells why a password that is not wrong is good for nothing.
func useless(v directory.Verdict) reason.Code {
	switch v {
	// What our own page changes is an initial password of ours: reason.MustChange.
	case directory.Expired, directory.MustChange:
		return reason.PasswordExpired
	case directory.Shut:
		return reason.AccountShut
	case directory.Locked:
		return reason.AccountLocked
	}
	return reason.CannotJudge
}

// provable picks the alternative with the fewest factors among those that
// this request can carry.
func (a *attempt) provable(alternatives []policy.Need) policy.Need {
	var best policy.Need
	for _, need := range alternatives {
		ok := len(need) > 0
		for _, f := range need {
			ok = ok && (f == policy.Password || f == policy.OTP)
		}
		if ok && (best == nil || len(need) < len(best)) {
			best = need
		}
	}
	return best
}

func needs(need policy.Need, f policy.Factor) bool {
	for _, n := range need {
		if n == f {
			return true
		}
	}
	return false
}

// badPassword tells what no password can be. Which octets one may have is
// its door's matter.
func badPassword(password []byte) reason.Code {
	switch {
	case len(password) == 0:
		return reason.EmptyPassword
	case len(password) > maxPassword:
		return reason.BadPassword
	}
	return ""
}

// code finds the code in what was typed and which step it is, and returns the
// password before it. The reason says what is wrong with the code; with
// [otp.None] it ends the attempt before the password is looked at, so nobody
// outside can try passwords.
//
// Where no code is needed, one that matches is cut off all the same: people
// and programs append it everywhere.
func (a *attempt) code(ctx context.Context, needed bool, allowed policy.Repeat) (password []byte, why reason.Code, err error) {
	devices, err := a.devices()
	if err != nil && needed {
		return nil, "", err
	}
	if !needed {
		return a.cutOptional(devices, allowed), "", nil
	}
	typed := false
	for _, d := range devices {
		rest, code, ok := a.split(d.token.Digits)
		if !ok {
			continue
		}
		typed = true
		m := d.token.Match(code, a.at)
		if m.Found > otp.None && (a.match.Found == otp.None || m.Found == otp.Fresh) {
			a.match, a.device, password = m, &d, rest
		}
		if m.Found == otp.Fresh {
			break
		}
	}
	if len(devices) == 0 {
		password, _, typed = a.split(0)
	}
	switch {
	case a.match.Found == otp.Fresh:
		return password, "", nil
	case a.match.Found == otp.Used:
		return password, reason.CodeUsed, nil
	case a.match.Found == otp.Near:
		return password, reason.CodeStale, nil
	case !typed:
		return nil, a.untyped(), nil
	case len(password) == 0 && len(devices) == 0 && a.r.Code == nil:
		return nil, reason.EmptyPassword, nil
	}
	if password, err = a.older(ctx, devices, allowed); err != nil || a.repeat != nil {
		return password, "", err
	}
	a.wrong, a.typed = wrongCode, a.memory("code", a.r.Password, a.r.Code)
	switch {
	case a.account == nil:
		return nil, reason.UnknownUser, nil
	case a.account.Disabled:
		return nil, reason.Disabled, nil
	case len(devices) == 0:
		return nil, reason.NoDevice, nil
	}
	a.gate.after.wrongCode(a)
	return nil, reason.WrongCode, nil
}

// untyped says what stands where a code was expected.
func (a *attempt) untyped() reason.Code {
	switch {
	case a.r.Code == nil && (otp.Wide(a.r.Password, 6) || otp.Wide(a.r.Password, 8)):
		return reason.CodeWide
	case a.account == nil:
		return reason.UnknownUser
	case a.account.Disabled:
		return reason.Disabled
	case len(a.account.Tokens) == 0:
		return reason.NoDevice
	}
	return reason.CodeMissing
}

// split takes the code from its own field, where full-width digits can mean
// nothing else, or from the end of the one field.
func (a *attempt) split(digits int) (password, code []byte, ok bool) {
	if a.r.Code != nil {
		return a.r.Password, otp.Narrow(a.r.Code), len(a.r.Code) > 0
	}
	return otp.Split(a.r.Password, digits, a.r.Separator)
}

// cutOptional returns the password without a code that matches: from as far
// back as a repeat reaches, or the one that was accepted last, whenever that
// was, to one step ahead. An unused one is consumed and counts; a used one,
// one outside the window, or any while the clock can't be trusted, counts for
// nothing. A code alone leaves an empty password, which nobody judges.
func (a *attempt) cutOptional(devices []device, allowed policy.Repeat) []byte {
	if a.r.Code != nil || len(devices) == 0 {
		return a.r.Password
	}
	steady := a.gate.clock.steady(a.gate.Store.Newest())
	for _, d := range devices {
		password, code, ok := otp.Split(a.r.Password, d.token.Digits, a.r.Separator)
		if !ok {
			continue
		}
		m := d.token.Match(code, a.at)
		switch {
		case m.Found == otp.Fresh && steady:
			a.match, a.device = m, &d
			return password
		case m.Found != otp.None && m.Offset <= 1, d.accepted(code), d.showed(code, a.at, allowed.Max):
			return password
		}
	}
	return a.r.Password
}

// devices opens the secrets of the person's devices.
func (a *attempt) devices() ([]device, error) {
	if a.account == nil || a.account.Disabled {
		return nil, nil
	}
	devices := make([]device, 0, len(a.account.Tokens))
	for _, row := range a.account.Tokens {
		token, err := OpenToken(a.gate.Ring, row)
		if err != nil {
			return nil, fmt.Errorf("open the code device %q: %w", row.Label, err)
		}
		token.Window = a.gate.Window
		devices = append(devices, device{row, token})
	}
	return devices, nil
}

// OpenToken opens a device's sealed secret. The error is one of the key
// ring's.
func OpenToken(ring *keyring.Ring, row store.Token) (otp.Token, error) {
	secret, err := ring.Open(otp.Purpose, keyring.Row{Person: row.Person, ID: row.ID, Version: row.Version}, row.Sealed)
	if err != nil {
		return otp.Token{}, err
	}
	t := otp.Token{Secret: secret, Digits: row.Digits, Period: row.Period, Last: row.Step, Drift: row.Drift}
	t.Kind, _ = otp.KindOf(row.Kind)
	t.Algorithm, _ = otp.AlgorithmOf(row.Algorithm)
	return t, nil
}

// priority: whoever showed a device goes first, then who sits inside.
func (a *attempt) priority() directory.Priority {
	switch {
	case a.match.Found != otp.None:
		return directory.Matched
	case a.zone.Name != policy.OffCampus:
		return directory.Reserved
	}
	return directory.Open
}

// wait is how long until the device shows its next code.
func (a *attempt) wait() time.Duration {
	if a.device == nil {
		return 0
	}
	return a.device.token.Left(a.at)
}
