package store

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const benchPeople = 2000

func benchStore(b *testing.B, o Options) *Store {
	b.Helper()
	s := openFile(b, filepath.Join(b.TempDir(), "sekisho.db"), o)
	people := make([]Person, benchPeople)
	for i := range people {
		people[i] = Person{Name: fmt.Sprint("u", i), Hash: "h", Created: noon}
	}
	ids, err := s.AddPeople(ctx, people)
	must(b, err)
	must(b, s.change(ctx, func(c *conn) error {
		for i, id := range ids {
			_, err := c.exec("INSERT INTO token VALUES (?1, ?2, 'totp', '', 6, 30, 'SHA1', ?3, 1, 0)", int64(i+1), id, make([]byte, 49))
			if err == nil {
				_, err = c.exec("INSERT INTO burnt VALUES (?1, -1, 0, 0)", int64(i+1))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
	return s
}

// BenchmarkSettle is one admission: the account, the code, the ticket and the
// event, durable.
func BenchmarkSettle(b *testing.B) {
	for _, callers := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			s := benchStore(b, Options{Exclusive: true})
			var next atomic.Int64
			var group sync.WaitGroup
			b.ResetTimer()
			for range callers {
				group.Go(func() {
					for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
						a, err := s.Account(ctx, fmt.Sprint("u", n%benchPeople))
						if err != nil {
							b.Error(err)
							return
						}
						done, err := s.Settle(ctx, admission(a, n))
						if err != nil || done.Lost != NotLost {
							b.Errorf("settled %+v, %v", done, err)
							return
						}
					}
				})
			}
			group.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "settlements/s")
		})
	}
}

// BenchmarkHeld is a ticket presented again, with what it rests on.
func BenchmarkHeld(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			s := benchStore(b, Options{})
			a, err := s.Account(ctx, "u1")
			must(b, err)
			st := admission(&Account{Person: a.Person, Tokens: a.Tokens}, 1)
			st.Burn = nil
			st.Ticket.Parent = settle(b, s, st).Ticket
			id := settle(b, s, st).Ticket
			held(b, s, id)
			b.ReportAllocs()
			b.SetParallelism(callers)
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				for at := noon; p.Next(); at = at.Add(time.Microsecond) {
					h, err := s.Held(ctx, id)
					if err != nil || !h.Live(noon) {
						b.Errorf("held %+v, %v", h, err)
						return
					}
					s.Use(h, at)
				}
			})
		})
	}
}

func BenchmarkAccountUncached(b *testing.B) {
	s := benchStore(b, Options{Accounts: -1})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := s.Account(ctx, fmt.Sprint("u", i%benchPeople)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkChangeSession is one accounting record, durable: a Start, three
// Interim-Updates and a Stop that ends the ticket and is booked, in turn.
func BenchmarkChangeSession(b *testing.B) {
	for _, callers := range []int{1, 128} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			s := benchStore(b, Options{Exclusive: true})
			var next atomic.Int64
			var group sync.WaitGroup
			b.ResetTimer()
			for caller := range callers {
				group.Go(func() {
					for n := int64(0); next.Add(1) <= int64(b.N); n++ {
						if err := benchRecord(s, caller, n); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func benchRecord(s *Store, caller int, n int64) error {
	at := noon.Add(time.Duration(n) * time.Millisecond)
	address4 := netip.AddrFrom4([4]byte{10, 8, byte(caller), byte(n / 5)})
	address6 := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 6: byte(caller), 7: byte(n / 5)})
	key := SessionKey{Client: "vpn1", NAS: "nas1", Name: fmt.Sprint(caller, "-", n/5)}
	return s.ChangeSession(ctx, key, func(now Session) SessionChange {
		now.User, now.Person, now.Ticket, now.Station = "alice", 1, n/5+1, "203.0.113.7"
		now.Event, now.Seen, now.Named, now.Interval = at, at, at, time.Minute
		now.Lasted, now.Input, now.Output = time.Duration(n)*time.Second, uint64(n), uint64(n)
		now.Address4, now.Address6 = address4, netip.PrefixFrom(address6, 64)
		change := SessionChange{Session: now, Claims: true}
		if n%5 == 0 || n%5 == 4 {
			change.Events = []Event{{At: at, Door: "radius", Client: "vpn1", Name: "alice", Person: 1, Reason: "session", Ticket: now.Ticket}}
		}
		if n%5 == 4 {
			change.Session.Stopped, change.Session.Cause, change.EndTicket = at, "User-Request", true
		}
		return change
	})
}

// BenchmarkDue looks for orders among 6,000 sessions that are as they should
// be.
func BenchmarkDue(b *testing.B) {
	s := benchStore(b, Options{})
	a, err := s.Account(ctx, "u1")
	must(b, err)
	st := admission(&Account{Person: a.Person, Tokens: a.Tokens}, 1)
	st.Burn = nil
	benchSessions(b, s, "nas1", st)
	for b.Loop() {
		due, err := s.Due(ctx, noon)
		if err != nil || len(due) > 0 {
			b.Fatal(len(due), err)
		}
	}
}

// BenchmarkEndSessions is the restart of a NAS that 6,000 people are on.
func BenchmarkEndSessions(b *testing.B) {
	s := benchStore(b, Options{})
	a, err := s.Account(ctx, "u1")
	must(b, err)
	st := admission(&Account{Person: a.Person, Tokens: a.Tokens}, 1)
	st.Burn = nil
	for round := 0; b.Loop(); round++ {
		b.StopTimer()
		benchSessions(b, s, fmt.Sprint("nas", round), st)
		b.StartTimer()
		n, err := s.EndSessions(ctx, "vpn1", fmt.Sprint("nas", round), noon, "NAS-Reboot", Event{At: noon})
		if err != nil || n != 6000 {
			b.Fatal(n, err)
		}
	}
}

func benchSessions(b *testing.B, s *Store, nas string, st Settlement) {
	b.Helper()
	var group sync.WaitGroup
	for i := range 6000 {
		group.Go(func() {
			done, err := s.Settle(ctx, st)
			if err == nil {
				err = s.ChangeSession(ctx, SessionKey{"vpn1", nas, fmt.Sprint(i)}, func(now Session) SessionChange {
					now.Ticket, now.Seen = done.Ticket, noon
					return SessionChange{Session: now}
				})
			}
			if err != nil {
				b.Error(err)
			}
		})
	}
	group.Wait()
}
