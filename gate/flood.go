package gate

import (
	"strconv"
	"sync"

	"sekisho/internal/recent"
)

const floodRate = 10 // refusals a second with a row each

// floods counts refusals by what they have in common. What comes faster than
// floodRate is booked as one row a minute, so that a flood fills neither the
// disk nor the book.
type floods struct {
	mu     sync.Mutex
	recent recent.Map[string, flow]
}

type flow struct {
	second int64
	n      int
}

// flood is the row that this refusal is counted into; "" books it on its own.
// Names that nobody has always share one for each reason: they are what floods
// are made of.
func (a *attempt) flood() string {
	if a.account == nil {
		return "unknown " + a.r.Door + " " + a.r.Client + " " + a.event.Reason
	}
	f := &a.gate.floods
	f.mu.Lock()
	defer f.mu.Unlock()
	person := "person " + strconv.FormatInt(a.account.ID, 10)
	tooFast := f.count(person, a.at.Unix())
	if a.source != "" && f.count("source "+a.source, a.at.Unix()) {
		return "source " + a.source
	}
	if tooFast {
		return person
	}
	return ""
}

func (f *floods) count(name string, second int64) (tooFast bool) {
	w, _ := f.recent.Get(name)
	if w.second != second {
		w = flow{second: second}
	}
	w.n++
	f.recent.Put(name, w)
	return w.n > floodRate
}

func offset(steps int) string {
	switch {
	case steps < 0:
		return "code of " + strconv.Itoa(-steps) + " steps ago"
	case steps > 0:
		return "code of " + strconv.Itoa(steps) + " steps ahead"
	}
	return "code of this step"
}
