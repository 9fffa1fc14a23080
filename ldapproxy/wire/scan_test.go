package wire

import (
	"bytes"
	"testing"
)

func isSecret(description []byte) bool { return string(description) == "secret" }

func TestScanSearch(t *testing.T) {
	uid := Element(FilterEqual, Octets("uid"), Octets("a"))
	secret := Element(FilterEqual, Octets("secret"), Octets("a"))
	value := Element(TagMatchValue, []byte("a"))
	for name, c := range map[string]struct {
		filter []byte
		secret bool
		err    error
	}{
		"equality":                {uid, false, nil},
		"secret":                  {secret, true, nil},
		"presence":                {Element(FilterPresent, []byte("secret")), true, nil},
		"presence of another":     {Element(FilterPresent, []byte("uid")), false, nil},
		"less":                    {Element(FilterLess, Octets("secret"), Octets("a")), true, nil},
		"approx":                  {Element(FilterApprox, Octets("secret"), Octets("a")), true, nil},
		"first of two":            {Element(FilterAnd, secret, uid), true, nil},
		"last of two":             {Element(FilterOr, uid, secret), true, nil},
		"not":                     {Element(FilterNot, secret), true, nil},
		"true":                    {Element(FilterAnd), false, nil},
		"substrings":              {Element(FilterSubstrings, Octets("secret"), Element(TagSequence, Element(TagAny, []byte("a")))), true, nil},
		"substrings of another":   {Element(FilterSubstrings, Octets("uid"), Element(TagSequence, Element(TagAny, []byte("a")))), false, nil},
		"extensible":              {Element(FilterExtensible, Element(tagMatchType, []byte("secret")), value), true, nil},
		"extensible of another":   {Element(FilterExtensible, Element(TagMatchingRule, []byte("1.2")), Element(tagMatchType, []byte("uid")), value, []byte{tagDNAttributes, 1, 0xff}), false, nil},
		"extensible of all":       {Element(FilterExtensible, Element(TagMatchingRule, []byte("1.2")), value), true, nil},
		"a choice that we do not": {Element(0xab, []byte("x")), true, nil},

		"no choice":                  {Element(FilterEqual&^0x20, []byte("uid")), true, ErrFrame},
		"not of two":                 {Element(FilterNot, uid, uid), true, ErrFrame},
		"equality cut":               {Element(FilterEqual, Octets("uid")), false, ErrFrame},
		"equality and more":          {Element(FilterEqual, Octets("uid"), Octets("a"), Octets("b")), false, ErrFrame},
		"substrings, no parts":       {Element(FilterSubstrings, Octets("uid")), false, ErrFrame},
		"a part beyond the end":      {Element(FilterSubstrings, Octets("uid"), Element(TagSequence, []byte{TagAny, 9})), false, ErrFrame},
		"extensible without a value": {Element(FilterExtensible, Element(tagMatchType, []byte("uid"))), false, ErrFrame},
		"nothing":                    {nil, false, ErrFrame},
	} {
		t.Run(name, func(t *testing.T) {
			m := parsed(t, envelope(searchBody(c.filter, Element(TagSequence, Octets("cn")))))
			s, err := m.ScanSearch(isSecret)
			if err != c.err || err == nil && (s.Secret != c.secret || string(s.Base) != "dc=example" || s.Scope != 2) {
				t.Errorf("got %+v, %v", s, err)
			}
			if got := ScanFilter(c.filter, isSecret); got != (c.secret || c.err != nil) {
				t.Errorf("alone: %v", got)
			}
		})
	}
	if !ScanFilter(append(bytes.Clone(uid), uid...), isSecret) {
		t.Error("two filters are one")
	}
}

func TestScanSearchHasADepth(t *testing.T) {
	filter := Element(FilterPresent, []byte("uid"))
	for range maxDepth - 1 {
		filter = Element(FilterAnd, filter)
	}
	whole := func() error {
		_, err := parsed(t, envelope(searchBody(filter, Element(TagSequence)))).ScanSearch(isSecret)
		return err
	}
	if err := whole(); err != nil {
		t.Error(err)
	}
	filter = Element(FilterAnd, filter)
	if err := whole(); err != errDeep {
		t.Errorf("one deeper: %v", err)
	}
}

func TestScanSearchKeepsNothing(t *testing.T) {
	var parts [][]byte
	for range 3000 {
		parts = append(parts, Element(FilterEqual, Octets("uid"), Octets("somebody")))
	}
	m := parsed(t, envelope(searchBody(Element(FilterOr, parts...), Element(TagSequence))))
	if n := testing.AllocsPerRun(100, func() { m.ScanSearch(isSecret) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whatever a search is, if it is read whole and is about the secret the scan
// says so, and what the scan takes for whole is so for whoever reads it.
func FuzzScanSearch(f *testing.F) {
	for _, filter := range [][]byte{
		Element(FilterEqual, Octets("secret"), Octets("a")), Element(FilterPresent, []byte("secret")),
		Element(FilterNot, Element(FilterOr, Element(FilterExtensible, Element(tagMatchType, []byte("secret")), Element(TagMatchValue)))),
		Element(FilterSubstrings, Octets("uid"), Element(TagSequence, Element(TagAny, []byte("a")))),
	} {
		f.Add(searchBody(filter, Element(TagSequence, Octets("cn"))))
	}
	var about func(*Filter) bool
	about = func(f *Filter) bool {
		found := f.Attribute == "secret" || f.Kind == FilterExtensible && f.Attribute == ""
		for _, c := range f.Children {
			found = found || about(c)
		}
		return found
	}
	f.Fuzz(func(t *testing.T, op []byte) {
		m, err := ParseMessage(envelope(op))
		if err != nil || m.Op != OpSearch {
			return
		}
		s, err := m.ScanSearch(isSecret)
		q, wrong := m.Search()
		switch {
		case wrong == nil && err != nil:
			t.Errorf("%x: refused with %v", op, err)
		case wrong == nil && about(q.Filter) && !s.Secret:
			t.Errorf("%x: not found", op)
		case wrong == nil && (string(s.Base) != q.Base || s.Scope != q.Scope):
			t.Errorf("%x: %+v, not %+v", op, s, q)
		case wrong == ErrFrame && err == nil:
			t.Errorf("%x: taken", op)
		}
	})
}
