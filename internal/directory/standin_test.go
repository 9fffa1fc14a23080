package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/internal/store"
)

// add adds people with this hash.
func (p *place) add(prefix string, n int, hash string) {
	p.t.Helper()
	people := make([]store.Person, n)
	for i := range people {
		people[i] = store.Person{Name: fmt.Sprint(prefix, i), Hash: hash, Created: begin}
	}
	_, err := p.Store.AddPeople(p.t.Context(), people)
	p.must(err)
}

// started is a place that has read what strangers are judged by.
func started(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	p.Start()
	p.Local.Close()
	return p
}

// fast counts how many of a thousand names that nobody has are judged by an
// imported hash, which takes microseconds.
func (p *place) fast() int {
	n := 0
	for i := range 1000 {
		if strings.HasPrefix(p.standIn(fmt.Sprint("mallory", i)), "{SSHA}") {
			n++
		}
	}
	return n
}

// Whatever mixture was imported, unknown names are of the same: else the time
// of an answer would tell them from people.
func TestUnknownNamesCostWhatPeopleCost(t *testing.T) {
	p := newPlace(t)
	p.add("imported", 1000, ssha(right))
	p.add("ours", 1000, p.find("alice").Hash)
	if hash := p.standIn("mallory"); hash != "" {
		t.Errorf("%q stands in before any was read", hash)
	}
	p.Local.Close()
	if n := p.fast(); n < 300 || n > 700 {
		t.Errorf("%d of 1000 are as fast as half of the people", n)
	}
	if n := len(p.standIns.sample); n != standInSample {
		t.Errorf("a sample of %d", n)
	}
	for _, s := range p.standIns.sample {
		if s.hash == "" || strings.Contains(s.hash, "none") || strings.Contains(s.hash, "1048576") {
			t.Errorf("%q stands in", s.hash)
		}
	}
}

func TestUnknownNameMeetsTheSameHashEachTime(t *testing.T) {
	p := newPlace(t)
	p.add("imported", 100, ssha(right))
	p.add("ours", 100, p.find("alice").Hash)
	p.Start()
	p.Local.Close()
	before := make(map[string]string)
	for i := range 100 {
		name := fmt.Sprint("mallory", i)
		before[name] = p.standIn(name)
	}
	p.add("somebody", 1, ssha("new"))
	p.now = p.now.Add(2 * standInRest)
	p.standIn("mallory")
	p.Local.Close()
	moved := 0
	for name, hash := range before {
		if p.standIn(name) != hash {
			moved++
		}
	}
	if moved > 20 {
		t.Errorf("one person more moved %d of 100 names", moved)
	}
}

func TestSampleFollowsThePeople(t *testing.T) {
	p := newPlace(t)
	p.must(p.Store.ChangePerson(t.Context(), "imported", func(a *store.Person) error { a.Disabled = true; return nil }, store.Event{}))
	p.Start()
	p.Local.Close()
	if n := p.fast(); n != 0 {
		t.Errorf("%d of 1000 are judged by the hash of somebody disabled", n)
	}
	hashes := func() []string {
		p.Local.Close()
		var all []string
		for _, s := range p.standIns.sample {
			all = append(all, s.hash)
		}
		return all
	}
	p.add("second", 1, ssha("second"))
	look := func(after time.Duration, want bool) {
		t.Helper()
		p.now = p.now.Add(after)
		p.standIn("mallory")
		if got := slices.Contains(hashes(), ssha("second")); got != want {
			t.Errorf("after %v: %v, want %v", after, got, want)
		}
	}
	look(standInRest-1, false)
	look(1, true)
	// A renewed hash moves no epoch: it is seen when the sample is old.
	p.must(p.Store.RenewHash(t.Context(), "second0", ssha("second"), p.find("alice").Hash))
	look(standInAge-1, true)
	look(1, false)
}

func TestSampleThatCantBeRead(t *testing.T) {
	p := newPlace(t)
	p.must(p.Store.Close())
	p.Start()
	p.Local.Close()
	if hash := p.standIn("mallory"); hash != "" {
		t.Errorf("%q stands in", hash)
	}
	p.check(nobody("mallory"), right, false)
	p.Local.Close()
	if text := p.log.String(); strings.Count(text, "were sampled") != 1 {
		t.Errorf("logged %q", text)
	}
}

// Else whoever guessed an unknown name could try the passwords of whoever
// stands in for it.
func TestStandInsPasswordOpensNothing(t *testing.T) {
	p := started(t)
	for i := range 100 {
		p.check(nobody(fmt.Sprint("mallory", i)), right, false)
		p.check(nobody(fmt.Sprint("mallory", i)), right, false)
	}
}
