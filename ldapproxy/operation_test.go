package ldapproxy

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"sekisho/internal/directory"
	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/tree"
	"sekisho/ldapproxy/wire"
)

// many is so many people, with long names: more than one write.
type many int

func (n many) Entries(_ context.Context, each func(directory.Entry) error) error {
	for i := range int(n) {
		if err := each(directory.Entry{Name: fmt.Sprintf("p%04d", i), Display: "A display name that takes some room"}); err != nil {
			return err
		}
	}
	return nil
}

func (many) Epoch() uint64 { return 1 }

func everybody(limit int, controls ...ldap.Control) *ldap.SearchRequest {
	return ldap.NewSearchRequest("ou=people,"+testBase, ldap.ScopeSingleLevel, ldap.NeverDerefAliases, limit, 0, false, "(uid=*)", nil, controls)
}

func (r *rig) library() *ldap.Conn {
	r.t.Helper()
	c, err := ldap.DialURL("ldap://" + r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	return c
}

func TestSearchThatTakesManyWrites(t *testing.T) {
	r := start(t, func(r *rig) { r.People = many(2000) })
	c := r.library()
	if err := c.Bind(mailDN, mailPassword); err != nil {
		t.Fatal(err)
	}
	found, err := c.Search(everybody(0))
	if err != nil || len(found.Entries) != 2000 {
		t.Fatalf("%d entries, %v", len(found.Entries), err)
	}
}

func TestSearchBeforeABind(t *testing.T) {
	r := start(t, nil)
	if _, err := r.library().Search(everybody(0)); !ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights) {
		t.Errorf("a stranger is told %v", err)
	}
	if ok, err := r.library().Compare(aliceDN, "uid", "alice"); ok || !ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights) {
		t.Errorf("a stranger may compare: %v", err)
	}
	app := testApp()
	app.Anonymous = true
	r = start(t, nil, app)
	if found, err := r.library().Search(everybody(0)); err != nil || len(found.Entries) != 1 {
		t.Errorf("where it is allowed: %v, %v", found, err)
	}
}

func TestCompareThroughTheDoor(t *testing.T) {
	r := start(t, nil)
	c := r.library()
	if err := c.Bind(mailDN, mailPassword); err != nil {
		t.Fatal(err)
	}
	if ok, err := c.Compare(aliceDN, "uid", "Alice"); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	if _, err := c.Compare(aliceDN, "userPassword", "secret"); !ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights) {
		t.Errorf("a password is compared: %v", err)
	}
}

func TestLimitsOfTheApplication(t *testing.T) {
	app := testApp()
	app.SizeLimit = 3
	r := start(t, func(r *rig) { r.People = many(10) }, app)
	c := r.library()
	if err := c.Bind(mailDN, mailPassword); err != nil {
		t.Fatal(err)
	}
	found, err := c.Search(everybody(0))
	if !ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) || len(found.Entries) != 3 {
		t.Errorf("%d entries, %v", len(found.Entries), err)
	}
}

// What one has begun to read, the next who binds can't go on with.
func TestCookieEndsWithTheBind(t *testing.T) {
	r := start(t, func(r *rig) { r.People = many(10) })
	c := r.library()
	if err := c.Bind(mailDN, mailPassword); err != nil {
		t.Fatal(err)
	}
	paging := ldap.NewControlPaging(2)
	next := func() error {
		found, err := c.Search(everybody(0, paging))
		if err == nil {
			paging.SetCookie(ldap.FindControl(found.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging).Cookie)
		}
		return err
	}
	for range 2 {
		if err := next(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Bind(aliceDN, "secret123456"); err != nil {
		t.Fatal(err)
	}
	if err := next(); !ldap.IsErrorWithCode(err, ldap.LDAPResultProtocolError) {
		t.Errorf("goes on: %v", err)
	}
}

func TestClientThatGoesAwayInTheMiddleOfASearch(t *testing.T) {
	r := start(t, func(r *rig) { r.People = many(2000) })
	here, there := net.Pipe()
	r.take(&Listener{PlainBinds: true}, addressed{there})
	p := newPeer(t, here)
	p.wants(wire.ResultSuccess, bindOp(mailDN, mailPassword))
	p.send(p.put(searchOp("ou=people,"+testBase, tree.ScopeOne)))
	here.Read(make([]byte, 100))
	here.Close()
	r.ends(byClient, 1)
}

// memory is a connection whose other side has said everything.
type memory struct{ *bytes.Reader }

func (memory) Write(p []byte) (int, error)      { return len(p), nil }
func (memory) Close() error                     { return nil }
func (memory) LocalAddr() net.Addr              { return nil }
func (memory) RemoteAddr() net.Addr             { return addressed{}.RemoteAddr() }
func (memory) SetDeadline(time.Time) error      { return nil }
func (memory) SetReadDeadline(time.Time) error  { return nil }
func (memory) SetWriteDeadline(time.Time) error { return nil }

// Whatever a client says, no handler panics, and the connection ends.
func FuzzConnection(f *testing.F) {
	s := &Server{Gate: new(fakeGate), People: fakePeople{}, Base: testBase, Now: func() time.Time { return testTime }}
	s.SetApps(mustApps(f, testApp(), elsewhere()))
	p := new(peer)
	bind := p.put(bindOp(aliceDN, "secret123456"))
	for _, op := range [][]byte{
		bindOp(mailDN, mailPassword), searchOp("", 0), searchOp(testBase, 2), extendedOp(wire.OIDWhoAmI), extendedOp(wire.OIDStartTLS),
		extendedOp(wire.OIDCancel, wire.Element(wire.TagSequence, []byte{2, 1, 1})), wire.Element(wire.OpCompare, wire.Octets(aliceDN), wire.Element(wire.TagSequence, wire.Octets("uid"), wire.Octets("alice"))),
		wire.Element(wire.OpModify), wire.Element(wire.OpUnbind), wire.Element(wire.OpAbandon, []byte{1}),
	} {
		f.Add(append(bytes.Clone(bind), p.put(op)...))
		f.Add(p.put(op, criticalControl(wire.OIDPaged)))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		c := s.newConn(&Listener{TLS: linkstest.TLS(t), StartTLS: true, PlainBinds: true}, memory{bytes.NewReader(octets)})
		if !s.crowd.enter(c) {
			t.Fatal("no room")
		}
		why := c.life()
		if why == byPanic {
			t.Error("a handler has panicked")
		}
		c.close(why)
	})
}
