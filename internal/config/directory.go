package config

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"sekisho/policy"
)

// The kinds of directory.
const (
	local  = "local" // accounts are kept in our own store
	behind = "ldap"  // the directory that a campus already has
)

// The bounds of watch: more often is more than a directory should be asked.
const (
	leastWatch = time.Minute
	mostWatch  = time.Hour
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
	GroupBase       string // DN below which groups count
	GroupFilter     string // %d is the person's DN, %s the name; "": groups are not searched
	NestedGroups    bool
	PageSize        int
	Timeout         time.Duration
	Cache           time.Duration // how long a person is believed to be as last seen; 0: never
	Watch           time.Duration // how often those who are signed in are looked up again; 0: never
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
	"nested_groups", "page_size", "timeout", "cache", "watch", "max_connections", "proxy_authorization",
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
	d.readGroupBase(t)
	d.NestedGroups = t.flag("nested_groups", false)
	if d.NestedGroups && d.Group == "" && d.GroupFilter == "" {
		t.fault("nested_groups", "has no groups to begin with; write group_attribute or group_filter, or take it out")
	}

	d.PageSize = t.number("page_size", 500, 1, 10_000)
	d.Timeout = t.between("timeout", 5*time.Second, 100*time.Millisecond, time.Minute)
	d.Cache = t.between("cache", time.Minute, 0, time.Hour)
	switch d.Watch = t.time("watch", 5*time.Minute); {
	case d.Watch == 0:
	case d.Watch < leastWatch, d.Watch > mostWatch:
		t.fault("watch", `%v is out of bounds; choose between %v and %v, or "0s" to look up nobody again`, d.Watch, leastWatch, mostWatch)
	}
	d.MaxConnections = t.number("max_connections", 1000, 1, 100_000)
	d.advise(t)
}

// readGroupBase reads where the groups are that count.
func (d *Directory) readGroupBase(t *table) {
	d.GroupBase = t.text("group_base", d.Base)
	if !t.has("group_base") {
		return
	}
	t.require("group_base", d.GroupBase, "name where the groups are, or take it out")
	t.dn("group_base", d.GroupBase)
	if d.Group == "" && d.GroupFilter == "" && !t.r.faults.blames(t.name("group_filter")) {
		t.fault("group_base", "has no groups to look at; write group_attribute or group_filter, or take it out")
	}
}

// The attributes of a person that are one's own as long as one is there, and
// those that say how somebody is called.
var (
	lasting = []string{"entryuuid", "1.3.6.1.1.16.4", "objectguid", "1.2.840.113556.1.4.2", "nsuniqueid", "ipauniqueid"}
	called  = []string{"cn", "commonname", "displayname", "sn", "givenname", "gecos"}
)

// advise warns of what makes one person pass for another.
func (d *Directory) advise(t *table) {
	if d.BindDN == "" {
		t.warn("bind_dn", "is missing: people are looked up as nobody, and what nobody may read is not seen, such as groups or that an account is shut; write an account that may look people up")
	}
	if !slices.Contains(lasting, strings.ToLower(d.ID)) {
		t.warn("id_attribute", "%q is not known never to change: whoever comes by the value of another has that person's code devices; write entryUUID, objectGUID, nsUniqueId or ipaUniqueID", d.ID)
	}
	if slices.Contains(called, strings.ToLower(d.Name)) {
		t.warn("name_attribute", "%q is how people are called, which two can be at once; write the one that is a login name, such as uid", d.Name)
	}
	if other, ok := t.others("user_filter", d.UserFilter, d.Name); ok {
		t.warn("user_filter", "finds people by %s, and their name is %s: whoever can write the one can be found by another's name; write a filter by %[2]s alone", other, d.Name)
	}
}

// adviseGroups warns where rules go by groups that any part of the directory
// may hold.
func (r *reader) adviseGroups(c *Config) {
	d := c.Directory
	if !d.Behind() || !c.asksForGroups() || d.Group == "" && d.GroupFilter == "" {
		return
	}
	base, err := ldap.ParseDN(d.Base)
	groups, err2 := ldap.ParseDN(d.GroupBase)
	if err == nil && err2 == nil && groups.EqualFold(base) {
		r.warn("directory.group_base", "is the whole directory: whoever may make a group anywhere in it can name it like one that a rule asks for; name where the groups are that you trust")
	}
}

// asksForGroups reports whether anything goes by groups.
func (c *Config) asksForGroups() bool {
	return slices.ContainsFunc(c.Rules, func(rule policy.Rule) bool { return len(rule.Group) > 0 }) ||
		slices.ContainsFunc(c.Radius.Clients, func(client Client) bool {
			return slices.ContainsFunc(client.Reply, func(a Attribute) bool { return len(a.Groups) > 0 })
		})
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
