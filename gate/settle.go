package gate

import (
	"context"
	"errors"
	"strings"

	"sekisho/internal/otp"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// admit settles an admission. Only when it is durable is there an answer; if
// the code or the person's generation was lost meanwhile, it is a refusal. One
// that only came again may share what is durable already.
func (a *attempt) admit(ctx context.Context, d policy.Decision, why reason.Code) (Answer, error) {
	if lost, err := a.adopt(ctx); lost != "" || err != nil {
		return a.refuseOr(ctx, lost, err)
	}
	a.event.Outcome, a.event.Reason, a.event.Factors = Admitted.String(), string(why), policy.Need(d.Proves).String()
	if a.repeat != nil {
		a.event.Ticket = a.repeat.ID
	}
	counters, known, recurs := a.succeeded(), a.newlyKnown(), a.recurs(d)
	if a.app != nil { // each has a row of its own
		a.event.Detail = strings.TrimSpace("app password " + a.app.PublicID() + " " + a.event.Detail)
	}
	if recurs && len(counters) == 0 && len(known) == 0 {
		before, held, err := a.again(ctx)
		if err != nil {
			return Answer{}, err
		}
		if before != nil {
			a.forget()
			return a.welcome(before.settled.Reference, &held.Ticket, nil), nil
		}
	}
	a.event.Took = a.gate.Now().Sub(a.r.Came)
	spent, raced := reason.StateSpent, reason.CodeUsed
	if a.redeemed != nil {
		spent, raced = reason.WordUsed, reason.WordUsed
	}
	st := store.Settlement{
		Person: a.account.ID, Generation: a.account.Generation,
		Counters: counters, Known: known, Event: a.event, Spend: a.spend(),
		IfSpent: string(spent), IfRaced: string(raced), IfChanged: string(reason.Changed), IfLost: Refused.String(),
	}
	ticket, secret := a.repeat, []byte(nil)
	if ticket != nil {
		st.Repeat = &store.Repeat{Ticket: ticket.ID, Answers: a.answers}
	} else {
		issued, s := a.issue(d)
		ticket, secret, st.Ticket = issued, s[:], issued
		if a.match.Found == otp.Fresh {
			drift := a.device.row.Drift
			if a.device.token.Kind == otp.TOTP {
				drift = a.match.Offset
			}
			st.Burn = &store.Burn{Token: a.device.row.ID, Step: a.match.Step, Drift: drift}
		}
	}
	settled, err := a.gate.Store.Settle(ctx, st)
	if errors.Is(err, store.ErrRecord) {
		a.event.Detail = err.Error()
		return a.refuse(ctx, reason.CannotJudge)
	}
	if err != nil {
		return Answer{}, err
	}
	switch settled.Lost { // then the refusal is booked already
	case store.Spent:
		return a.answer(settled.Reference, spent), nil
	case store.Raced:
		return a.answer(settled.Reference, raced), nil
	case store.ChangedMeanwhile:
		return a.answer(settled.Reference, reason.Changed), nil
	}
	a.forget()
	if a.repeat == nil {
		ticket.ID = settled.Ticket
	}
	a.gate.agains.settled(a, ticket, settled, recurs)
	a.gate.accepts.settled(a, ticket.ID)
	return a.welcome(settled.Reference, ticket, secret), nil
}

// welcome is the answer to an admission.
func (a *attempt) welcome(reference string, ticket *store.Ticket, secret []byte) Answer {
	return Answer{
		Outcome: Admitted, Reason: a.event.Reason, Rule: a.event.Rule, Reference: reference, Person: personOf(a.account),
		Ticket: a.gate.handOver(ticket.ID, ticket, a.r.Client, secret),
	}
}

// refuse books the refusal and words it.
func (a *attempt) refuse(ctx context.Context, why reason.Code) (Answer, error) {
	var counters []store.Counter
	if a.wrong != nothingWrong {
		counters = a.failed()
	}
	a.event.Outcome, a.event.Reason = Refused.String(), string(why)
	a.event.Took = a.gate.Now().Sub(a.r.Came)
	if a.match.Found == otp.Used || a.match.Found == otp.Near {
		a.event.Detail = strings.TrimSpace(a.event.Detail + " " + offset(a.match.Offset))
	}
	spend := a.asked.spend()
	if a.throttled { // nothing was judged, so a flood need not fill the store either
		spend = nil
	}
	settled, err := a.gate.Store.Settle(ctx, store.Settlement{Event: a.event, Counters: counters, Flood: a.flood(), Spend: spend})
	if err != nil {
		return Answer{}, err
	}
	return a.answer(settled.Reference, why), nil
}

// answer words a refusal. What was wrong is told only to somebody who showed
// the password and the device; all others get the same sentence.
func (a *attempt) answer(reference string, why reason.Code) Answer {
	language := a.language()
	text := why.Person(language)
	if a.proved {
		text = why.Proven(language, a.wait())
	}
	return a.askAgain(Answer{
		Outcome: Refused, Reason: string(why), Rule: a.event.Rule, Reference: reference, Message: told(language, text, reference),
		// A refusal without hashing must not stand out by being early when
		// those with hashing are late.
		Ready: a.r.Came.Add(a.gate.Directory.Backlog()),
	}, why)
}

// spend is what this attempt shows that may be shown once: the State it
// answers, or a word. A repeat shows it again.
func (a *attempt) spend() *store.Spend {
	switch {
	case a.repeat != nil:
		return nil
	case a.redeemed != nil:
		return &store.Spend{Key: a.redeemed.Hash, Until: a.redeemed.Until.Add(apart)}
	}
	return a.asked.spend()
}

func told(language, text, reference string) string {
	if language == "ja" {
		return text + "（照会番号 " + reference + "）"
	}
	return text + " Reference: " + reference
}
