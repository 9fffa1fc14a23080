package store

import (
	"fmt"
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
