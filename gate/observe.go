package gate

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"sekisho/internal/directory"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// What the book's row of an observation begins with: what really happened.
const (
	ObservedPassed  = "passed by the directory behind"
	observedRefused = "refused by the directory behind"
	observedKept    = "not shown to the directory behind"
	observedCode    = " and a code behind the password"
)

// Observe tells and books what [Gate.Admit] would have said, and changes
// nothing: no code is burnt, no guess counted, no ticket given. Delays are left
// out of it. The directory behind decides: r.Verify is called once, with the
// password as it was typed, whole, whatever else fails. Only what was made here
// in place of a password is not shown to it; then there is no verdict, and the
// door has to refuse. The error means that nothing could be judged or booked;
// unless it is Verify's own, Verify's verdict stands.
//
// The answer is Admitted or Refused, with a Reason but no ticket. Where a code
// of the person stands behind the password nobody can say whether what stands
// before it is right: the reason is [reason.CannotJudge] then.
func (g *Gate) Observe(ctx context.Context, r Request) (Answer, error) {
	a := g.begin(r)
	why, err := a.observe(ctx)
	if personal(err) {
		why, err = reason.CannotJudge, nil
	}
	var settled store.Settled
	if err == nil {
		a.event.Outcome, a.event.Reason = "observed", string(why)
		a.event.Took = g.Now().Sub(a.r.Came)
		settled, err = g.Store.Settle(ctx, store.Settlement{Event: a.event, Flood: a.observation()})
	}
	if err != nil {
		g.Metrics.Error(r.Door)
		return Answer{}, fmt.Errorf("observe a sign-in by %s: %w", r.Client, err)
	}
	g.Metrics.Count(r.Door, r.Service, a.event.Outcome, a.event.Reason)
	answer := Answer{Reason: a.event.Reason, Rule: a.event.Rule, Reference: settled.Reference}
	if a.account != nil {
		answer.Person = personOf(a.account)
	}
	if why == reason.Admitted {
		answer.Outcome = Admitted
	}
	return answer, nil
}

// observe has the directory behind decide, and finds out what would have been
// decided here.
func (a *attempt) observe(ctx context.Context) (reason.Code, error) {
	why, err := a.facts(ctx)
	if a.takesMade() && a.isMade(a.r.Password) {
		a.event.Detail = observedKept
		if why != "" || err != nil {
			return why, err
		}
		return a.wouldTake(), nil
	}
	dn := ""
	if a.account != nil {
		dn = a.account.DN
	}
	verdict, failed := a.r.Verify(ctx, dn, a.r.Password)
	if failed != nil {
		return "", failed
	}
	a.event.Detail = observedRefused
	if verdict == directory.Right {
		a.event.Detail = ObservedPassed
	}
	if why != "" || err != nil {
		return why, err
	}
	return a.wouldBe(ctx, verdict)
}

// wouldBe is how judge would have ended.
func (a *attempt) wouldBe(ctx context.Context, verdict directory.Verdict) (reason.Code, error) {
	d := a.decide()
	if d.Verdict == policy.Deny {
		return denials[d.Why], nil
	}
	need := a.provable(d.Need)
	if need == nil {
		return reason.NoMeans, nil
	}
	if why := badPassword(a.r.Password); why != "" {
		return why, nil
	}
	password, why, err := a.code(ctx, needs(need, policy.OTP), d.Repeat)
	switch {
	case why != "" || err != nil:
		return why, err
	case len(password) == 0:
		return reason.EmptyPassword, nil
	case !bytes.Equal(password, a.r.Password):
		a.event.Detail += observedCode
		return reason.CannotJudge, nil
	case a.account == nil:
		return reason.UnknownUser, nil
	case a.account.Disabled:
		return reason.Disabled, nil
	case verdict == directory.Right:
		a.event.Factors = string(policy.Password)
		return reason.Admitted, nil
	case verdict == directory.Wrong:
		return reason.WrongPassword, nil
	}
	return useless(verdict), nil
}

// wouldTake is what would have become of what was made here.
func (a *attempt) wouldTake() reason.Code {
	text, ok := a.appPassword()
	if !ok {
		return reason.CannotJudge // a word, that is good once
	}
	if _, why := a.showAppPassword(text); why != "" {
		return why
	}
	a.event.Factors = string(policy.AppPassword)
	return reason.Admitted
}

// observation is the row that this one is counted into: programs bind many
// times a second, and most of it is the same as a moment ago.
func (a *attempt) observation() string {
	person, from := "", "" // whoever types names that nobody has shares one row
	if a.account != nil {
		person, from = ownKey(a.account), a.r.Source.network()
	}
	e := &a.event
	return strings.Join([]string{"observed", e.Client, e.Service, from, e.Rule, e.Reason, e.Detail, person}, " ")
}
