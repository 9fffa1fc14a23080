package ldapproxy

import (
	"reflect"
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"sekisho/ldapproxy/wire"
)

// dseBehind is what a directory tells of itself that can more than we serve.
var dseBehind = map[string][]string{
	"namingContexts":               {"dc=behind"},
	"defaultNamingContext":         {"dc=behind"},
	"subschemaSubentry":            {"cn=Subschema"},
	"supportedLDAPVersion":         {"3", "2"},
	"SupportedSASLMechanisms":      {"GSSAPI", "DIGEST-MD5"},
	"supportedAuthPasswordSchemes": {"SHA1"},
	"supportedControl":             {wire.OIDPaged, wire.OIDProxyAuthorization, oidProxiedOld, oidSort},
	"supportedExtension":           {wire.OIDStartTLS, wire.OIDWhoAmI, wire.OIDModifyPassword, "1.3.6.1.4.1.4203.666.6.5", "1.2.840.113556.1.4.1781"},
	"vendorName":                   {"Behind"},
	"vendorVersion":                {"1.0"},
	"altServer":                    {"ldap://other.example/"},
	"ref":                          {"ldap://elsewhere.example/"},
	"ldapServiceName":              {"behind:dc1"},
}

// dse reads the RootDSE with a client that nobody here wrote.
func (r *relayRig) dse(filter string, attributes ...string) map[string][]string {
	r.t.Helper()
	c := r.library()
	req := ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
	found, err := c.Search(req)
	if err != nil {
		r.t.Fatal(err)
	}
	if len(found.Entries) == 0 {
		return nil
	}
	got := make(map[string][]string)
	for _, a := range found.Entries[0].Attributes {
		slices.Sort(a.Values)
		got[a.Name] = a.Values
	}
	return got
}

func TestRootDSETellsWhatIsServedHere(t *testing.T) {
	app := relayApp()
	app.Writes = true
	for _, c := range []struct {
		tls        bool
		app        App
		extensions []string
	}{
		{true, relayApp(), []string{wire.OIDStartTLS, wire.OIDWhoAmI}},
		{false, relayApp(), []string{wire.OIDWhoAmI}},
		{false, app, []string{wire.OIDModifyPassword, wire.OIDWhoAmI}},
	} {
		r := startRelay(t, func(r *relayRig) {
			r.up.RootDSE = func() (map[string][]string, bool) { return dseBehind, true }
			r.listener.StartTLS = c.tls
			if !c.tls {
				r.listener.TLS = nil
			}
		}, c.app)
		want := map[string][]string{
			"namingContexts": {"dc=behind"}, "defaultNamingContext": {"dc=behind"}, "subschemaSubentry": {"cn=Subschema"},
			"supportedLDAPVersion": {"3"}, "supportedControl": {oidSort, wire.OIDPaged}, "supportedExtension": slices.Sorted(slices.Values(c.extensions)),
			"vendorName": {"Sekisho"}, "ldapServiceName": {"behind:dc1"},
		}
		slices.Sort(want["supportedControl"])
		if got := r.dse("(objectClass=*)"); !reflect.DeepEqual(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		r.untouched(0)
	}
	if len(dseBehind["supportedExtension"]) != 5 || len(dseBehind["supportedControl"]) != 4 {
		t.Error("what the health check has read was changed")
	}
}

func TestRootDSEIsSelected(t *testing.T) {
	r := startRelay(t, func(r *relayRig) {
		r.up.RootDSE = func() (map[string][]string, bool) { return dseBehind, true }
	})
	for _, c := range []struct {
		filter     string
		attributes []string
		n          int
	}{
		{"(objectClass=*)", nil, 8},
		{"(objectclass=*)", []string{"+"}, 8},
		{"(objectClass=*)", []string{"*"}, 8},
		{"(objectClass=*)", []string{"NAMINGCONTEXTS", "vendorname", "supportedSASLMechanisms"}, 2},
		{"(objectClass=*)", []string{"1.1"}, 0},
		{"(supportedControl=" + wire.OIDPaged + ")", []string{"vendorName"}, 1},
		{"(&(objectClass=*)(!(supportedSASLMechanisms=*)))", []string{"vendorName"}, 1},
		{"(|(supportedControl=" + wire.OIDProxyAuthorization + ")(vendorName=sekisho))", []string{"vendorName"}, 1},
		{"(|(vendorName=x)(vendorName>=a))", []string{"vendorName"}, -1},
		{"(!(vendorName>=a))", []string{"vendorName"}, -1},
		{"(&)", nil, 8},
		{"(vendorName=Behind)", nil, -1},
	} {
		got := r.dse(c.filter, c.attributes...)
		if c.n < 0 && got != nil || c.n >= 0 && (got == nil || len(got) != c.n) {
			t.Errorf("%s %v: %v", c.filter, c.attributes, got)
		}
	}
	req := ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, true, "(objectClass=*)", []string{"vendorName"}, nil)
	if found, err := r.library().Search(req); err != nil || len(found.Entries[0].Attributes) != 1 || len(found.Entries[0].Attributes[0].Values) != 0 {
		t.Errorf("types only: %+v, %v", found, err)
	}
}

// A program that finds nothing here would take it for all there is.
func TestRootDSEThatNobodyHasRead(t *testing.T) {
	for _, read := range []func() (map[string][]string, bool){nil, func() (map[string][]string, bool) { return nil, false }} {
		r := startRelay(t, func(r *relayRig) { r.up.RootDSE = read })
		p := r.dial()
		p.wants(wire.ResultUnavailable, searchOp("", 0))
		p.wants(wire.ResultUnavailableCritical, searchOp("", 0), criticalControl("1.2.3"))
	}
}

func TestSubschemaIsTheDirectorys(t *testing.T) {
	r := startRelay(t, nil)
	r.bound().wants(wire.ResultSuccess, searchOp("cn=Subschema", 0))
	if n := len(r.up.Seen(wire.OpSearch)); n != 1 {
		t.Errorf("%d searches reached upstream", n)
	}
}
