package main

import (
	"fmt"
	"time"
)

// Round is what one contestant did in one round.
type Round struct {
	*Tally
	CPU time.Duration // of the server, with what it left for later; a thousand answers
}

// entrant is a contestant in one contest.
type entrant struct {
	*peer
	load loader                // built before the time starts, for codes of that time
	talk talker                // in its place, over TCP
	anew func() (*peer, error) // not nil: a fresh peer each round
	fits func(t *Tally) error  // nil: no answer may be a refusal
	warm func(p *peer) error   // nil: not
}

// talker builds a load over TCP.
type talker func(at time.Time) *Talk

// work is a load that is ready to run.
type work interface{ Run() (*Tally, error) }

// ready builds an entrant's load for a time.
func (e *entrant) ready(at time.Time) work {
	if e.talk != nil {
		t := e.talk(at)
		t.To = e.to
		return t
	}
	l := e.load(at)
	l.To = e.to
	return l
}

// contest has the entrants do the same work, one after the other, in several
// rounds: what the machine does besides then falls on all alike.
type contest struct {
	name     string
	note     string
	entrants []*entrant
	atStep   bool // each round at the start of a new step of the codes
}

const (
	step    = 30 * time.Second
	inStep  = 100 * time.Millisecond // into it, so that no clock is before it
	buildIn = 4 * time.Second
)

// nextStep is when the next step begins before which there is time to build a
// load.
func nextStep() time.Time { return time.Now().Add(buildIn).Truncate(step).Add(step) }

// hold runs the contest.
func (b *Bench) hold(c contest) (*Standing, error) {
	s := &Standing{Name: c.name, Note: c.note}
	for _, e := range c.entrants {
		s.Contestants = append(s.Contestants, &Contestant{})
		if e.warm != nil {
			if err := e.warm(e.peer); err != nil {
				return nil, fmt.Errorf("%s: warm up %s: %w", c.name, e.name, err)
			}
		}
	}
	for i := range b.rounds {
		for _, e := range c.entrants {
			if e.anew == nil {
				continue
			}
			if e.peer != nil {
				e.stop()
			}
			p, err := e.anew()
			if err != nil {
				return nil, err
			}
			e.peer = p
		}
		if err := b.ctx.Err(); err != nil {
			return nil, err
		}
		at := time.Now()
		if c.atStep {
			at = nextStep()
		}
		loads := make([]work, len(c.entrants))
		for k, e := range c.entrants {
			loads[k] = e.ready(at)
		}
		if c.atStep {
			time.Sleep(time.Until(at.Add(inStep)))
		}
		for k, e := range c.entrants {
			r, err := e.round(loads[k])
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", c.name, e.name, err)
			}
			b.say("%-16s round %d  %-12s %9.0f/s  %6.1f ms/1000  %d lost", c.name, i+1, e.name, r.Rate(), ms(r.CPU), r.Lost)
			if tail := e.tail(); r.Lost > 0 && len(tail) > 0 {
				b.say("%s", tail)
			}
			x := s.Contestants[k]
			x.Name, x.Rounds = e.name, append(x.Rounds, r)
			_, peak := e.memory()
			x.Peak = max(x.Peak, peak)
		}
	}
	return s, nil
}

func (e *entrant) round(l work) (Round, error) {
	before := e.cpu()
	t, err := l.Run()
	if err != nil {
		return Round{}, err
	}
	e.rest()
	r := Round{Tally: t}
	if n := t.Answered(); n > 0 {
		r.CPU = (e.cpu() - before) * 1000 / time.Duration(n)
	}
	if t.Forged > 0 {
		return r, fmt.Errorf("%d replies are not authentic", t.Forged)
	}
	if e.fits != nil {
		return r, e.fits(t)
	}
	if t.Refused > 0 {
		return r, fmt.Errorf("%d of %d were refused", t.Refused, t.Answered())
	}
	return r, nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
