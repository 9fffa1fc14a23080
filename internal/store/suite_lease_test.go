package store

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func prefixes(text string) (pool []netip.Prefix) {
	for _, p := range strings.Fields(text) {
		pool = append(pool, netip.MustParsePrefix(p))
	}
	return pool
}

// leased gives an address for an hour.
func leased(t testing.TB, s *Store, ticket int64, pool string, now time.Time) string {
	t.Helper()
	a, err := s.Lease(ctx, "vpn1", ticket, prefixes(pool), now, now.Add(time.Hour))
	must(t, err)
	return a.String()
}

func noLease(t testing.TB, s *Store, ticket int64, pool string, now time.Time) {
	t.Helper()
	a, err := s.Lease(ctx, "vpn1", ticket, prefixes(pool), now, now.Add(time.Hour))
	wants(t, err, ErrUnknown)
	equal(t, "address", a, netip.Addr{})
}

func testLease(t *testing.T, s *Store) {
	const pool = "10.8.0.0/29"
	for i, want := range []string{"10.8.0.2", "10.8.0.3", "10.8.0.4", "10.8.0.5", "10.8.0.6"} {
		for range 2 { // the same one for the same ticket
			equal(t, fmt.Sprint("ticket ", i+1), leased(t, s, int64(i+1), pool, noon), want)
		}
		client, ticket, err := s.LeaseOf(ctx, netip.MustParseAddr("::ffff:"+want), noon.Add(time.Hour-1*time.Second))
		must(t, err)
		equal(t, "client", client, "vpn1")
		equal(t, "ticket", ticket, int64(i+1))
		wants(t, third(s.LeaseOf(ctx, netip.MustParseAddr(want), noon.Add(time.Hour))), ErrUnknown)
	}
	noLease(t, s, 9, pool, noon)
	wants(t, third(s.LeaseOf(ctx, netip.MustParseAddr("10.8.0.7"), noon)), ErrUnknown)
	wants(t, third(s.LeaseOf(ctx, netip.Addr{}, noon)), ErrUnknown)

	// Asked again, it is kept for longer.
	equal(t, "again", leased(t, s, 1, pool, noon.Add(30*time.Minute)), "10.8.0.2")
	equal(t, "that ran out first", leased(t, s, 9, pool, noon.Add(time.Hour)), "10.8.0.3")
	equal(t, "from a second pool", leased(t, s, 10, "10.8.0.2/32 10.9.0.0/30", noon), "10.9.0.2")
	equal(t, "that is of another pool", leased(t, s, 10, "10.10.0.0/24", noon), "10.10.0.2")

	a, err := s.Lease(ctx, "vpn2", 1, prefixes("10.10.0.0/24"), noon, noon.Add(time.Hour))
	must(t, err)
	equal(t, "of another client", a.String(), "10.10.0.3")
}

// Neither the network nor its NAS nor the broadcast address.
func testLeasePools(t *testing.T, s *Store) {
	for i, c := range []struct{ pool, first, last string }{
		{"10.1.0.0/30", "10.1.0.2", "10.1.0.2"},
		{"10.2.0.77/29", "10.2.0.74", "10.2.0.78"},
		{"10.3.0.0/16", "10.3.0.2", "10.3.255.254"},
		{"11.0.0.0/8", "11.0.0.2", "11.0.255.255"},
		{"2001:db8:0:1::/64", "2001:db8:0:1::2", "2001:db8:0:1::ffff"},
		{"2001:db8:0:2::/126", "2001:db8:0:2::2", "2001:db8:0:2::3"},
		{"255.255.255.252/30", "255.255.255.254", "255.255.255.254"},
	} {
		ticket := int64(10*i + 10)
		equal(t, "first of "+c.pool, leased(t, s, ticket, c.pool, noon), c.first)
		if c.first != c.last {
			last := netip.MustParseAddr(c.last)
			must(t, s.change(ctx, func(conn *conn) error {
				return lease{client: "vpn1", ticket: ticket + 1, until: noon.Add(time.Minute)}.put(conn, last.Prev(), ticket+1, noon.Add(time.Minute))
			}))
			equal(t, "last of "+c.pool, leased(t, s, ticket+2, c.pool, noon), c.last)
		}
		noLease(t, s, ticket+3, c.pool, noon)
	}
	for _, pool := range []string{"", "10.4.0.0/31", "10.4.0.0/32", "2001:db8::/127", "2001:db8::/128"} {
		noLease(t, s, 5, pool, noon)
	}
	_, err := s.Lease(ctx, "vpn1", 5, []netip.Prefix{{}}, noon, noon)
	wants(t, err, ErrUnknown)
}

