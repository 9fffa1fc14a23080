package main

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// result is an LDAPMessage with the result of an operation.
func ldapResult(id int, op, code byte) []byte {
	return message(id, element(op, number(tagEnum, int(code)), text(tagString, ""), text(tagString, "")))
}

// The octets of RFC 4511 §4.2 and §4.5.1, counted by hand.
func TestLDAPRequests(t *testing.T) {
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{bindRequest(1, "cn=a", "b"), "3011 020101 600c 020103 0404636e3d61 800162"},
		{searchRequest(200, "dc=x", "u1"), "3037 020200c8 6331 040464633d78 0a0102 0a0100 020100 020100 010100" +
			"a309 0403756964 04027531 300f 0403756964 0402636e 04046d61696c"},
	} {
		if want := strings.ReplaceAll(c.want, " ", ""); hex.EncodeToString(c.got) != want {
			t.Errorf("got  %x\nwant %s", c.got, want)
		}
	}
	for _, n := range []int{0, 0x7f, 0x80, 0xff, 0x100, 0xffff} {
		b := element(tagString, make([]byte, n))
		if tag, body, rest, ok := next(b); !ok || tag != tagString || len(body) != n || len(rest) != 0 {
			t.Errorf("%d octets came back as %d, %v", n, len(body), ok)
		}
	}
}

func TestLDAPAnswer(t *testing.T) {
	bind, search := bindRequest(300, "cn=a", "b"), searchRequest(300, "dc=x", "u1")
	entry := message(300, element(tagEntry, text(tagString, "uid=u1"), element(tagSequence)))
	found := ldapResult(300, tagFound, 0)
	for name, c := range map[string]struct {
		request, answer []byte
		good, bad       bool
	}{
		"bound":                 {bind, ldapResult(300, tagBound, 0), true, false},
		"refused":               {bind, ldapResult(300, tagBound, 49), false, false},
		"one entry":             {search, slices.Concat(entry, found), true, false},
		"no entry":              {search, found, false, false},
		"two entries":           {search, slices.Concat(entry, entry, found), false, false},
		"an entry, then a 4":    {search, slices.Concat(entry, ldapResult(300, tagFound, 4)), false, false},
		"another's answer":      {bind, ldapResult(301, tagBound, 0), false, true},
		"another kind":          {bind, found, false, true},
		"a bind for a search":   {search, ldapResult(300, tagBound, 0), false, true},
		"no message":            {bind, text(tagString, "x"), false, true},
		"no result in a result": {bind, message(300, element(tagBound)), false, false},
	} {
		for cut := range c.answer {
			if used, good, _ := ldapAnswer(c.answer[:cut], c.request); used != 0 || good {
				t.Fatalf("%s: %d octets of %d were enough", name, cut, len(c.answer))
			}
		}
		behind := append(bytes.Clone(c.answer), 0x30)
		used, good, err := ldapAnswer(behind, c.request)
		switch {
		case c.bad != (err != nil) || good != c.good:
			t.Errorf("%s: good %v, error %v", name, good, err)
		case err == nil && used != len(c.answer):
			t.Errorf("%s: used %d of %d", name, used, len(c.answer))
		}
	}
}
