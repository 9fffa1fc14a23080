package gate

import (
	"context"
	"errors"
	"fmt"

	"sekisho/internal/directory"
	"sekisho/policy"
)

// Prompt is what a door with pages has to ask a person for.
type Prompt struct {
	Zone     string // where the person is seen
	Inside   bool   // not off-campus: the pages say so
	Password bool
	Code     bool
}

// Prompt is what the pages have to ask r's user for, or without one the
// person whose ticket r presents. Whoever comes without a ticket of their own
// is asked for no less than somebody without any groups, so a stranger learns
// from it neither who there is nor whom the rules deny. Where the rules ask
// more of a group, here, than of others, a stranger learns of a name that
// somebody in such a group has it. Who presents their own ticket is asked for
// what is missing. The error means that nothing could be judged.
func (g *Gate) Prompt(ctx context.Context, r Request) (Prompt, error) {
	a, own, err := g.prompted(ctx, r)
	if err != nil {
		g.Metrics.Error(r.Door)
		return Prompt{}, fmt.Errorf("find out what to ask by %s: %w", r.Client, err)
	}
	return a.prompt(own), nil
}

// prompt is what has to be asked for. own tells that the ticket is the
// person's; else it is no less than for somebody without any groups.
func (a *attempt) prompt(own bool) Prompt {
	p := a.asks(a.decide())
	if own {
		return p
	}
	account := a.account
	a.account = nil
	other := a.asks(a.decide())
	a.account = account
	p.Password, p.Code = p.Password || other.Password, p.Code || other.Code
	return p
}

// prompted begins the attempt that a prompt is for. own tells that the ticket
// is the person's.
func (g *Gate) prompted(ctx context.Context, r Request) (a *attempt, own bool, err error) {
	if r.User == "" {
		a, h, err := g.present(ctx, r)
		if err != nil || h != nil {
			return a, true, err
		}
		return g.begin(r), false, nil
	}
	a = g.begin(r)
	if err := a.find(ctx); err != nil || a.account == nil {
		if errors.Is(err, directory.ErrName) {
			err = nil
		}
		return a, false, err
	}
	h, err := g.held(ctx, r)
	if err != nil || h == nil {
		return a, false, err
	}
	return a, a.lend(h), nil
}

// asks is what is asked for by this decision. Where nothing that could be
// typed would help it is what is asked for everywhere: the pages of somebody
// who is denied look like all others.
func (a *attempt) asks(d policy.Decision) Prompt {
	p := Prompt{Zone: a.zone.Name, Inside: a.zone.Name != policy.OffCampus}
	if d.Verdict == policy.Allow {
		return p
	}
	if need := a.provable(d.Need); need != nil {
		p.Password, p.Code = needs(need, policy.Password), needs(need, policy.OTP)
		return p
	}
	p.Password, p.Code = true, !p.Inside
	return p
}
