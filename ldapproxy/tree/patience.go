package tree

import (
	"time"

	"sekisho/ldapproxy/wire"
)

const (
	workCheck = 1000        // clauses and values between two looks at the clock
	hungUpAge = time.Second // whoever asks and closes at once still gets the answer that is made sooner
)

// patience is how long a search may take. What it does is counted by clauses
// and values, not by entries: a filter of many parts, or a group of many
// members, takes long over a single one. The zero patience never ends.
type patience struct {
	limit time.Duration // 0: none
	began time.Time
	now   func() time.Time
	gone  func() bool // the client is, or we are to be; nil: never
	work  int         // since the last look
	ended int         // the result code that the search ends with; 0: it goes on
}

// spend counts work, and reports whether the search has ended by it.
func (p *patience) spend(work int) bool {
	if p.work += work; p.work >= workCheck && p.now != nil && p.ended == 0 {
		p.work = 0
		age := p.now().Sub(p.began)
		switch {
		case p.limit > 0 && age > p.limit:
			p.ended = wire.ResultTimeLimitExceeded
		case age > hungUpAge && p.gone != nil && p.gone():
			p.ended = wire.ResultUnavailable
		}
	}
	return p.ended != 0
}
