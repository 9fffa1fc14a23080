package radiusd

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"sekisho/gate"
)

// filter is a Filter-Id, avpair one of Cisco's, for people of these groups.
func filter(value string, groups ...string) Attribute {
	return Attribute{Name: "Filter-Id", Number: "11", Groups: groups, Only: true, Octets: text(rfc2865.FilterID_Type, value)}
}

func avpair(value string, groups ...string) Attribute {
	octets := binary.BigEndian.AppendUint32(nil, 9)
	octets = append(append(octets, 1, byte(2+len(value))), value...)
	return Attribute{Name: "Cisco-AVPair", Number: "26.9.1", Groups: groups, Octets: attr(rfc2865.VendorSpecific_Type, octets)}
}

func only(a Attribute) Attribute {
	a.Only = true
	return a
}

// given is what an Access-Accept of somebody of these groups carries besides
// the usual, as another implementation reads it.
func given(t *testing.T, list []Attribute, groups ...string) string {
	t.Helper()
	p, _ := frame(pap(1, "x"))
	answer := admitted()
	answer.Person.Groups = groups
	got := checked(t, accept(p, &question{proxyState: [][]byte{[]byte("ps")}}, &Client{Reply: list}, newSecret([]byte(testSecret)), &answer, netip.Addr{}, testTime), p, testSecret)
	var values []string
	for _, a := range got.Attributes {
		switch a.Type {
		case rfc2865.FilterID_Type:
			values = append(values, string(a.Attribute))
		case rfc2865.VendorSpecific_Type:
			vendor, inner, err := radius.VendorSpecific(a.Attribute)
			if err != nil || vendor != 9 || inner[0] != 1 || int(inner[1]) != len(inner) {
				t.Errorf("vendor attribute % x: %v", a.Attribute, err)
			}
			values = append(values, string(inner[2:]))
		}
	}
	if rfc2865.Class_GetString(got) != "sk1.abc.mac" || rfc2865.SessionTimeout_Get(got) == 0 || rfc2865.ProxyState_GetString(got) != "ps" {
		t.Errorf("the usual is not there: %v", got.Attributes)
	}
	return strings.Join(values, " ")
}

func TestAttributesByGroup(t *testing.T) {
	list := []Attribute{filter("staff", "staff"), filter("student", "students-*", "guests"), avpair("a", "staff"), avpair("b")}
	for groups, want := range map[string]string{
		"":                   "b",
		"staff":              "staff a b",
		"library":            "b",
		"students-2026":      "student b",
		"guests":             "student b",
		"students-2026 more": "student b",
		"Staff":              "b",
		"staffs":             "b",
	} {
		if got := given(t, list, strings.Fields(groups)...); got != want {
			t.Errorf("groups %q: %q, want %q", groups, got, want)
		}
	}
}

func TestFirstValueStandsAlone(t *testing.T) {
	list := []Attribute{filter("staff", "staff"), filter("student", "student"), filter("anybody")}
	for groups, want := range map[string]string{"student staff": "staff", "student": "student", "": "anybody"} {
		if got := given(t, list, strings.Fields(groups)...); got != want {
			t.Errorf("groups %q: %q, want %q", groups, got, want)
		}
	}
}

func TestListsAddUp(t *testing.T) {
	if got := given(t, []Attribute{avpair("a", "x"), avpair("b", "y"), avpair("c")}, "y", "x"); got != "a b c" {
		t.Errorf("got %q", got)
	}
	// One that stands alone keeps others out, and is kept out.
	if got := given(t, []Attribute{only(avpair("a")), avpair("b")}); got != "a" {
		t.Errorf("got %q", got)
	}
	if got := given(t, []Attribute{avpair("a"), only(avpair("b")), avpair("c")}); got != "a c" {
		t.Errorf("got %q", got)
	}
	// Those of other groups do not count.
	if got := given(t, []Attribute{only(avpair("a", "x")), avpair("b")}); got != "b" {
		t.Errorf("got %q", got)
	}
}

// Only who is admitted is told anything.
func TestRefusalCarriesNoAttributes(t *testing.T) {
	c := testClient()
	c.Reply = []Attribute{filter("anybody")}
	r := start(t, func(r *rig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			return gate.Answer{Person: gate.Person{Groups: []string{"staff"}}, Message: "no"}, nil
		}
	}, c)
	p := r.dial()
	onlyInReject(t, p.ask(pap(1, "wrong")))
	status := p.ask(build(radius.CodeStatusServer, 2, testSecret, authenticator()))
	if len(status.Attributes) != 1 {
		t.Errorf("Status-Server: %v", status.Attributes)
	}
}

// With a retransmission the very same attributes go out.
func TestAttributesOnTheWire(t *testing.T) {
	c := testClient()
	c.Reply = []Attribute{filter("staff", "staff"), avpair("shell:priv-lvl=15", "staff")}
	r := start(t, func(r *rig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			a := admitted()
			a.Person.Groups = []string{"staff"}
			return a, nil
		}
	}, c)
	p, request := r.dial(), pap(1, "secret123456")
	got := p.ask(request)
	if got.Attributes[0].Type != rfc2869.MessageAuthenticator_Type || rfc2865.FilterID_GetString(got) != "staff" {
		t.Errorf("got %v", got.Attributes)
	}
	p.tell(request)
	if again := p.hear(); !bytes.Contains(again, c.Reply[1].Octets) {
		t.Errorf("again % x", again)
	}
}

// An Accept that does not fit is not cut, which might take away the very
// attribute that keeps somebody out.
func TestAttributesAreNeverCut(t *testing.T) {
	p, _ := frame(pap(1, "x"))
	answer, list := admitted(), []Attribute{}
	for range 16 {
		list = append(list, avpair(strings.Repeat("x", 240)))
	}
	q := &question{}
	if b := accept(p, q, &Client{Reply: list}, newSecret([]byte(testSecret)), &answer, netip.Addr{}, testTime); len(b) < 3900 || len(b) > maxPacketLen {
		t.Errorf("%d octets", len(b))
	}
	q.proxyState = [][]byte{make([]byte, 200)}
	if b := accept(p, q, &Client{Reply: list}, newSecret([]byte(testSecret)), &answer, netip.Addr{}, testTime); b != nil {
		t.Errorf("%d octets", len(b))
	}
}

func TestNoAttributesCostNothing(t *testing.T) {
	r := newReply(radius.CodeAccessAccept, pap(1, "x"))
	groups := []string{"staff"}
	if n := testing.AllocsPerRun(100, func() { r.attributes(nil, groups) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
