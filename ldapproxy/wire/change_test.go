package wire

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestModifyOfGoLDAP(t *testing.T) {
	m := sent(t, func(c *ldap.Conn) {
		req := ldap.NewModifyRequest("uid=alice", nil)
		req.Delete("userPassword", []string{"old"})
		req.Add("userPassword", []string{"new", "newer"})
		req.Delete("mail", nil)
		req.Replace("cn;lang-ja", []string{"x"})
		c.Modify(req)
	})
	dn, changes, err := m.Modify()
	want := []Change{{ChangeDelete, "userPassword", true}, {0, "userPassword", true}, {ChangeDelete, "mail", false}, {2, "cn;lang-ja", true}}
	if err != nil || dn != "uid=alice" || !reflect.DeepEqual(changes, want) {
		t.Errorf("%q, %+v, %v", dn, changes, err)
	}
}

func TestModifyThatIsNone(t *testing.T) {
	good := Element(TagSequence, []byte{TagEnumerated, 1, 2}, Element(TagSequence, Octets("mail"), Element(tagSet, Octets("a"))))
	for name, body := range map[string][]byte{
		"empty":           nil,
		"no changes":      Octets("uid=a"),
		"cut":             append(Octets("uid=a"), Element(TagSequence, good[:len(good)-1])...),
		"no attribute":    append(Octets("uid=a"), Element(TagSequence, Element(TagSequence, []byte{TagEnumerated, 1, 2}))...),
		"no set":          append(Octets("uid=a"), Element(TagSequence, Element(TagSequence, []byte{TagEnumerated, 1, 2}, Element(TagSequence, Octets("mail"))))...),
		"two attributes":  append(Octets("uid=a"), Element(TagSequence, Element(TagSequence, []byte{TagEnumerated, 1, 2}, Element(TagSequence, Octets("mail"), Element(tagSet)), Element(TagSequence, Octets("userPassword"), Element(tagSet))))...),
		"a set too many":  append(Octets("uid=a"), Element(TagSequence, Element(TagSequence, []byte{TagEnumerated, 1, 2}, Element(TagSequence, Octets("mail"), Element(tagSet), Element(tagSet))))...),
		"a second list":   bytes.Join([][]byte{Octets("uid=a"), Element(TagSequence, good), Element(TagSequence, good)}, nil),
		"number as value": append(Octets("uid=a"), Element(TagSequence, Element(TagSequence, []byte{TagEnumerated, 1, 2}, Element(TagSequence, Octets("mail"), Element(tagSet, []byte{2, 1, 1}))))...),
	} {
		if dn, changes, err := parsed(t, envelope(Element(OpModify, body))).Modify(); err != ErrFrame || dn != "" || changes != nil {
			t.Errorf("%s: %q, %+v, %v", name, dn, changes, err)
		}
	}
	if _, changes, err := parsed(t, envelope(Element(OpModify, Octets("uid=a"), Element(TagSequence, good)))).Modify(); err != nil || len(changes) != 1 {
		t.Errorf("good: %+v, %v", changes, err)
	}
}

func TestPasswordModify(t *testing.T) {
	read := func(call func(*ldap.Conn)) (PasswordModify, error) {
		e, err := sent(t, call).Extended()
		if err != nil {
			t.Fatal(err)
		}
		return ParsePasswordModify(e)
	}
	for who, want := range map[string]PasswordModify{"uid=bob": {Identity: "uid=bob", Named: true, Old: true}, "": {Old: true}} {
		got, err := read(func(c *ldap.Conn) { c.PasswordModify(ldap.NewPasswordModifyRequest(who, "old", "new")) })
		if got != want || err != nil {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	if got, err := ParsePasswordModify(ExtendedRequest{}); got != (PasswordModify{}) || err != nil {
		t.Errorf("without a value: %+v, %v", got, err)
	}
	empty := Element(TagSequence, Element(0x80), Element(0x81))
	if got, err := ParsePasswordModify(ExtendedRequest{HasValue: true, Value: empty}); got != (PasswordModify{Named: true}) || err != nil {
		t.Errorf("an empty name: %+v, %v", got, err)
	}
	identity := Element(0x80, []byte("uid=bob"))
	for name, value := range map[string][]byte{
		"nothing":       {},
		"no SEQUENCE":   Octets("x"),
		"two at once":   Element(TagSequence, identity, identity),
		"the name last": Element(TagSequence, Element(0x81, []byte("old")), identity),
		"cut":           Element(TagSequence, identity[:4]),
		"and more":      append(Element(TagSequence, identity), 0),
		"another type":  Element(TagSequence, Octets("uid=bob")),
		"one behind":    Element(TagSequence, identity, Element(0x85, []byte("x"))),
	} {
		if got, err := ParsePasswordModify(ExtendedRequest{HasValue: true, Value: value}); err != errRequest || got != (PasswordModify{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestCancelValue(t *testing.T) {
	id := []byte{TagInteger, 2, 1, 0}
	if n, err := ParseCancel(ExtendedRequest{HasValue: true, Value: Element(TagSequence, id)}); n != 256 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, value := range [][]byte{nil, {1}, Element(TagSequence), Element(TagSequence, id, id), append(Element(TagSequence, id), 0)} {
		if _, err := ParseCancel(ExtendedRequest{HasValue: true, Value: value}); err != errRequest {
			t.Errorf("%x: %v", value, err)
		}
	}
}
