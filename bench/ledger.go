package main

import (
	"database/sql"
	"fmt"
	"time"
)

// ledger knows what a NAS told of sessions and what of it was acknowledged.
type ledger struct {
	*memory
	sessions []*session
}

// load is a load of the records of these sessions, noted in the ledger. A nil
// ledger notes nothing.
func (l *ledger) load(sessions []*session, d time.Duration) *Load {
	n := sockets(doorWindow)
	load := &Load{From: appliance, Order: once, Window: doorWindow, For: d, Requests: tell(sessions, n, apart)}
	if l != nil {
		load.Heard = l.heard
		l.sessions = append(l.sessions, sessions...)
	}
	return load
}

// killed runs a load and kills the server amid it. What the load then says of
// a server that is gone does not matter.
func (l *ledger) killed(p *peer, build loader, after time.Duration) error {
	load := build(time.Now())
	load.To = p.to
	kill := time.AfterFunc(after, func() { p.command.Process.Kill() })
	defer kill.Stop()
	before := len(l.first)
	load.Run()
	p.command.Process.Kill()
	p.ended <- <-p.ended
	if len(l.first) == before {
		return fmt.Errorf("nothing was acknowledged before the server was killed")
	}
	return nil
}

// findings are how a store compares with a ledger.
type findings struct {
	acknowledged int // records
	sessions     int // of which a record was
	missing      int // of them, those that the store does not have as acknowledged
	stray        int // that it has, but without their ticket
}

// kept is what the store has of a session.
type kept struct {
	seconds, input, output, stopped, ticket int64
}

// audit reads the store of a server that is gone.
func (l *ledger) audit(h *house) (f findings, err error) {
	have, err := h.sessions()
	if err != nil {
		return findings{}, fmt.Errorf("read the sessions: %w", err)
	}
	g := newForge()
	for _, s := range l.sessions {
		last := -1
		for k, request := range s.records {
			// A late reply may have been heard as one to the next request of
			// its Identifier.
			if g.authentic(l.reply(request), request) {
				f.acknowledged++
				last = k
			}
		}
		if last < 0 {
			continue
		}
		f.sessions++
		row, ok := have[s.name]
		switch {
		case !ok || !row.covers(s, last):
			f.missing++
		case row.ticket == 0:
			f.stray++
		}
	}
	return f, nil
}

// covers reports whether the row says what the k-th record said, or a later
// one that was written and not acknowledged any more.
func (r kept) covers(s *session, k int) bool {
	if k == records-1 && r.stopped == 0 {
		return false
	}
	return r.seconds >= int64(s.seconds(k)/time.Second) && r.input >= int64(s.octets(k)) && r.output >= int64(s.octets(k))
}

// sessions are those that the store has, by name.
func (h *house) sessions() (map[string]kept, error) {
	db, err := sql.Open("sqlite", h.store())
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.Query("SELECT name, seconds, input, output, stopped, ticket FROM session")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	have := make(map[string]kept)
	for rows.Next() {
		var name string
		var k kept
		if err := rows.Scan(&name, &k.seconds, &k.input, &k.output, &k.stopped, &k.ticket); err != nil {
			return nil, err
		}
		have[name] = k
	}
	return have, rows.Err()
}
