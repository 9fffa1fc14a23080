package gate

import (
	"strconv"
	"sync"

	"sekisho/internal/reason"
	"sekisho/internal/recent"
	"sekisho/internal/store"
)

// How many refusals a second have a row each.
const (
	floodRate       = 10  // of one person, and of one source
	clientFloodRate = 100 // of one client, besides those that share a row already
)

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
// are made of. What only the holder of a password or a device can bring about
// always has its own: noise must not hide a thief.
func (a *attempt) flood() string {
	why := a.event.Reason
	if a.account == nil {
		return "unknown " + a.r.Door + " " + a.r.Client + " " + why
	}
	if a.proved || why == string(reason.CodeUsed) || why == string(reason.CodeStale) {
		return ""
	}
	f := &a.gate.floods
	f.mu.Lock()
	defer f.mu.Unlock()
	second := a.at.Unix()
	person, source, client := "person "+ownKey(a.account), "source "+a.source, "client "+a.r.Client
	tooFast := f.count(person, second, floodRate)
	switch {
	case a.source != "" && f.count(source, second, floodRate):
		return source + " " + why
	case tooFast:
		return person + " " + why
	case f.count(client, second, clientFloodRate):
		return client + " " + why
	}
	return ""
}

// ownKey tells a person from all others, whether or not they have a row.
func ownKey(a *store.Account) string {
	if a.ID == 0 {
		return a.Name
	}
	return strconv.FormatInt(a.ID, 10)
}

func (f *floods) count(name string, second int64, most int) (tooFast bool) {
	w, _ := f.recent.Get(name)
	if w.second != second {
		w = flow{second: second}
	}
	w.n++
	f.recent.Put(name, w)
	return w.n > most
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
