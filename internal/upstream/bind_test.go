package upstream

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"sekisho/internal/upstream/upstreamtest"
)

const alice = "uid=alice,ou=people,dc=example,dc=org"

func TestBind(t *testing.T) {
	s := &upstreamtest.Server{OnBind: func(b upstreamtest.Bind) (upstreamtest.Result, bool) {
		return upstreamtest.Result{Code: 49, Diagnostic: "expired", Controls: []ldap.Control{
			ldap.NewControlString("1.2.3", true, "a"), ldap.NewControlString(PasswordPolicy, false, "b"),
		}}, b.Password == "expired"
	}}
	s.Start(t)
	s.Put(alice, map[string][]string{"userPassword": {"secret\x00é"}})
	p := newPlace(t, Server{Host: "localhost", Addr: s.Addr}).trusts(s)
	for password, want := range map[string]uint16{"secret\x00é": 0, "wrong": 49, strings.Repeat("x", 300): 49} {
		if a, err := p.bind(alice, password); err != nil || a.Code != want {
			t.Errorf("%q: %+v, %v", password, a, err)
		}
	}
	a, err := p.bind(alice, "expired")
	value, ok := a.Control(PasswordPolicy)
	if err != nil || a.Code != 49 || a.Diagnostic != "expired" || !ok || string(value) != "b" || len(a.Controls) != 2 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, ok := a.Control("1.2"); ok {
		t.Error("a control that did not come")
	}
	for i, b := range s.Binds() {
		if b.Conn != i+1 || b.DN != alice {
			t.Errorf("bind %d came as %+v", i, b)
		}
	}
}

// Many servers answer a bind without a password with success.
func TestEmptyPasswordIsNeverSent(t *testing.T) {
	s := (&upstreamtest.Server{}).Start(t)
	p := newPlace(t, plain(s))
	for _, b := range [][2]string{{alice, ""}, {"", "secret"}, {"", ""}} {
		if a, err := p.bind(b[0], b[1]); !errors.Is(err, errNothing) {
			t.Errorf("%q: %+v, %v", b, a, err)
		}
	}
	if binds := s.Binds(); len(binds) != 0 {
		t.Errorf("bound %v", binds)
	}
}

// broken sends this behind each request.
func broken(t *testing.T, reply ...byte) *upstreamtest.Server {
	s := &upstreamtest.Server{Takeover: func(conn net.Conn) {
		if upstreamtest.Read(conn) == nil {
			conn.Write(reply)
		}
	}}
	return s.Start(t)
}

// What a server may send that is not the response to a bind.
func badReplies() map[string]struct {
	reply []byte
	want  string
} {
	bound := upstreamtest.Reply(1, ldap.ApplicationBindResponse, upstreamtest.Result{})
	reply := func(id int64, tag byte, code uint16) []byte {
		b := upstreamtest.Reply(id, ldap.ApplicationBindResponse, upstreamtest.Result{Code: code, Diagnostic: "shutting down"})
		b[5] = tag
		return b
	}
	nested := bytes.Repeat([]byte{0x30, 0x80}, 40)
	deep := []byte{}
	for range 40 {
		deep = tlv(tagSequence, deep)
	}
	return map[string]struct {
		reply []byte
		want  string
	}{
		"nothing":              {nil, "closed the connection"},
		"half a header":        {bound[:1], "closed the connection"},
		"half a length":        {[]byte{0x30, 0x82, 1}, "closed the connection"},
		"half a message":       {bound[:9], "closed the connection"},
		"text":                 {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), "malformed"},
		"indefinite":           {nested, "malformed"},
		"long length":          {[]byte{0x30, 0x85, 1, 1, 1, 1, 1}, "malformed"},
		"claims 4 GiB":         {[]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, "too large"},
		"claims 1 MiB":         {[]byte{0x30, 0x83, 0x10, 0, 0}, "too large: 1048576 octets"},
		"an element too long":  {[]byte{0x30, 5, 2, 1, 1, 0x61, 9}, "malformed"},
		"deep":                 {deep, "too many elements"},
		"empty":                {[]byte{0x30, 0}, "malformed"},
		"no operation":         {[]byte{0x30, 3, 2, 1, 1}, "malformed"},
		"an empty operation":   {[]byte{0x30, 5, 2, 1, 1, 0x61, 0}, "malformed"},
		"no code":              {[]byte{0x30, 11, 2, 1, 1, 0x61, 6, 0x0a, 0, 4, 0, 4, 0}, "malformed"},
		"no diagnostic":        {[]byte{0x30, 10, 2, 1, 1, 0x61, 5, 0x0a, 1, 0, 4, 0}, "malformed"},
		"a huge tag":           {[]byte{0x30, 6, 2, 1, 1, 0x7f, 0x21, 0}, "malformed"},
		"controls that aren't": {append([]byte{0x30, 16}, append(bound[2:], tagControls, 2, 4, 9)...), "malformed"},
		"another message":      {reply(7, 0x61, 0), "message 7"},
		"another operation":    {reply(1, 0x65, 0), "tag 0x65"},
		"goodbye":              {reply(0, 0x78, 52), `ends the connection with 52 "shutting down"`},
	}
}

func TestBrokenServer(t *testing.T) {
	for name, test := range badReplies() {
		s := broken(t, test.reply...)
		p := newPlace(t, plain(s))
		if a, err := p.bind(alice, "secret"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %+v, %v; want %q", name, a, err, test.want)
		}
		if err := p.Check(t.Context())[0].Err; err == nil && name != "another operation" { // which is the end of a search
			t.Errorf("%s: the check finds it sound", name)
		}
		s.Stop()
	}
}

