package ldapproxy

import (
	"net/netip"
	"sync"
	"time"

	"sekisho/internal/directory"
	"sekisho/internal/recent"
)

const (
	guessesAtOnce = 5                // wrong passwords of one account from one address
	guessEvery    = 10 * time.Second // one more, from then on
)

// guesses bound how often somebody guesses at the password of a service
// account, which the directory behind checks: it may lock the account, or let
// guess without end. A program that has the right password is never held up,
// however many binds it has under way; where both come from one address, for a
// few seconds.
type guesses struct {
	mu    sync.Mutex
	wrong recent.Map[guesser, guessed]
}

// guesser is whoever comes from one address for one account.
type guesser struct {
	account string
	from    netip.Addr
}

// guessed is what they have left. The zero value is nobody's.
type guessed struct {
	left  int
	since time.Time // left is of then
	under int       // are being judged
}

// enter reports whether one more may be tried. Then exit is to be called.
func (g *guesses) enter(who guesser, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	h, guesses := g.wrong.Get(who)
	if !guesses {
		return true
	}
	h.refill(now)
	switch {
	case h.left == guessesAtOnce && h.under == 0: // forgiven by time
		g.wrong.Delete(who)
		return true
	case h.under >= h.left:
		return false
	}
	h.under++
	g.wrong.Put(who, h)
	return true
}

// exit tells what one was that was let in. A right one forgives the others.
func (g *guesses) exit(who guesser, now time.Time, v directory.Verdict, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h, guesses := g.wrong.Get(who)
	switch {
	case err == nil && v == directory.Right:
		g.wrong.Delete(who)
		return
	case err != nil && !guesses:
		return
	case !guesses:
		h = guessed{left: guessesAtOnce, since: now}
	}
	h.refill(now)
	h.under = max(h.under-1, 0) // nobody counted those that came before the first wrong one
	if err == nil {
		h.left = max(h.left-1, 0)
	}
	g.wrong.Put(who, h)
}

func (h *guessed) refill(now time.Time) {
	if more := int(now.Sub(h.since) / guessEvery); more > 0 {
		h.left = min(h.left+more, guessesAtOnce)
		h.since = h.since.Add(time.Duration(more) * guessEvery)
	}
}
