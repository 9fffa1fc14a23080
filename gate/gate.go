// Package gate is where a person is admitted.
//
// One request, told: a door hands over a [Request]. The gate collects facts:
// who this is, from which zone, whether delayed, what a presented ticket
// lends. It asks the policy what is needed. It proves that: the code first,
// without consuming it, then the password, once. It asks the policy again
// with what was shown, and settles: in one transaction the code is burnt, the
// ticket put, the counters set and the decision booked. Only then is there an
// [Answer]. Where the code has a round of its own the gate first asks for it,
// and judges when the answer to that comes: see [Challenge].
//
// A refusal is an Answer. An error means that the gate could not judge, and
// that the next person could not be judged either: a door then says nothing
// that could be taken for a refusal.
package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"sekisho/internal/directory"
	"sekisho/internal/keyring"
	"sekisho/internal/metrics"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// Gate admits people. Its exported fields are set before Start and not
// changed afterwards.
type Gate struct {
	Store     *store.Store
	Directory directory.Directory
	Ring      *keyring.Ring
	Metrics   *metrics.Decisions // nil counts nothing
	Log       *slog.Logger
	Now       func() time.Time
	Steady    func() time.Duration // a clock that never jumps; nil: the machine's
	Language  string               // of what people are told: "en" or "ja"
	Window    int                  // steps a code may be early or late; 0: 1
	Throttle  Throttle

	// Watch is how often people of a directory behind are looked up again while
	// they are signed in; 0: never.
	Watch time.Duration

	rules    atomic.Pointer[rules]
	clock    clock
	throttle throttle
	floods   floods
	joins    joins
	after    afterwards
	agains   agains
	accepts  accepts
	tales    tales
	watch    watch
}

// rules are what a reload replaces, together.
type rules struct {
	policy *policy.Policy
	zones  *policy.Zones
}

// Start reads the throttle counters and the latest sign-ins, and looks at the
// clock. SetRules comes before it.
func (g *Gate) Start(ctx context.Context) error {
	if g.rules.Load() == nil {
		return errors.New("the gate has no rules")
	}
	g.clock.start(g.Now, g.Steady)
	if err := g.throttle.start(ctx, g); err != nil {
		return fmt.Errorf("read the throttle counters: %w", err)
	}
	if err := g.accepts.start(ctx, g); err != nil {
		return err
	}
	g.after.start(g)
	g.agains.start(g)
	g.watch.start(g)
	return nil
}

// Close ends the watch and what is judged after the answers, and writes what was only
// counted. The store is closed after it.
func (g *Gate) Close() {
	g.watch.close()
	g.after.close()
	g.agains.close()
}

// SetRules puts new rules in force; attempts under way end under the old.
func (g *Gate) SetRules(p *policy.Policy, z *policy.Zones) { g.rules.Store(&rules{p, z}) }

// Alive reports whether attempts can be settled at present.
func (g *Gate) Alive() bool { return g.Store.Alive() }

// Admit judges one attempt. The error means that it could not be judged.
func (g *Gate) Admit(ctx context.Context, r Request) (Answer, error) {
	a := g.begin(r)
	defer a.guess.giveBack()
	answer, err := a.judge(ctx)
	if err != nil {
		g.Metrics.Error(r.Door)
		return Answer{}, fmt.Errorf("judge a sign-in by %s: %w", r.Client, err)
	}
	g.Metrics.Count(r.Door, r.Service, answer.counts().String(), answer.Reason)
	return answer, nil
}

// Refuse books a request that the door could not let be judged, and words the
// refusal.
func (g *Gate) Refuse(ctx context.Context, r Request, why Fault) (Answer, error) {
	a := g.begin(r)
	if !reason.Valid(why) {
		why = reason.CannotJudge
	}
	answer, err := a.refuse(ctx, why)
	if err != nil {
		g.Metrics.Error(r.Door)
		return Answer{}, fmt.Errorf("book a refusal by %s: %w", r.Client, err)
	}
	g.Metrics.Count(r.Door, r.Service, answer.Outcome.String(), answer.Reason)
	return answer, nil
}

