package directory

import (
	"errors"
	"slices"
	"testing"
	"time"

	"sekisho/internal/store"
)

func (c *campus) since(name string, at time.Time) (*store.Account, error) {
	return c.FindSince(c.t.Context(), name, at)
}

func TestFindSinceBelievesNothingOlder(t *testing.T) {
	for _, cache := range []time.Duration{0, time.Minute} {
		c := newCampus(t)
		c.Cache = cache
		a := c.adopt("alice")
		c.later(time.Second)
		since := c.clock()
		c.person("alice", map[string][]string{"nsAccountLock": {"true"}, "memberOf": {"cn=board," + groups}})
		b, err := c.since("alice", since)
		if err != nil || !b.Disabled || b.ID != a.ID || b.DN != dnOf("alice") {
			t.Errorf("%+v, %v", b, err)
		}
		// Other groups are written, and what was found is believed by others, too.
		if row, err := c.Store.Account(t.Context(), "alice"); err != nil || !slices.Equal(row.Groups, []string{"board"}) {
			t.Errorf("%+v, %v", row, err)
		}
		for _, name := range []string{"alice", "bob"} { // who has a row, and who has none
			c.since(name, since)
			before := c.searches()
			if _, err := c.since(name, since); err != nil || cache > 0 && c.searches() != before {
				t.Errorf("%s: %v, %d searches more", name, err, c.searches()-before)
			}
		}
		if b := c.find("alice"); !b.Disabled {
			t.Errorf("%+v", b)
		}
		c.later(time.Second)
		c.server.Remove(dnOf("alice"))
		if _, err := c.since("alice", c.clock()); !errors.Is(err, ErrUnknown) {
			t.Error(err)
		}
	}
}

// Who was looked up lately can sign in all the same.
func TestFindSinceOfADirectoryThatIsAwayForgetsNobody(t *testing.T) {
	c := newCampus(t)
	c.adopt("alice")
	c.server.Stop()
	c.links.close()
	c.later(time.Second)
	if _, err := c.since("alice", c.clock()); err == nil || judged(err) {
		t.Error(err)
	}
	c.find("alice")
}

func TestFindSinceOfLocalPeople(t *testing.T) {
	p := newPlace(t)
	a, err := p.FindSince(t.Context(), "alice", begin)
	if err != nil || a.Name != "alice" {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := p.FindSince(t.Context(), "nobody", begin); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}
