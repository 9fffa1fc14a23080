package main

import (
	"bytes"
	"testing"
	"time"
)

func TestMemory(t *testing.T) {
	f, m := newForge(), newMemory()
	one, two := f.status(1), f.status(1)
	reply := []byte("reply")
	m.heard(one, reply)
	clear(reply) // the room is used again
	m.heard(one, []byte("reply"))
	m.heard(one, []byte("other"))
	if got := m.reply(one); string(got) != "reply" || m.again != 2 || m.changed != 1 {
		t.Errorf("%q, %d again, %d changed", got, m.again, m.changed)
	}
	if m.reply(two) != nil {
		t.Error("another request has its answer")
	}
}

// The answers to a request are heard, those to its copies among them.
func TestLoadCopies(t *testing.T) {
	f := newForge()
	for _, c := range []struct {
		name    string
		reply   func(i int, request []byte) []byte
		again   int
		changed int
	}{
		{"the same", func(_ int, request []byte) []byte { return request }, 40, 0},
		{"another", func(i int, request []byte) []byte { return append(bytes.Clone(request), byte(i), byte(i>>8)) }, 40, 40},
		{"once", func(i int, request []byte) []byte {
			if i >= 20 {
				return nil
			}
			return request
		}, 0, 0},
	} {
		i := -1
		to := peerOf(t, func(request []byte) []byte { i++; return c.reply(i, request) })
		m := newMemory()
		tally, err := (&Load{
			To: to, Order: once, Rate: 20_000, For: time.Millisecond, Copies: []time.Duration{5 * time.Millisecond, 3 * time.Millisecond}, Unsigned: true, Heard: m.heard,
			Requests: spread(20, 2, func(_ int, id byte) []byte { return f.status(id) }),
		}).Run()
		if err != nil {
			t.Fatal(err)
		}
		if tally.Sent != 20 || tally.Accepted != 20 || tally.Lost != 0 || tally.Copies != 40 || m.again != c.again || m.changed != c.changed {
			t.Errorf("%s: %+v; %d again, %d changed", c.name, tally, m.again, m.changed)
		}
	}
}
