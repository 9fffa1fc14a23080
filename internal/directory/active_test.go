package directory

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"sekisho/internal/store"
)

// active has a person of Active Directory, whose GUID is
// 00112233-4455-6677-8899-aabbccddeeff.
func active(t *testing.T) *campus {
	c := newCampus(t)
	c.ActiveDirectory = true
	c.Attributes.Name, c.Attributes.ID = "sAMAccountName", "objectGUID"
	c.Filter = "(&(objectClass=person)(sAMAccountName=%s))"
	c.user("carol", nil)
	return c
}

var guid = "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"

func (c *campus) user(name string, more map[string][]string) {
	attributes := map[string][]string{"sAMAccountName": {strings.ToUpper(name)}, "objectGUID": {guid}, "userAccountControl": {"512"}}
	for name, values := range more {
		attributes[name] = values
	}
	c.person(name, attributes)
}

func TestActiveNames(t *testing.T) {
	c := active(t)
	for _, typed := range []string{"carol", "Carol@example.ac.jp", `EXAMPLE\CAROL`, `example\carol`, dnOf("carol")} {
		a := c.find(typed)
		if a.Name != "carol" || a.Upstream != "00112233-4455-6677-8899-aabbccddeeff" {
			t.Errorf("%q: %+v", typed, a)
		}
	}
	c.fails(`OTHER\carol`, ErrUnknown)
	c.fails("carol@other.example", ErrUnknown)
}

// Codes hang on the GUID.
func TestGUIDOutlivesNames(t *testing.T) {
	c := active(t)
	a, err := c.Adopt(t.Context(), "carol", store.Event{})
	c.must(err)
	c.server.Remove(dnOf("carol"))
	c.user("married", nil)
	if b := c.find("married"); b.ID != a.ID {
		t.Errorf("%+v", b)
	}
	c.user("short", map[string][]string{"objectGUID": {"\x00\x01"}})
	c.fails("short", ErrName)
}

func TestActiveAccountThatIsShut(t *testing.T) {
	c := active(t)
	filetime := func(at time.Time) string {
		return strconv.FormatInt((at.Unix()+11_644_473_600)*10_000_000, 10)
	}
	for i, test := range []struct {
		control, expires string
		shut             bool
	}{
		{"512", "0", false}, {"514", "0", true}, {"66050", "", true}, {"66048", "9223372036854775807", false},
		{"512", filetime(begin), true}, {"512", filetime(begin.Add(time.Second)), false}, {"512", filetime(begin.Add(-time.Hour)), true}, {"512", "x", false},
	} {
		name := fmt.Sprint("u", i)
		c.user(name, map[string][]string{"userAccountControl": {test.control}, "accountExpires": {test.expires}})
		if a := c.find(name); a.Disabled != test.shut {
			t.Errorf("%+v: disabled %v", test, a.Disabled)
		}
	}
}

func TestActiveGroups(t *testing.T) {
	domain := "\x01\x05\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00"
	c := active(t)
	c.user("dave", map[string][]string{
		"objectSid": {domain + "\x51\x04\x00\x00"}, "primaryGroupID": {"513"}, "memberOf": {groupDN("inner")},
	})
	c.server.Put(groupDN("Domain Users"), map[string][]string{"objectSid": {domain + "\x01\x02\x00\x00"}})
	c.group("inner", dnOf("dave"))
	c.group("outer", groupDN("inner"))
	c.group("everybody", groupDN("Domain Users"))
	c.group("all", groupDN("everybody"))
	c.in("dave", "Domain Users", "inner")
	c.Nested = true
	c.later(time.Minute)
	c.in("dave", "Domain Users", "all", "everybody", "inner", "outer")
	c.in("carol")
}

// What the service account may not read is not known to be good: an application
// password would outlive the account.
func TestActiveAccountThatCanNotBeReadIsNotOpen(t *testing.T) {
	c := active(t)
	for name, control := range map[string][]string{"none": nil, "empty": {""}, "text": {"on"}} {
		c.user(name, map[string][]string{"userAccountControl": control})
		c.fails(name, ErrName)
	}
}
