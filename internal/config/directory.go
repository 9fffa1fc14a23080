package config

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// The kinds of directory.
const (
	local  = "local" // accounts are kept in our own store
	behind = "ldap"  // the directory that a campus already has
)

// Directory says who knows the people. All but Kind and Domains is of the
// directory behind, and zero where Kind is "local".
type Directory struct {
	Kind    string   // "local" or "ldap"
	Domains []string // that may be typed behind @ or before \

	Servers         []DirectoryServer // asked in this order
	CA              []byte            // PEM, of those who sign the servers' certificates; nil: whom the system trusts
	BindDN          string            // who looks people up; "": nobody, anonymously
	BindPassword    Secret
	Base            string // DN
	ActiveDirectory bool
	UserFilter      string // %s is the name
	Name            string // attributes of a person
	ID              string // that never changes
	Display         string // "" none
	Mail            string // "" none
	Group           string // holds the DNs of the groups; "" none
	GroupBase       string // DN
	GroupFilter     string // %d is the person's DN, %s the name; "": groups are not searched
	NestedGroups    bool
	PageSize        int
	Timeout         time.Duration
	Cache           time.Duration // how long a person is believed to be as last seen; 0: never
	MaxConnections  int           // of the relay
	ProxyAuthorize  bool          // BindDN may act for others (RFC 4370)
}

// Behind reports whether the people are in a directory behind this program.
func (d Directory) Behind() bool { return d.Kind == behind }

func readDirectory(t *table) Directory {
	d := Directory{Kind: t.one("kind", local, local, behind)}
	for _, e := range t.texts("domains") {
		if e.text == "" || strings.ContainsAny(e.text, "@\\ ") {
			t.r.fault(e.key, `%q is not a domain; write it like "example.ac.jp" or "EXAMPLE"`, e.text)
		}
		d.Domains = append(d.Domains, e.text)
	}
	switch {
	case d.Behind():
		d.readBehind(t)
	case !t.r.faults.blames(t.name("kind")):
		t.foreign(`is of the directory behind; write kind = "ldap", or take it out`, behindKeys...)
	}
	t.close()
	return d
}

// behindKeys are the keys of kind "ldap" alone.
var behindKeys = []string{
	"url", "start_tls", "ca_file", "bind_dn", "bind_password", "bind_password_file", "base", "schema", "user_filter",
	"name_attribute", "id_attribute", "display_attribute", "mail_attribute", "group_attribute", "group_base", "group_filter",
	"nested_groups", "page_size", "timeout", "cache", "max_connections", "proxy_authorization",
}

// foreign blames keys that belong elsewhere.
func (t *table) foreign(text string, keys ...string) {
	t.known = append(t.known, keys...)
	for _, key := range keys {
		if t.has(key) {
			t.fault(key, "%s", text)
		}
	}
}

// schema is what the keys below it default to.
type schema struct{ filter, name, id, display string }

// schemas by name. The filter of Active Directory leaves out computers, which
// are users, too.
var schemas = map[string]schema{
	"standard":         {"(uid=%s)", "uid", "entryUUID", "cn"},
	"active-directory": {"(&(objectCategory=person)(objectClass=user)(sAMAccountName=%s))", "sAMAccountName", "objectGUID", "displayName"},
}

func (d *Directory) readBehind(t *table) {
	d.Servers = t.servers()
	d.CA = t.authorities("ca_file")
	d.readBind(t)
	d.Base = t.text("base", "")
	t.require("base", d.Base, `name where its people are: base = "dc=example,dc=ac,dc=jp"`)
	t.dn("base", d.Base)

	kind := t.one("schema", "standard", "standard", "active-directory")
	usual := schemas[kind]
	d.ActiveDirectory = kind == "active-directory"
	d.UserFilter = t.filter("user_filter", usual.filter, "%s")
	d.Name = t.attribute("name_attribute", usual.name, true)
	d.ID = t.attribute("id_attribute", usual.id, true)
	d.Display = t.attribute("display_attribute", usual.display, false)
	d.Mail = t.attribute("mail_attribute", "mail", false)
	d.Group = t.attribute("group_attribute", "memberOf", false)
	d.GroupFilter = t.filter("group_filter", "", "%d", "%s")
	// Elsewhere anybody may name a group like one that a rule knows.
	d.GroupBase = t.text("group_base", d.Base)
	if t.has("group_base") {
		t.require("group_base", d.GroupBase, "name where the groups are, or take it out")
		t.dn("group_base", d.GroupBase)
	}
	d.NestedGroups = t.flag("nested_groups", false)
	if d.NestedGroups && d.Group == "" && d.GroupFilter == "" {
		t.fault("nested_groups", "has no groups to begin with; write group_attribute or group_filter, or take it out")
	}

	d.PageSize = t.number("page_size", 500, 1, 10_000)
	d.Timeout = t.between("timeout", 5*time.Second, 100*time.Millisecond, time.Minute)
	d.Cache = t.between("cache", time.Minute, 0, time.Hour)
	d.MaxConnections = t.number("max_connections", 200, 1, 100_000)
}

// readBind reads who looks people up.
func (d *Directory) readBind(t *table) {
	d.BindDN = t.text("bind_dn", "")
	t.dn("bind_dn", d.BindDN)
	switch {
	case d.BindDN != "":
		// How long it is, and whether it can be guessed, is that directory's
		// affair.
		_, d.BindPassword = t.onePassword("bind_password", `name a file with the password of bind_dn: bind_password_file = "directory.password"`)
	default:
		t.foreign("is of bind_dn, which is missing; write that, too", "bind_password", "bind_password_file")
	}
	d.ProxyAuthorize = t.flag("proxy_authorization", false)
	if d.ProxyAuthorize && d.BindDN == "" {
		t.fault("proxy_authorization", "needs an account that may act for others; write bind_dn, or take it out")
	}
}

// attributeName is that of RFC 4512 section 2.5, without options.
var attributeName = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+)$`)

func (t *table) attribute(key, def string, wanted bool) string {
	name := t.text(key, def)
	switch {
	case name == "" && wanted:
		t.fault(key, "is empty; write such as %q, or take it out", def)
	case name != "" && !attributeName.MatchString(name):
		t.fault(key, "%q is not an attribute; write it like %q", name, def)
	}
	return name
}

// filter reads a search filter (RFC 4515) that holds one of the marks for
// what it is searched with. It is tried with a harmless value in their place.
func (t *table) filter(key, def string, marks ...string) string {
	text := t.text(key, def)
	if text == "" && def == "" || t.r.faults.blames(t.name(key)) {
		return text
	}
	if !slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(text, mark) }) {
		t.fault(key, "%q holds no %s, so it finds the same for everybody; write it like %q", text, strings.Join(marks, " and no "), cmp.Or(def, "(member=%d)"))
		return text
	}
	tried := text
	for _, mark := range marks {
		tried = strings.ReplaceAll(tried, mark, "x")
	}
	if _, err := ldap.CompileFilter(tried); err != nil {
		t.fault(key, "%q is not a search filter: %v; write it like %q", text, err, cmp.Or(def, "(member=%d)"))
	}
	return text
}
