package config

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/dictionary"
)

// Attribute is something that an Access-Accept tells a RADIUS client of a
// person. The field names are those of package radiusd.
type Attribute struct {
	Name   string
	Number string // the same for all its names
	Groups []string
	Only   bool   // a value by itself; those of lists add up
	Octets []byte // as on the wire
}

// maxReply is how many octets the attributes of one Access-Accept may have:
// half a packet (RFC 2865 section 3). The rest is left to what the server adds
// itself, and to Proxy-State.
const maxReply = 2048

// owned are the attributes that the server answers with itself, or never, by
// their numbers, whatever a dictionary calls them.
var owned = map[string]string{
	"1":   "is what was asked for; take it out",
	"2":   "is a secret of the request; take it out",
	"3":   "is a secret of the request; take it out",
	"18":  "is what a refusal tells the person; take it out",
	"24":  "belongs to the server itself; take it out",
	"25":  "is the ticket; tell the group by another attribute, such as Filter-Id",
	"26":  "has no value of its own; name the vendor's attribute",
	"27":  "follows from the ticket; set ticket in the rule",
	"33":  "belongs to the proxy; take it out",
	"60":  "is a secret of the request; take it out",
	"79":  "belongs to EAP; take it out",
	"80":  "is made for each reply; take it out",
	"85":  "follows from interim of the client; set that",
	"102": "belongs to EAP; take it out",
}

// dictionary reads what is built in and the files of a folder.
func (t *table) dictionary(key string) *dictionary.Dictionary {
	d := dictionary.New()
	folder := t.text(key, "")
	if folder == "" {
		return d
	}
	folder = t.r.path(folder)
	for _, err := range d.Add(folder) {
		if fault := (*dictionary.Fault)(nil); errors.As(err, &fault) {
			t.fault(key, "%s%c%v", folder, filepath.Separator, fault)
		} else {
			t.fault(key, "%v; name a folder of dictionary files", err)
		}
	}
	return d
}

// readReplies reads the blocks of a client in their order, each some
// attributes for some groups.
func readReplies(client *table, d *dictionary.Dictionary) []Attribute {
	var list []Attribute
	for _, t := range client.tables("reply") {
		groups, attributes := t.groups("group"), t.table("attributes")
		if len(attributes.values) == 0 && !t.r.faults.blames(attributes.key) {
			t.fault("attributes", `is missing; write attributes = {Filter-Id = "staff"}`)
		}
		names := map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(attributes.values)) {
			a := readAttribute(attributes, name, d)
			if a == nil {
				continue
			}
			if other, twice := names[a.Number]; twice {
				attributes.fault(name, "is %s, too; put all its values into one list", other)
			}
			names[a.Number], a.Groups = name, groups
			list = append(list, *a)
		}
		t.close()
	}
	if n := most(list); n > maxReply {
		client.fault("reply", "comes to %d octets for somebody in all the groups, %d is the most; shorten it, or write single values instead of lists: of these one is sent", n, maxReply)
	}
	return list
}

// most is how many octets the attributes can have together, whatever groups
// somebody is in.
func most(list []Attribute) int {
	single, added := map[string]int{}, map[string]int{}
	for _, a := range list {
		if a.Only {
			single[a.Number] = max(single[a.Number], len(a.Octets))
		} else {
			added[a.Number] += len(a.Octets)
		}
	}
	octets := 0
	for number, n := range single {
		octets += max(n, added[number])
		delete(added, number)
	}
	for _, n := range added {
		octets += n
	}
	return octets
}

// groups reads patterns for groups, as a rule has them; none is everybody.
func (t *table) groups(key string) []string {
	list := t.words(key)
	if t.has(key) && len(list) == 0 && !t.r.faults.blames(t.name(key)) {
		t.fault(key, "is an empty list, which means everybody; fill it or take it out")
	}
	for _, pattern := range list {
		if pattern == "" {
			t.fault(key, "holds an empty name; take it out")
		}
		if _, err := path.Match(pattern, ""); err != nil {
			t.fault(key, "%q is not a pattern; close the bracket or put a backslash before it", pattern)
		}
	}
	return list
}

// readAttribute reads NAME = value, or a list of values; nil if it is faulty.
func readAttribute(t *table, name string, d *dictionary.Dictionary) *Attribute {
	given, _ := t.value(name)
	found, err := d.Find(name)
	number, _, _ := strings.Cut(found.Number, ":") // the tag apart
	switch why := owned[number]; {
	case errors.Is(err, dictionary.ErrUnknown):
		hint := "put its vendor's dictionary into the folder of radius.dictionaries"
		if near := nearest(name, d.Names()); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		t.fault(name, "%v; %s", err, hint)
		return nil
	case err != nil:
		t.fault(name, "%v", err)
		return nil
	case why != "":
		t.fault(name, "%s", why)
		return nil
	}
	a := &Attribute{Name: found.Name, Number: found.Number}
	for _, e := range t.attributeTexts(name, given) {
		octets, err := found.Octets(e.text)
		if err != nil {
			t.r.fault(e.key, "%v", err)
		}
		a.Octets = append(a.Octets, octets...)
	}
	if t.r.faults.blames(t.name(name)) {
		return nil
	}
	_, several := given.([]any)
	a.Only = !several
	return a
}

// attributeTexts is texts for values that may be numbers and times, too.
func (t *table) attributeTexts(name string, given any) []entry {
	list, several := given.([]any)
	if several && len(list) == 0 {
		t.fault(name, "is an empty list; fill it or take it out")
	}
	if !several {
		list = []any{given}
	}
	var texts []entry
	for i, v := range list {
		key := t.name(name)
		if several {
			key = fmt.Sprintf("%s[%d]", key, i)
		}
		switch v := v.(type) {
		case string:
			texts = append(texts, entry{key, v})
		case int64:
			texts = append(texts, entry{key, strconv.FormatInt(v, 10)})
		case time.Time:
			texts = append(texts, entry{key, v.Format(time.RFC3339)})
		default:
			t.r.fault(key, "is %s; write text in quotes or a whole number", kind(v))
		}
	}
	return texts
}
