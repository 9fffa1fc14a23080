package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"sekisho/internal/store"
)

var began = time.Unix(1_700_000_000, 0)

// What another implementation reads in our records.
func TestRecords(t *testing.T) {
	s := newSessions(3, began.Add(lasts), [][]byte{[]byte("c0"), []byte("c1")})[1]
	seen := make(map[string]bool)
	for k := range records {
		b := s.record(newForge(), k, byte(k))
		if !radius.IsAuthenticRequest(b, []byte(secret)) || radius.IsAuthenticRequest(b, []byte(wrongSecret)) {
			t.Fatalf("record %d is not authentic", k)
		}
		p, err := radius.Parse(b, []byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		want := rfc2866.AcctStatusType_Value_InterimUpdate
		switch k {
		case 0:
			want = rfc2866.AcctStatusType_Value_Start
		case records - 1:
			want = rfc2866.AcctStatusType_Value_Stop
		}
		if got := rfc2866.AcctStatusType_Get(p); got != want || p.Identifier != byte(k) {
			t.Errorf("record %d: %v, Identifier %d", k, got, p.Identifier)
		}
		at := time.Duration(k) * interval
		if got := rfc2869.EventTimestamp_Get(p); !got.Equal(began.Add(at)) {
			t.Errorf("record %d happened at %v", k, got)
		}
		if got := rfc2866.AcctSessionTime_Get(p); int(got) != int(at/time.Second) {
			t.Errorf("record %d after %d s", k, got)
		}
		if rfc2866.AcctSessionID_GetString(p) != "bench-3-1" || rfc2865.UserName_GetString(p) != "u1" || rfc2865.Class_GetString(p) != "c1" {
			t.Errorf("record %d is of another session: %v", k, p)
		}
		if got := rfc2865.FramedIPAddress_Get(p).String(); got != "100.64.0.1" {
			t.Errorf("address %s", got)
		}
		seen[string(b[headerLen:])] = true
	}
	if len(seen) != records {
		t.Errorf("of %d records only %d differ", records, len(seen))
	}
	if b := s.record(forgeWith(wrongSecret), 0, 0); radius.IsAuthenticRequest(b, []byte(secret)) {
		t.Error("a forged record is authentic")
	}
}

// Each record leaves once, those of a session in their order and so far apart
// that the one before was answered.
func TestTimetable(t *testing.T) {
	const sessions, between = 300, 40
	list := timetable(sessions, between)
	if len(list) != sessions*records {
		t.Fatalf("%d records", len(list))
	}
	last := make(map[int]int)
	next := make(map[int]int)
	for at, r := range list {
		if r.k != next[r.session] {
			t.Fatalf("record %d of session %d, want %d", r.k, r.session, next[r.session])
		}
		if before, ok := last[r.session]; ok && at-before < between {
			t.Fatalf("records of session %d only %d apart", r.session, at-before)
		}
		next[r.session], last[r.session] = r.k+1, at
	}
	if apart <= perSocket {
		t.Errorf("%d apart with %d outstanding", apart, perSocket)
	}
}

func TestTell(t *testing.T) {
	sessions := newSessions(0, began, make([][]byte, 8))
	for socket, list := range tell(sessions, 4, 2) {
		if len(list) != 2*records {
			t.Fatalf("%d records", len(list))
		}
		for k, b := range list {
			p, err := radius.Parse(b, []byte(secret))
			if err != nil {
				t.Fatal(err)
			}
			var of int
			for i, s := range sessions {
				if s.name == rfc2866.AcctSessionID_GetString(p) {
					of = i
				}
			}
			if of%4 != socket || p.Identifier != byte(k) {
				t.Errorf("session %d on socket %d, Identifier %d", of, socket, p.Identifier)
			}
		}
	}
	for _, s := range sessions {
		for k, b := range s.records {
			if b == nil {
				t.Errorf("record %d of %s was not noted", k, s.name)
			}
		}
	}
}

// What was acknowledged and is not in the store is found missing.
func TestAudit(t *testing.T) {
	h := &house{folder: t.TempDir()}
	s := openStore(t, h)
	l := &ledger{memory: newMemory()}
	stale := acknowledge(t, newForge().seal(newForge().begin(radius.CodeAccountingRequest, 0)))
	for i, c := range []struct {
		acknowledged int // records
		kept         int // of them; below 0: nothing
		ticket       int64
	}{
		{3, 3, 7},
		{records, records, 7},
		{0, -1, 0},                // nothing was acknowledged
		{3, 4, 7},                 // written, and not acknowledged any more
		{1, -1, 0},                // its Start is missing
		{5, 4, 7},                 // an Interim-Update
		{records, records - 1, 7}, // its Stop
		{2, 2, 0},                 // without its ticket
	} {
		x := &session{person: person(i), name: person(i).name(), began: began}
		for k := range x.records {
			x.records[k] = x.record(newForge(), k, 0)
			if k < c.acknowledged {
				l.heard(x.records[k], acknowledge(t, x.records[k]))
			} else {
				l.heard(x.records[k], stale) // of another request, that was late
			}
		}
		l.sessions = append(l.sessions, x)
		if c.kept < 0 {
			continue
		}
		row := store.Session{
			Seen: began, Ticket: c.ticket, Lasted: x.seconds(c.kept - 1),
			Input: uint64(x.octets(c.kept - 1)), Output: uint64(x.octets(c.kept - 1)),
		}
		if c.kept == records {
			row.Stopped = began
		}
		err := s.ChangeSession(context.Background(), store.SessionKey{Client: "appliance", Name: x.name}, func(store.Session) store.SessionChange {
			return store.SessionChange{Session: row}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := l.audit(h)
	if err != nil {
		t.Fatal(err)
	}
	if want := (findings{acknowledged: 34, sessions: 7, missing: 3, stray: 1}); got != want {
		t.Errorf("found %+v, want %+v", got, want)
	}
}

// acknowledge is an Accounting-Response made by another implementation.
func acknowledge(t *testing.T, request []byte) []byte {
	t.Helper()
	p, err := radius.Parse(request, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Response(radius.CodeAccountingResponse).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBooked(t *testing.T) {
	h := &house{folder: t.TempDir()}
	s := openStore(t, h)
	book := func(outcome string, person int64) {
		t.Helper()
		if err := s.Book(context.Background(), store.Event{At: began, Outcome: outcome, Person: person}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := h.lastRow(); err != nil || n != 0 {
		t.Errorf("the last row of an empty book: %d, %v", n, err)
	}
	book("admitted", 1)
	row, err := h.lastRow()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []int64{1, 2, 2} {
		book("admitted", p)
	}
	book("refused", 2)
	book("noticed", 3)
	d := decisions{refused: 10}
	if err := h.booked(row, &d); err != nil {
		t.Fatal(err)
	}
	if want := (decisions{admitted: 3, people: 2, refused: 11}); d != want {
		t.Errorf("booked %+v, want %+v", d, want)
	}
}

// openStore opens the store of a house that was never used.
func openStore(t *testing.T, h *house) *store.Store {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.store()), 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(h.store(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
