package gate

import (
	"bytes"
	"context"
	"net/netip"

	"sekisho/internal/keyring"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// takesMade reports whether what was made here may be typed for a password.
// The web makes it and takes none.
func (a *attempt) takesMade() bool { return a.r.Door != policy.DoorWeb && a.r.Code == nil }

// isMade reports whether what stands where the password belongs is an
// application password or a word, or one with a code behind it, as people are
// used to. It is never taken for a password. Only on the web a password that
// looks so is one, where it is kept here: it can be changed there.
func (a *attempt) isMade(password []byte) bool {
	if a.r.Door == policy.DoorWeb && !a.gate.Directory.Behind() {
		return false
	}
	password = bytes.TrimSuffix(bytes.TrimRight(password, "0123456789"), []byte(a.r.Separator))
	_, app := keyring.AppPassword(password)
	_, word := wordOf(password)
	return app || word
}

// appPassword is the one that was typed, as it is hashed.
func (a *attempt) appPassword() (text []byte, ok bool) {
	if !a.takesMade() {
		return nil, false
	}
	return keyring.AppPassword(a.r.Password)
}

// byAppPassword admits by an application password, where a rule takes one. A
// wrong one counts as a wrong password does: once an hour, since programs send
// what they have saved again and again. All that is wrong with one looks the
// same. A right one is nobody's guess: it is delayed by no guesses, and forgives
// none, since it says nothing of passwords and codes.
func (a *attempt) byAppPassword(ctx context.Context, text []byte) (Answer, error) {
	d, why := a.showAppPassword(text)
	if a.app == nil {
		if !a.reserve() {
			return a.refuse(ctx, denials[a.decide().Why])
		}
		a.wrong, a.typed = wrongPassword, a.memory("app password", text)
	}
	if why != "" {
		return a.refuse(ctx, why)
	}
	return a.admit(ctx, d, reason.Admitted)
}

// showAppPassword shows the factor, if it is the person's, and asks the policy
// whether it suffices.
func (a *attempt) showAppPassword(text []byte) (d policy.Decision, why reason.Code) {
	if why = a.matchAppPassword(text); why != "" {
		return d, why
	}
	if a.account.MustChange {
		return d, reason.MustChange
	}
	a.show(policy.AppPassword)
	switch d = a.decide(); d.Verdict {
	case policy.Deny:
		return d, denials[d.Why]
	case policy.Ask:
		return d, reason.NoMeans
	}
	return d, ""
}

// matchAppPassword finds the person's application password that was typed. It
// takes as long for whoever has none, or for a name that nobody has.
func (a *attempt) matchAppPassword(text []byte) reason.Code {
	person := a.account
	if person == nil {
		person = &store.Account{}
	}
	parts := keyring.AppPasswordParts(person.ID, a.r.Service, text)
	var found *store.AppPassword
	none := &store.AppPassword{}
	for i := range max(store.MostAppPasswords, len(person.AppPasswords)) {
		p := none
		if i < len(person.AppPasswords) {
			p = &person.AppPasswords[i]
		}
		if a.gate.Ring.VerifyMAC(keyring.AppPasswordUse, p.Hash, parts...) {
			found = p
		}
	}
	switch {
	case a.account == nil:
		return reason.UnknownUser
	case a.account.Disabled:
		return reason.Disabled
	case found == nil:
		return reason.WrongAppPassword
	}
	a.app = found
	switch {
	case found.Idle(a.at):
		return reason.AppPasswordIdle
	case !a.r.Source.within(found.Network):
		return reason.AppPasswordNetwork
	}
	return ""
}

// within reports whether the person sits in the network; "" is any. Nobody
// knows where the people behind an application server sit.
func (s Source) within(network string) bool {
	if network == "" {
		return true
	}
	prefix, err := netip.ParsePrefix(network)
	return err == nil && !s.Shared && prefix.Contains(s.Addr.Unmap().WithZone(""))
}
