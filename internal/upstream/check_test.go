package upstream

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"sekisho/internal/upstream/upstreamtest"
)

func TestRootDSE(t *testing.T) {
	first, second := (&upstreamtest.Server{}).Start(t), (&upstreamtest.Server{}).Start(t)
	for _, s := range []*upstreamtest.Server{first, second} {
		s.Put("", map[string][]string{"supportedLDAPVersion": {"2", "3"}, "vendorName": {s.Addr}})
	}
	p := newPlace(t, plain(first), plain(second))
	vendor := func(want string) {
		t.Helper()
		dse, ok := p.RootDSE()
		if ok != (want != "") || ok && (dse["vendorName"][0] != want || len(dse["supportedLDAPVersion"]) != 2) {
			t.Errorf("%v %v, want %q", dse, ok, want)
		}
	}
	vendor("")
	p.Check(t.Context())
	vendor(first.Addr)
	first.Stop()
	p.Check(t.Context())
	p.up(false, true)
	vendor(second.Addr)
	second.Stop()
	p.Check(t.Context())
	vendor(first.Addr) // nobody is up: the last that is known
}

// A server that shows nothing to strangers is none that is down.
func TestRootDSEThatIsRefused(t *testing.T) {
	for code, up := range map[uint16]bool{50: true, 53: true, 8: true, 0: true, codeBusy: false, codeUnavailable: false, codeOther: false} {
		s := &upstreamtest.Server{OnSearch: func(upstreamtest.Search) (upstreamtest.Result, bool) {
			return upstreamtest.Result{Code: code, Diagnostic: "no"}, true
		}}
		p := newPlace(t, plain(s.Start(t)))
		if status := p.Check(t.Context())[0]; status.Up != up {
			t.Errorf("%d: up %v (%v)", code, status.Up, status.Err)
		}
		if dse, ok := p.RootDSE(); ok {
			t.Errorf("%d: %v", code, dse)
		}
	}
}

func TestChecksBringAServerBack(t *testing.T) {
	s := (&upstreamtest.Server{}).Start(t)
	checked := make(chan bool)
	s.OnSearch = func(upstreamtest.Search) (upstreamtest.Result, bool) {
		checked <- true
		return upstreamtest.Result{}, true
	}
	p := newPlace(t, plain(s))
	p.turn(p.all()[0], io.EOF)
	p.up(false)
	p.Start()
	<-checked // at once
	p.due <- begin
	<-checked // when it is due
	p.Doubt(plain(s))
	<-checked // when somebody doubts it
	p.due <- begin
	<-checked
	p.Close()
	p.up(true)
	if text := p.log.String(); strings.Count(text, "up again") != 1 {
		t.Errorf("logged %q", text)
	}
}

func TestCheckTakesNotesOfTime(t *testing.T) {
	p := newPlace(t)
	s := &upstreamtest.Server{OnSearch: func(upstreamtest.Search) (upstreamtest.Result, bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.now = p.now.Add(7 * time.Millisecond)
		return upstreamtest.Result{}, true
	}}
	p.List = []Server{plain(s.Start(t))}
	if took := p.Check(t.Context())[0].Took; took != 7*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

// Close comes back though a check hangs, and such an end tells nothing.
func TestCloseDoesNotWaitForAServerThatHangs(t *testing.T) {
	began := make(chan bool)
	s := &upstreamtest.Server{Takeover: func(conn net.Conn) { began <- true; io.Copy(io.Discard, conn) }}
	p := newPlace(t, plain(s.Start(t)))
	p.Timeout = time.Hour
	p.Start()
	<-began
	p.Close()
	p.up(true)
}

func TestCheckOfAServerThatHangs(t *testing.T) {
	p := newPlace(t, plain(hanging(t)))
	p.Timeout = 20 * time.Millisecond
	p.Check(t.Context())
	p.up(false)
	if err := p.Status()[0].Err; !strings.Contains(err.Error(), "no answer in time") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p = newPlace(t, plain(hanging(t)))
	p.Check(ctx)
	p.up(true)
}

// 20 MiB are refused by their length, and by what came of them.
func TestRootDSEOfTwentyMebibytes(t *testing.T) {
	value := bytes.Repeat([]byte("x"), 20<<20)
	entry := func(values ...[]byte) []byte {
		return message(1, tlv(tagSearchEntry, tlv(tagOctets), tlv(tagSequence, tlv(tagSequence, tlv(tagOctets, []byte("cn")), tlv(0x31, values...)))))
	}
	small := entry(tlv(tagOctets, []byte("x")))
	for name, reply := range map[string][]byte{
		"one value":      entry(tlv(tagOctets, value[:15<<20])), // our own encoder knows three octets of length
		"claimed":        {0x30, 0x84, 1, 0x40, 0, 0},
		"small elements": entry(bytes.Repeat([]byte{4, 0}, 100_000)),
		"without an end": bytes.Repeat(small, 100),
	} {

		s := &upstreamtest.Server{Takeover: func(conn net.Conn) {
			if upstreamtest.Read(conn) == nil {
				conn.Write(reply)
			}
		}}
		p := newPlace(t, plain(s.Start(t)))
		err := p.Check(t.Context())[0].Err
		if err == nil || !strings.Contains(err.Error(), "too large") && !strings.Contains(err.Error(), "too many elements") && !strings.Contains(err.Error(), "does not end") {
			t.Errorf("%s: %v", name, err)
		}
		s.Stop()
		if dse, ok := p.RootDSE(); ok {
			t.Errorf("%s: kept %d attributes", name, len(dse))
		}
	}
}

func TestBusyServerIsNotDialledFirst(t *testing.T) {
	busy := &upstreamtest.Server{OnSearch: func(upstreamtest.Search) (upstreamtest.Result, bool) {
		return upstreamtest.Result{Code: ldap.LDAPResultBusy}, true
	}}
	busy.Start(t)
	other := (&upstreamtest.Server{}).Start(t)
	p := newPlace(t, plain(busy), plain(other))
	p.Check(t.Context())
	p.dials(other)
}
