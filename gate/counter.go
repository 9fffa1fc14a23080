package gate

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/store"
)

// place names one counter. A changed account starts afresh; other groups, which
// make no guess right, change nothing here.
type place struct {
	kind    byte // see the constants
	person  int64
	changed int64 // the generation of the last change of more than the groups
	where   string
}

const (
	atZone    = 'z' // person and zone, from sources new to the person
	atSource  = 's' // person and an address or browser where the person succeeded before
	ofCodes   = 'c' // person's unmatched codes from sources that are new, or shared
	ofNetwork = 'n' // a network's distinct people
)

// count is one counter.
type count struct {
	n      int
	inWork int // attempts that are not judged yet; each may become a failure
	since  time.Time
	last   time.Time
	people map[uint64]bool // ofNetwork: who failed, as keyed hashes
}

// network is the neighbourhood that is counted as one: /24, /64, or a device
// that only has a name. "" is unknown.
func (s Source) network() string {
	if !s.Addr.IsValid() {
		return s.key()
	}
	addr := s.Addr.Unmap().WithZone("")
	bits := 64
	if addr.Is4() {
		bits = 24
	}
	return netip.PrefixFrom(addr, bits).Masked().String()
}

func (c *count) row(p place) store.Counter {
	row := store.Counter{Name: p.String(), Count: c.n, Since: c.since, Last: c.last}
	for who := range c.people {
		row.Data = binary.BigEndian.AppendUint64(row.Data, who)
	}
	return row
}

func parsePeople(data []byte) map[uint64]bool {
	people := make(map[uint64]bool)
	for ; len(data) >= 8; data = data[8:] {
		people[binary.BigEndian.Uint64(data)] = true
	}
	return people
}

// String is the counter's name in the store.
func (p place) String() string {
	return string(p.kind) + " " + strconv.FormatInt(p.person, 10) + " " + strconv.FormatInt(p.changed, 10) + " " + p.where
}

func parsePlace(name string) (place, bool) {
	parts := strings.SplitN(name, " ", 4)
	if len(parts) != 4 || len(parts[0]) != 1 {
		return place{}, false
	}
	person, err1 := strconv.ParseInt(parts[1], 10, 64)
	changed, err2 := strconv.ParseInt(parts[2], 10, 64)
	return place{parts[0][0], person, changed, parts[3]}, err1 == nil && err2 == nil
}
