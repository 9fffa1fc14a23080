package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"slices"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
)

// What another implementation reads in our requests.
func TestRequests(t *testing.T) {
	for _, typed := range []string{"short", "exactly-16-octet", password + "123456", string(bytes.Repeat([]byte("x"), 128))} {
		b := newForge().access(7, "u1", typed, "198.18.0.1")
		p, err := radius.Parse(b, []byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		if p.Code != radius.CodeAccessRequest || p.Identifier != 7 {
			t.Errorf("code %v, identifier %d", p.Code, p.Identifier)
		}
		if got := rfc2865.UserPassword_GetString(p); got != typed {
			t.Errorf("password %q, want %q", got, typed)
		}
		if got := rfc2865.UserName_GetString(p); got != "u1" {
			t.Errorf("name %q", got)
		}
		checkMAC(t, b, p)
	}
	b := newForge().status(9)
	p, err := radius.Parse(b, []byte(secret))
	if err != nil || p.Code != radius.CodeStatusServer {
		t.Fatalf("%v, %v", p, err)
	}
	checkMAC(t, b, p)
}

// checkMAC finds the value in the packet and computes it anew.
func checkMAC(t *testing.T, b []byte, p *radius.Packet) {
	t.Helper()
	value, err := rfc2869.MessageAuthenticator_Lookup(p)
	if err != nil {
		t.Fatal(err)
	}
	b = slices.Clone(b)
	clear(b[bytes.Index(b, value):][:md5.Size])
	mac := hmac.New(md5.New, []byte(secret))
	mac.Write(b)
	if !hmac.Equal(mac.Sum(nil), value) {
		t.Error("wrong Message-Authenticator")
	}
}

// answer is an Access-Accept with a Message-Authenticator, made by another
// implementation.
func answer(t *testing.T, request []byte) []byte {
	t.Helper()
	p, err := radius.Parse(request, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	r := p.Response(radius.CodeAccessAccept)
	rfc2865.Class_SetString(r, "class")
	rfc2869.MessageAuthenticator_Set(r, make([]byte, md5.Size))
	unsigned, err := r.MarshalBinary() // with the request's authenticator, as the MAC wants it
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(md5.New, []byte(secret))
	mac.Write(unsigned)
	rfc2869.MessageAuthenticator_Set(r, mac.Sum(nil))
	b, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAuthentic(t *testing.T) {
	f := newForge()
	request := f.access(3, "u1", password, "198.18.0.1")
	good := answer(t, request)
	if !f.authentic(good, request) {
		t.Fatal("a good reply is not believed")
	}
	for at := range good {
		bad := slices.Clone(good)
		bad[at] ^= 1
		if f.authentic(bad, request) {
			t.Errorf("octet %d altered, and believed", at)
		}
	}
	if f.authentic(good[:19], request) || f.authentic(nil, request) {
		t.Error("a piece is believed")
	}
	if f.authentic(good, f.access(3, "u1", password, "198.18.0.1")) {
		t.Error("the reply to another request is believed")
	}
}

func TestSpread(t *testing.T) {
	requests := spread(1_001, 4, func(i int, id byte) []byte { return []byte{byte(i % 4), id} })
	total := 0
	for s, list := range requests {
		total += len(list)
		for k, r := range list {
			if int(r[0]) != s || int(r[1]) != k%idents {
				t.Fatalf("socket %d, place %d: %v", s, k, r)
			}
		}
	}
	if total != 1_001 {
		t.Errorf("%d requests", total)
	}
}

func TestPeople(t *testing.T) {
	seen := make(map[string]bool)
	for p := range person(campus) {
		if seen[p.station()] {
			t.Fatalf("%s shares its address %s", p.name(), p.station())
		}
		seen[p.station()] = true
	}
	at := time.Unix(1_700_000_000, 0)
	if a, b := person(1).code(at), person(2).code(at); len(a) != 6 || a == b {
		t.Errorf("codes %q, %q", a, b)
	}
}

func TestClassOf(t *testing.T) {
	class, err := classOf(answer(t, newForge().access(3, "u1", password, "198.18.0.1")))
	if err != nil || string(class) != "class" {
		t.Errorf("%q, %v", class, err)
	}
	if _, err := classOf(nil); err == nil {
		t.Error("nothing has a Class")
	}
}
