//go:build linux

package ldapproxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/internal/directory"
	"sekisho/ldapproxy/tree"
	"sekisho/ldapproxy/wire"
)

// The embedded directory and slapd with the same entries are told the same
// octets, a message at a time, and have to answer alike: the same responses
// with the same result codes, the same entries, and the connection ends or
// not. Where they need not, known says why.

// campus is who is in both: names and values that a filter could stumble
// over.
type campus struct{}

func (campus) Entries(_ context.Context, each func(directory.Entry) error) error {
	for _, e := range []directory.Entry{
		{Name: "alice", Display: "Alice Liddell", Mail: "alice@example.ac.jp", Groups: []string{"staff", "students"}, UIDNumber: 1001},
		{Name: "bob", Display: "Bob  van der Berg", Mail: "Bob@Example.ac.jp", Groups: []string{"staff"}, UIDNumber: 1002},
		{Name: "carol", Groups: []string{"Students"}},
		{Name: "hanako", Display: "山田 花子", Mail: "hanako@example.ac.jp", UIDNumber: 70000},
		{Name: "jose", Display: "José Ñandú", Groups: []string{"guests+co, ltd"}},
		{Name: "o'neil", Display: `Pat "Pip" O'Neil, Jr. <x>; a+b=c\d #1`, Mail: "o'neil@example.ac.jp"},
	} {
		e.Created = testTime.Add(-time.Hour)
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}

func (campus) Epoch() uint64 { return 1 }

// standing is how a comparison begins.
type standing string

const (
	asService standing = "bound as a service account"
	asNobody  standing = "not bound, where that is enough to search"
	shutOut   standing = "not bound, where that is not"
)

// differ is the two of them.
type differ struct {
	server *Server
	slapd  *slapd
	met    map[string]int // known differences, by why
	same   int            // messages taken alike
	found  int            // and entries found in them
	rivals map[standing]*rival
}

func newDiffer(t testing.TB) *differ {
	t.Helper()
	s := serverOf(t, campus{})
	return &differ{server: s, slapd: newSlapd(t, s), met: make(map[string]int), rivals: make(map[standing]*rival)}
}

// serverOf is an embedded directory, not yet served.
func serverOf(t testing.TB, people tree.People) *Server {
	t.Helper()
	app := testApp()
	app.Listeners, app.Anonymous = []string{"open"}, true
	app.Accounts = append(app.Accounts, Account{DN: "cn=scanner,ou=services," + testBase, Password: []byte(mailPassword)})
	shut := testApp()
	shut.Name, shut.Listeners, shut.Accounts = "shut", []string{"shut"}, nil
	s := &Server{
		Gate: &fakeGate{admit: admitAlice}, People: people, Base: testBase, Now: func() time.Time { return testTime },
		Posix: tree.Posix{GID: 100, Home: "/home/%u", Shell: "/bin/sh", Groups: map[string]int64{"students": 2000, "nobody": 65534}},
	}
	s.SetApps(mustApps(t, app, shut))
	return s
}

// admitAlice admits her under her DN.
func admitAlice(_ context.Context, r gate.Request) (gate.Answer, error) {
	if dn, err := canonicalDN(r.User); err == nil && dn == aliceDN && string(r.Password) == "secret123456" {
		return welcome(), nil
	}
	return gate.Answer{Reference: reference, Reason: "wrong_password"}, nil
}

// request is one message, which may go on with the paged search before it.
type request func(cookie []byte) []byte

func plainly(frame []byte) request { return func([]byte) []byte { return frame } }

// compare tells both the same, until a connection ends, or they are no longer
// in the same state. It returns what they must not differ in.
func (d *differ) compare(how standing, requests ...request) error {
	us, err := d.dial(how)
	if err != nil {
		return err
	}
	defer us.hangUp()
	them, err := d.rival(how)
	if err != nil {
		return err
	}
	if how == asService {
		if _, err := us.ask(serviceBind); err != nil || !us.session.bound() {
			return fmt.Errorf("the service account is not bound: %v", err)
		}
	}
	touched := false // the state of their connection
	defer func() {
		if touched {
			them.Close()
			delete(d.rivals, how)
		}
	}()
	for _, r := range requests {
		q := contest{how: how, bound: us.session.bound(), frame: r(us.cookie)}
		q.m, q.err = wire.ParseMessage(q.frame)
		if q.err == nil && (q.m.Op == wire.OpBind || len(q.m.Controls) > 0) {
			touched = true
		}
		theirs := r(them.cookie)
		if q.ours, err = us.ask(q.frame); err != nil {
			return fmt.Errorf("%x: %w", q.frame, err)
		}
		want := answer
		switch {
		case q.op() == wire.OpAbandon || !q.ours.ended && len(q.ours.replies) == 0:
			want = nothing
		case q.ours.ended || q.changes(): // slapd has no answer to some that it can't read
			want = end
		}
		if q.theirs, err = them.ask(theirs, want); err != nil {
			touched = true
			return err
		}
		touched = touched || q.theirs.ended || want == nothing
		q.ours.settle()
		q.theirs.settle()
		same := reflect.DeepEqual(q.ours, q.theirs)
		if same {
			d.same++
			d.found += max(0, len(q.ours.replies)-1)
		} else {
			touched = true
			if q.theirs.ended && len(q.theirs.replies) == 0 {
				if q.fell, err = d.slapd.revive(); err != nil {
					return err
				}
				if q.fell {
					clear(d.rivals)
				}
			}
			why := whyDifferent(&q)
			if why == "" {
				return fmt.Errorf("%s: %s\n%x\n  we:    %v\n  slapd: %v", how, spelled(&q), q.frame, q.ours, q.theirs)
			}
			d.met[why]++
		}
		if q.op() == wire.OpAbandon && !same { // it ends when it comes to that
			return nil
		}
		if q.ours.ended || q.theirs.ended || !same && q.m.Op == wire.OpBind || us.session.bound() != q.bound && q.m.Op != wire.OpBind {
			return nil
		}
	}
	return nil
}

var serviceBind = wire.Element(wire.TagSequence, []byte{wire.TagInteger, 1, 1}, bindOp(mailDN, mailPassword))

// rival is a connection to slapd in this standing.
func (d *differ) rival(how standing) (*rival, error) {
	if p := d.rivals[how]; p != nil {
		return p, nil
	}
	p, err := d.slapd.dial()
	if err != nil { // it has fallen over after it had answered
		if _, err := d.slapd.revive(); err != nil {
			return nil, err
		}
		clear(d.rivals)
		if p, err = d.slapd.dial(); err != nil {
			return nil, err
		}
	}
	if how == asService {
		if a, err := p.ask(serviceBind, answer); err != nil || a.code() != wire.ResultSuccess {
			return nil, fmt.Errorf("slapd does not bind the service account: %v, %v", a, err)
		}
	}
	d.rivals[how] = p
	return p, nil
}

// cut is the messages in a stream of octets, as we find them; a last one that
// is none is there, too, one that is not complete is not.
func cut(octets []byte, limit int) (requests []request) {
	frames := wire.NewFrameReader(bytes.NewReader(octets))
	at := 0
	for {
		frame, err := frames.Next(limit)
		if errors.Is(err, wire.ErrFrame) || errors.Is(err, wire.ErrTooLarge) {
			return append(requests, plainly(filled(octets[at:])))
		}
		if err != nil {
			return requests
		}
		requests = append(requests, plainly(octets[at:at+len(frame)]))
		at += len(frame)
	}
}

// filled is octets that we refuse unread, with as many more as slapd may wait
// for before it looks at them.
func filled(octets []byte) []byte {
	missing := 16
	if len(octets) > 1 && octets[1] > 0x80 {
		claimed := 0
		for i := 2; i < 2+int(octets[1]&0x7f) && i < len(octets) && claimed < 1<<19; i++ {
			claimed = claimed<<8 | int(octets[i])
		}
		missing += claimed
	} else if len(octets) > 1 {
		missing += int(octets[1])
	}
	return append(bytes.Clone(octets), make([]byte, min(missing, 1<<19))...)
}

func TestEmbeddedDirectoryAnswersAsSlapdDoes(t *testing.T) {
	d := newDiffer(t)
	for n := range uint64(1000) {
		if err := d.play(tapeOf(n)); err != nil {
			t.Error(err)
		}
	}
	if d.same < 500 || d.found < 200 {
		t.Errorf("only %d messages were taken alike, with %d entries: nothing is compared", d.same, d.found)
	}
	for why, times := range d.met {
		t.Logf("%4d %s", times, why)
	}
}

// The comparison sees what it is there for: an entry too few, another code,
// an end.
func TestComparisonWithSlapdSeesADifference(t *testing.T) {
	d := newDiffer(t)
	everybody, alice, bind := searchOp("ou=people,"+testBase, 1), searchOp(aliceDN, 0), bindOp(aliceDN, "secret123456")
	differs := func(op []byte) bool { return d.compare(asNobody, plainly(new(peer).put(op))) != nil }
	if differs(everybody) || differs(alice) || differs(bind) {
		t.Error("they differ already")
	}
	d.server = serverOf(t, fakePeople{})
	if !differs(everybody) || differs(alice) {
		t.Error("it does not see who is missing, or misses alice")
	}
	d.server = serverOf(t, campus{})
	d.server.Gate = &fakeGate{admit: func(context.Context, gate.Request) (gate.Answer, error) { return gate.Answer{}, nil }}
	if !differs(bind) {
		t.Error("it does not see that nobody is admitted")
	}
	d.server.SetApps(mustApps(t, elsewhere()))
	if !differs(everybody) {
		t.Error("it does not see that nobody may ask")
	}
}