// An address goes to the next person as late as can be.
func testLeaseGoesRound(t *testing.T, s *Store) {
	const pool = "10.8.0.0/29"
	a := enrolled(t, s, "alice")
	tickets := make([]int64, 5)
	for i := range tickets {
		tickets[i] = put(t, s, a, "vpn", func(*Ticket) {})
	}
	for _, id := range tickets[:3] {
		leased(t, s, id, pool, noon)
	}
	for _, i := range []int{1, 0} { // 10.8.0.3, then 10.8.0.2 are given back
		must(t, s.EndTicket(ctx, tickets[i], noon.Add(time.Duration(5-i)*time.Minute), Event{At: noon}))
	}
	now := noon.Add(10 * time.Minute)
	for i, want := range []string{"10.8.0.5", "10.8.0.6", "10.8.0.3", "10.8.0.2"} {
		equal(t, fmt.Sprint("lease ", i), leased(t, s, int64(1000+i), pool, now), want)
	}
	noLease(t, s, 2000, pool, now)
}

// An address is given back when the ticket ended and nobody is there any
// more, whichever comes first.
func testLeaseEnds(t *testing.T, s *Store) {
	a := enrolled(t, s, "alice")
	const pool = "10.8.0.0/24"
	of := func(what string, addr string, want bool) {
		t.Helper()
		_, _, err := s.LeaseOf(ctx, netip.MustParseAddr(addr), noon.Add(time.Minute))
		equal(t, what, err == nil, want)
	}
	revoke := func(id int64) { must(t, s.EndTicket(ctx, id, noon, Event{At: noon})) }
	begin := func(k SessionKey) (int64, string) {
		web := put(t, s, a, "web", func(*Ticket) {})
		vpn := put(t, s, a, "vpn", resting(web)) // by a word
		addr := leased(t, s, vpn, pool, noon)
		tell(t, s, k, func(c *SessionChange) { having(vpn)(c); at(addr)(c) })
		return web, addr
	}

	web, addr := begin(key("revoked first"))
	revoke(web)
	of("revoked, but there", addr, true)
	tell(t, s, key("revoked first"), func(c *SessionChange) { c.Session.Stopped = noon })
	of("revoked and stopped", addr, false)

	web, addr = begin(key("stopped first"))
	tell(t, s, key("stopped first"), func(c *SessionChange) { c.Session.Stopped = noon })
	of("stopped, but not revoked", addr, true)
	revoke(web)
	of("stopped and revoked", addr, false)

	_, addr = begin(key("at once"))
	tell(t, s, key("at once"), stop)
	of("at once", addr, false)

	_, addr = begin(SessionKey{"vpn1", "nas2", "with the NAS"})
	must(t, second(s.EndSessions(ctx, "vpn1", "nas2", noon, "", Event{At: noon})))
	of("with the NAS", addr, false)
}

// Whom a session still shows on an address keeps it, whatever the lease says;
// the address comes again.
func testLeaseOfAnAddressInUse(t *testing.T, s *Store) {
	for family, c := range map[string]struct{ pool, first, second string }{
		"4": {"10.8.0.0/29", "10.8.0.2", "10.8.0.3"},
		"6": {"2001:db8::/125", "2001:db8::2", "2001:db8::3"},
	} {
		on := func(addr string) func(*SessionChange) {
			if family == "6" {
				addr += "/128"
			}
			return at(addr)
		}
		squatter := key("squatter " + family)
		tell(t, s, squatter, on(c.first)) // its NAS gave it by itself
		equal(t, "beside it", leased(t, s, 1, c.pool, noon), c.second)
		wants(t, third(s.LeaseOf(ctx, netip.MustParseAddr(c.first), noon)), ErrUnknown)
		tell(t, s, key("one "+family), func(change *SessionChange) { having(1)(change); on(c.second)(change) })

		later := noon.Add(2 * time.Hour) // the lease is over, its session is not
		for i := range 20 {
			a, err := s.Lease(ctx, "vpn1", int64(10+i), prefixes(c.pool), later, later.Add(time.Hour))
			if err != nil {
				wants(t, err, ErrUnknown)
				break
			}
			if got := a.String(); got == c.first || got == c.second {
				t.Errorf("%s was given away under a session", got)
			}
		}
		equal(t, "its own again", leased(t, s, 1, c.pool, later), c.second)
		tell(t, s, squatter, stop)
		equal(t, "after the squatter", leased(t, s, 99, c.pool, later), c.first)
	}
}

// A full pool of 65,536 addresses is as quick as a small one.
func testLeaseOfALargePool(t *testing.T, s *Store) {
	must(t, s.change(ctx, func(c *conn) error {
		return second(c.exec(`WITH RECURSIVE n(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < 65534)
			INSERT INTO lease SELECT unhex(printf('0a08%04x', n)), 'vpn1', n, ?1 + (n < 300), 0 FROM n`, micro(noon.Add(time.Hour))-1))
	}))
	noLease(t, s, 1, "10.8.0.0/16", noon)
	equal(t, "own", leased(t, s, 20000, "10.8.0.0/16", noon), "10.8.78.32")
	now := noon.Add(time.Hour)
	equal(t, "the oldest", leased(t, s, 70000, "10.8.0.0/16", now), "10.8.1.44")
}

