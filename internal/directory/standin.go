package directory

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"sekisho/internal/passwd"
	"sekisho/internal/store"
)

const (
	standInSample = 256
	standInRest   = time.Minute // before they are read again where people have changed
	standInAge    = time.Hour   // and where they have not: hashes are renewed
	readingRest   = 50          // times as long as a reading took, before the next
)

// standIns are hashes of people of this store. A name that nobody has is
// judged in the place of one of them, so that it takes as long as a name that
// somebody has, whatever mixture of hashes was imported. By a key of this
// process a name always meets the same hash, as a person's would, and a
// person's coming or going moves few others.
type standIns struct {
	mu      sync.Mutex
	sample  []standIn // in the order of place
	epoch   uint64    // of the store when it was read
	at      time.Time // when its reading began; zero: never
	next    time.Time // not read again before
	reading bool
}

type standIn struct {
	rank  uint64 // the lowest ranks are the sample
	place uint64 // stands in for names from the place before up to this one
	hash  string
}

// Start begins to read the hashes that strangers are judged by. Until it is
// done, or without it until the first stranger came, they cost a new hash.
func (l *Local) Start() { l.standIn("") }

// standIn is the hash that a name is judged by which nobody can sign in with;
// "" where there is none to choose from.
func (l *Local) standIn(name string) string {
	s := &l.standIns
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := l.Now(); !s.reading && !now.Before(s.next) && (s.epoch != l.Store.Epoch() || now.Sub(s.at) >= standInAge) {
		s.reading, s.at = true, now
		l.behind.Go(l.renewStandIns)
	}
	if len(s.sample) == 0 {
		return ""
	}
	_, place := l.ranked([]byte(name))
	i, _ := slices.BinarySearchFunc(s.sample, place, func(s standIn, p uint64) int { return cmp.Compare(s.place, p) })
	return s.sample[i%len(s.sample)].hash
}

func (l *Local) renewStandIns() {
	began := l.Now()
	sample, epoch, err := l.readStandIns()
	if err != nil {
		l.Log.Warn("no password hashes were sampled; unknown names may be answered sooner or later than people", "error", err)
	}
	now := l.Now()
	s := &l.standIns
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading, s.next = false, now.Add(max(standInRest, readingRest*now.Sub(began)))
	if err == nil {
		s.sample, s.epoch = sample, epoch
	}
}

func (l *Local) readStandIns() (sample []standIn, epoch uint64, err error) {
	epoch = l.Store.Epoch() // first: what changes meanwhile is read again
	err = l.Store.People(context.Background(), "", func(p store.Person) error {
		if p.Hash == "" || p.Disabled {
			return nil
		}
		rank, place := l.ranked(binary.BigEndian.AppendUint64(nil, uint64(p.ID)))
		i, _ := slices.BinarySearchFunc(sample, rank, func(s standIn, r uint64) int { return cmp.Compare(s.rank, r) })
		if i == standInSample {
			return nil
		}
		if _, err := passwd.Parse(p.Hash); err != nil {
			return nil // this person is judged by a stand-in, too
		}
		sample = slices.Insert(sample, i, standIn{rank, place, p.Hash})
		sample = sample[:min(len(sample), standInSample)]
		return nil
	})
	slices.SortFunc(sample, func(a, b standIn) int { return cmp.Compare(a.place, b.place) })
	return sample, epoch, err
}

// ranked draws two numbers for a person or a name.
func (l *Local) ranked(who []byte) (rank, place uint64) {
	sum := l.sum([]byte("stand-in"), who)
	return binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])
}