// What a later version of LDAP may add is passed over (RFC 4511 §4).
func TestUnknownElementsArePassedOver(t *testing.T) {
	bound := upstreamtest.Reply(1, ldap.ApplicationBindResponse, upstreamtest.Result{})
	p := newPlace(t, plain(broken(t, append([]byte{0x30, 14}, append(bound[2:], 0x8b, 0)...)...)))
	if a, err := p.bind(alice, "secret"); err != nil || a.Code != 0 {
		t.Errorf("%+v, %v", a, err)
	}
}

// A server that is too busy to bind anybody is looked at.
func TestBusyBindRaisesDoubt(t *testing.T) {
	s := &upstreamtest.Server{OnBind: func(b upstreamtest.Bind) (upstreamtest.Result, bool) {
		return upstreamtest.Result{Code: uint16(len(b.Password))}, true
	}}
	p := newPlace(t, plain(s.Start(t)))
	for code, want := range map[int]int{49: 0, 53: 0, codeBusy: 1, codeUnavailable: 1} {
		if a, err := p.bind(alice, strings.Repeat("x", code)); err != nil || int(a.Code) != code {
			t.Errorf("%+v, %v", a, err)
		}
		if n := len(p.all()[0].doubted); n != want {
			t.Errorf("%d: %d checks asked for", code, n)
		}
		select {
		case <-p.all()[0].doubted:
		default:
		}
	}
}

func TestBindThatIsNotAnswered(t *testing.T) {
	p := newPlace(t, plain(hanging(t)))
	if _, err := p.Bind(soon(t), alice, []byte("secret")); !errors.Is(err, errLate) {
		t.Error(err)
	}
	p.up(true) // the check will tell
	if len(p.all()[0].doubted) != 1 {
		t.Error("no check was asked for")
	}
}

// A guarded connection gives whole sound messages, and after a bad one
// nothing any more.
func TestGuard(t *testing.T) {
	good := upstreamtest.Reply(7, ldap.ApplicationSearchResultDone, upstreamtest.Result{Diagnostic: strings.Repeat("x", 5000)})
	many := tlv(tagSequence, bytes.Repeat([]byte{5, 0}, maxElements+1))
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		for _, b := range good { // octet by octet
			theirs.Write([]byte{b})
		}
		theirs.Write(append(good, many...))
		theirs.Write(good)
	}()
	g := Guard(ours)
	got := make([]byte, 2*len(good))
	if _, err := io.ReadFull(g, got); err != nil || !bytes.Equal(got, append(good, good...)) {
		t.Fatalf("%v", err)
	}
	for range 2 {
		if n, err := g.Read(got); n != 0 || !errors.Is(err, errElements) {
			t.Errorf("%d, %v", n, err)
		}
	}
}

// A length that is only claimed costs nothing.
func TestClaimedLengthIsNotAllocated(t *testing.T) {
	claim := tlv(tagSequence, make([]byte, maxMessage))[:6]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		if _, err := readMessage(bytes.NewReader(claim), maxMessage); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d octets for 100 claims", n)
	}
}

func FuzzReadResponse(f *testing.F) {
	for _, test := range badReplies() {
		f.Add(test.reply)
	}
	f.Add(upstreamtest.Reply(1, ldap.ApplicationBindResponse, upstreamtest.Result{Controls: []ldap.Control{ldap.NewControlString("1.2", true, "a")}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := readResponse(bytes.NewReader(b), maxAnswer)
		if err != nil {
			return
		}
		r.answer()
		readAttributes(r.op)
	})
}

// Answers that could be taken for a success.
func TestOddAnswersAreNoSuccess(t *testing.T) {
	result := func(code ...byte) []byte {
		return append(append([]byte{tagEnumerated, byte(len(code))}, code...), 4, 0, 4, 0)
	}
	for what, m := range map[string][]byte{
		"no code":           message(1, tlv(tagBindResponse, []byte{tagEnumerated, 0, 4, 0, 4, 0})),
		"an integer":        message(1, tlv(tagBindResponse, []byte{tagInteger, 1, 0, 4, 0, 4, 0})),
		"three octets":      message(1, tlv(tagBindResponse, result(1, 0, 0))),
		"of another":        message(2, tlv(tagBindResponse, result(0))),
		"a notice":          message(0, tlv(tagBindResponse, result(0))),
		"a search's":        message(1, tlv(tagSearchDone, result(0))),
		"an extended one":   message(1, tlv(tagExtendedResponse, result(0))),
		"empty":             message(1, tlv(tagBindResponse)),
		"cut":               message(1, tlv(tagBindResponse, result(0)))[:8],
		"id in five octets": tlv(tagSequence, []byte{tagInteger, 5, 1, 0, 0, 0, 1}, tlv(tagBindResponse, result(0))),
	} {
		if a, err := readAnswer(bytes.NewReader(m), tagBindResponse); err == nil && a.Code == 0 {
			t.Errorf("%s is a success", what)
		}
	}
	// 0x100 must not be cut to 0.
	if a, err := readAnswer(bytes.NewReader(message(1, tlv(tagBindResponse, result(1, 0)))), tagBindResponse); err == nil && a.Code == 0 {
		t.Error("256 is a success")
	}
}
