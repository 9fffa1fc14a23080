package gate

import (
	"bytes"
	"context"
	"slices"
	"unicode"

	"sekisho/internal/otp"
	"sekisho/internal/reason"
)

// Challenge is when a code is asked for in a round of its own.
//
// Where it is, the first round judges nothing and writes nothing: it asks for
// the code, of names that nobody has, too, and hands out a State. The round
// that brings the State back is judged, password and code together. Whoever is
// refused there is asked again, twice, whatever was wrong: else the answer
// would tell. Only the refusals are booked.
type Challenge int

// The ways; the zero one never asks.
const (
	ChallengeNever  Challenge = iota // the code stands behind the password
	ChallengeAlways                  // wherever a code is needed
	ChallengeBoth                    // where none stands behind the password
)

// round takes up the sign-in that a State belongs to, or asks for a code. ends
// tells that the attempt ends with this answer; else it is judged now.
func (a *attempt) round(ctx context.Context) (answer Answer, ends bool, err error) {
	if a.r.State != nil {
		why := a.resume()
		if why == "" {
			return Answer{}, false, nil
		}
		answer, err = a.refuse(ctx, why)
		return answer, true, err
	}
	if !a.mustAsk() {
		return Answer{}, false, nil
	}
	if len(a.r.Password) > keptMost {
		answer, err = a.refuse(ctx, reason.BadPassword)
		return answer, true, err
	}
	a.asked = &asked{since: a.at, password: a.r.Password}
	if a.appended() {
		return Answer{}, false, nil
	}
	return a.challenge(), true, nil
}

// resume takes up the sign-in where its State left it. A reason refuses.
func (a *attempt) resume() reason.Code {
	k, why := a.opened()
	if why != "" {
		return why
	}
	a.asked = k
	a.r.Password, a.r.Code = k.password, tidy(a.r.Password)
	if k.generation != a.generation() {
		return reason.Changed // what was typed was for the account as it was
	}
	a.cutAppended()
	return ""
}

// forget clears what the State held.
func (k *asked) forget() {
	if k != nil && k.nonce != nil {
		clear(k.password)
	}
}

// mustAsk reports whether this first round has to ask for a code: by the same
// rules as a page, so a stranger learns nothing from it. What can't be a
// password is refused like everywhere.
func (a *attempt) mustAsk() bool {
	if a.r.Challenge == ChallengeNever || badPassword(a.r.Password) != "" {
		return false
	}
	if a.takesMade() && a.isMade(a.r.Password) {
		return false
	}
	return a.prompt(a.parent != nil).Code
}

// challenge asks for the code. In whose language nobody can tell yet: the
// account's own would tell that there is one, so it is the site's unless the
// door knows better.
func (a *attempt) challenge() Answer {
	return Answer{
		Outcome: Challenged, State: a.state(), Message: reason.Challenged.Person(a.language()),
		Reason: string(reason.Challenged),
	}
}

// appended reports whether a code may stand behind the password, where that
// is allowed. What looks like one is judged as one and counts as one: if it
// were only tried, anybody could try codes for nothing. So a password that
// ends in digits costs a refusal here, after which the code is asked for.
func (a *attempt) appended() bool {
	if a.r.Challenge != ChallengeBoth {
		return false
	}
	for _, digits := range []int{6, 8} {
		if _, _, ok := otp.Split(a.r.Password, digits, a.r.Separator); ok {
			return true
		}
	}
	return false
}

// cutAppended takes the code off a password behind which one was typed in the
// first round all the same, as people are used to. It has to be one that the
// device showed then; it counts for nothing, the one that was asked for does.
func (a *attempt) cutAppended() {
	devices, err := a.devices()
	if err != nil {
		return // the code that was asked for needs them, too
	}
	for _, d := range devices {
		password, code, ok := otp.Split(a.r.Password, d.token.Digits, a.r.Separator)
		if ok && d.token.Match(code, a.asked.since).Found != otp.None {
			a.r.Password = password
			return
		}
	}
}

// askAgain makes the refusal of a round ask for the next code. What only the
// first round looked at, and found wanting, may be no code at all: then the
// code is asked for as if nothing had been looked at.
func (a *attempt) askAgain(refused Answer, why reason.Code) Answer {
	if a.asked == nil || a.asked.times >= askedMost || slices.Contains(unmended, why) {
		return refused
	}
	language := a.language()
	refused.Outcome, refused.State = Challenged, a.state()
	switch {
	case a.asked.nonce == nil && !a.proved:
		refused.Message = told(language, reason.Challenged.Person(language), refused.Reference)
	case language == "ja":
		refused.Message += reason.NextCode(language)
	default:
		refused.Message += " " + reason.NextCode(language)
	}
	return refused
}

// unmended is what no other code mends.
var unmended = []reason.Code{reason.MustChange, reason.PasswordExpired, reason.AccountShut}

// tidy takes out what people type into a code for reading.
func tidy(code []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Dash, r) || r == 'ー' {
			return -1
		}
		return r
	}, code)
}