// judge walks the steps; each may end the attempt.
func (a *attempt) judge(ctx context.Context) (Answer, error) {
	release, err := a.gate.joins.enter(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	defer release()
	defer func() { a.asked.forget() }()
	why, err := a.facts(ctx)
	if why == "" && err == nil || errors.Is(err, directory.ErrName) { // or such a name would stand out
		if answer, ends, err := a.round(ctx); ends {
			return answer, err
		}
	}
	if why != "" || err != nil {
		return a.refuseOr(ctx, why, err)
	}
	if word, ok := a.word(); ok {
		return a.redeem(ctx, word)
	}
	if password, ok := a.appPassword(); ok {
		return a.byAppPassword(ctx, password)
	}
	decision := a.decide()
	switch decision.Verdict {
	case policy.Allow:
		if a.account.MustChange {
			_, a.proved = a.shown[policy.Password]
			return a.refuse(ctx, reason.MustChange)
		}
		return a.admit(ctx, decision, reason.Reused)
	case policy.Deny:
		return a.deny(ctx, denials[decision.Why])
	}
	need := a.provable(decision.Need)
	if need == nil {
		return a.deny(ctx, reason.NoMeans)
	}
	if !a.reserve() {
		return a.refuse(ctx, denials[a.decide().Why])
	}
	if why, err := a.prove(ctx, need, decision.Repeat); why != "" || err != nil {
		return a.refuseOr(ctx, why, err)
	}
	again := a.decide()
	if again.Verdict != policy.Allow {
		return a.refuse(ctx, reason.NoMeans)
	}
	why = reason.Admitted
	if a.repeat != nil {
		why = reason.Repeated
	}
	return a.admit(ctx, again, why)
}

// deny refuses before anything is proved. Where a name that nobody has would
// have its password looked at, that work is done in its place, and delayed as
// for such a name: else the time would tell who there is.
func (a *attempt) deny(ctx context.Context, why reason.Code) (Answer, error) {
	if badPassword(a.r.Password) != "" || !a.hashesStrangers() {
		return a.refuse(ctx, why)
	}
	account := a.account
	a.account = nil
	if a.reserve() {
		if account != nil {
			a.guess.net = "" // people who are denied are no spray
		}
		if _, err := a.password(ctx, a.r.Password); err != nil {
			return Answer{}, err
		}
	}
	a.account = account
	return a.refuse(ctx, why)
}

// hashesStrangers reports whether here, without a code, the password of a name
// that nobody has is looked at; or would be, were it in the right group.
func (a *attempt) hashesStrangers() bool {
	rules := a.rules.policy
	d := rules.Decide(policy.Attempt{Door: a.r.Door, Service: a.r.Service, Zone: a.zone.Name, At: a.at})
	if d.Verdict == policy.Deny {
		return rules.ServesPassword(a.r.Door, a.r.Service, a.zone.Name)
	}
	need := a.provable(d.Need)
	return need != nil && !needs(need, policy.OTP)
}

// refuseOr refuses, or passes on that nothing could be judged. What is personal
// is a refusal, too: else a name could make a NAS take the server for dead.
func (a *attempt) refuseOr(ctx context.Context, why reason.Code, err error) (Answer, error) {
	switch {
	case err == nil:
		return a.refuse(ctx, why)
	case personal(err):
		a.event.Detail = err.Error()
		return a.refuse(ctx, reason.CannotJudge)
	}
	return Answer{}, err
}

// personal tells what only this name or this record caused.
func personal(err error) bool {
	return errors.Is(err, directory.ErrName) || errors.Is(err, keyring.ErrSealed) || errors.Is(err, keyring.ErrUnknownKey)
}

var denials = map[policy.Why]reason.Code{
	policy.WhyNoRule:    reason.NoRule,
	policy.WhyDenied:    reason.RuleDenies,
	policy.WhyThrottled: reason.Throttled,
}

// counts is the outcome as the book has it: who is refused may be asked again.
func (a *Answer) counts() Outcome {
	if a.Outcome == Challenged && a.Reason != string(reason.Challenged) {
		return Refused
	}
	return a.Outcome
}

// String names the outcome as the book does.
func (o Outcome) String() string {
	switch o {
	case Challenged:
		return "challenged"
	case Admitted:
		return "admitted"
	}
	return "refused"
}