// The client keeps to what we give, or does not.
func testWhatBecomesOfALease(t *testing.T, s *Store) {
	alice, bob := enrolled(t, s, "alice"), enrolled(t, s, "bob")
	a, b := put(t, s, alice, "a", func(*Ticket) {}), put(t, s, bob, "b", func(*Ticket) {})
	first := netip.MustParseAddr(leased(t, s, a, "10.8.0.0/24", noon))
	second := leased(t, s, b, "10.8.0.0/24", noon)
	place := func(what, want string) {
		t.Helper()
		p, err := s.PlaceOf(ctx, first, noon)
		must(t, err)
		equal(t, what, fmt.Sprintf("%v keeps %v strays %v nameless %v waiting %v", p.Ticket == a && p.Person == alice.ID && p.Leased && p.Client == "vpn1",
			p.Keeps, p.Strays, !p.Nameless.IsZero(), !p.Waiting.IsZero()), want)
	}
	place("given", "true keeps false strays false nameless false waiting false")
	tell(t, s, key("bob"), of(bob.ID, b, 1))
	place("bob is somewhere", "true keeps false strays false nameless false waiting true")
	tell(t, s, SessionKey{"vpn2", "nas1", "elsewhere"}, of(bob.ID, b, 1, at("10.8.0.99")))
	tell(t, s, key("bob"), at(second))
	place("bob is where he should be", "true keeps true strays false nameless false waiting false")
	tell(t, s, key("bob"), at("10.8.0.99"))
	place("bob is elsewhere", "true keeps false strays true nameless false waiting false")
	tell(t, s, key("bob"), at(second))
	place("bob is back", "true keeps true strays false nameless false waiting false")
	tell(t, s, key("carol"), of(9, 0, 1, at(second)))
	place("carol is on bob's", "true keeps true strays true nameless false waiting false")
	tell(t, s, key("carol"), stop)
	place("carol is gone", "true keeps true strays false nameless false waiting false")
	tell(t, s, key("bob"), func(c *SessionChange) {
		c.Session.Address4, c.Session.Address6 = netip.Addr{}, netip.MustParsePrefix("2001:db8:0:8::/63") // counts as not told
	})
	place("bob is somewhere again", "true keeps false strays false nameless false waiting true")
	tell(t, s, key("bob"), func(c *SessionChange) { c.Session.Address6 = netip.Prefix{}; at(second)(c) })
	tell(t, s, key("dave"), of(8, 0, 1))
	place("dave has none", "true keeps true strays false nameless true waiting false")
}

// Where no session is heard of, an address soon is free again. Nobody has more
// than a few of those.
func testLeasesOfOnePerson(t *testing.T, s *Store) {
	const pool = "10.8.0.0/29"
	a := enrolled(t, s, "alice")
	ticket := func(name string) int64 { return put(t, s, a, name, func(k *Ticket) { k.Until = noon.Add(time.Hour) }) }
	brief := func(ticket int64, minutes int) string {
		now := noon.Add(time.Duration(minutes) * time.Minute)
		addr, err := s.Lease(ctx, "vpn1", ticket, prefixes(pool), now, now.Add(5*time.Minute))
		must(t, err)
		return addr.String()
	}
	used := ticket("used")
	equal(t, "used", brief(used, 0), "10.8.0.2")
	tell(t, s, key("used"), having(used))
	for i, want := range []string{"10.8.0.3", "10.8.0.4", "10.8.0.5", "10.8.0.3", "10.8.0.4", "10.8.0.5"} {
		equal(t, fmt.Sprint("lease ", i), brief(ticket(fmt.Sprint("unused ", i)), i/3), want)
	}
	until := func(addr string) (minutes int) {
		for ; ; minutes++ {
			if third(s.LeaseOf(ctx, netip.MustParseAddr(addr), noon.Add(time.Duration(minutes)*time.Minute))) != nil {
				return minutes
			}
		}
	}
	equal(t, "used until", until("10.8.0.2"), 60)
	equal(t, "used, asked again", brief(used, 1), "10.8.0.2")
	equal(t, "used until, still", until("10.8.0.2"), 60)
	equal(t, "unused until", until("10.8.0.3"), 6)
	must(t, s.EndTicket(ctx, used, noon, Event{At: noon}))
	tell(t, s, key("used"), func(c *SessionChange) { c.Session.Stopped = noon })
	equal(t, "over", until("10.8.0.2"), 0)
	tell(t, s, key("late"), having(used))
	equal(t, "a record of a ticket that has ended", until("10.8.0.2"), 0)
}
