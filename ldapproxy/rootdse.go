package ldapproxy

import (
	"maps"
	"slices"
	"strings"

	"sekisho/ldapproxy/wire"
)

// rootDSE answers with what the directory behind tells of itself (RFC 4512
// §5.1), less what is not served through here: programs act on it. It tells
// all that it has to whoever asks for "*", for "+" or for nothing by name, as
// Active Directory does.
func (r *relay) rootDSE(m wire.Message) disconnect {
	q, err := m.Search()
	if err != nil {
		return r.unreadable(m, err)
	}
	for _, c := range m.Controls {
		if c.Critical && !wire.Serves(m.Op, c.OID) {
			r.reply(m, unknownControl)
			return staying
		}
	}
	dse, ok := r.upstream.dse()
	if !ok {
		return r.refused(m, wire.ResultUnavailable, "the directory is away: try again")
	}
	dse = r.served(dse)
	if matchesDSE(q.Filter, dse) == isTrue {
		r.room()
		r.out = wire.AppendEntry(r.out, m.ID, "", selectDSE(dse, q.Attributes, q.TypesOnly))
	}
	r.reply(m, wire.Result{})
	return staying
}

// served is a RootDSE as it is true of this door.
func (r *relay) served(behind map[string][]string) map[string][]string {
	dse := make(map[string][]string, len(behind)+1)
	for name, values := range behind {
		switch strings.ToLower(name) {
		case "supportedsaslmechanisms", "supportedauthpasswordschemes", "altserver", "ref", "vendorname", "vendorversion":
			continue
		case "supportedldapversion":
			values = []string{"3"}
		case "supportedcontrol":
			values = without(values, func(oid string) bool { return oid == wire.OIDProxyAuthorization || oid == oidProxiedOld })
		case "supportedextension":
			continue
		}
		dse[name] = values
	}
	dse["vendorName"] = []string{"Sekisho"}
	app := r.appOf(r.server.table.Load())
	extensions := without(valuesOf(behind, "supportedExtension"), func(oid string) bool {
		return oid != wire.OIDWhoAmI && oid != wire.OIDCancel && (oid != wire.OIDModifyPassword || app == nil || !app.Writes)
	})
	if r.offersTLS() {
		extensions = append(extensions, wire.OIDStartTLS)
	}
	if len(extensions) > 0 {
		dse["supportedExtension"] = extensions
	}
	return dse
}

// dse is the latest RootDSE of the directory behind, and whether there is one.
func (u *Upstream) dse() (map[string][]string, bool) {
	if u.RootDSE == nil {
		return nil, false
	}
	return u.RootDSE()
}

func without(values []string, no func(string) bool) []string {
	return slices.DeleteFunc(slices.Clone(values), no)
}

// valuesOf are those of an attribute, in whatever case.
func valuesOf(dse map[string][]string, attribute string) []string {
	if values, ok := dse[attribute]; ok {
		return values
	}
	for name, values := range dse {
		if strings.EqualFold(name, attribute) {
			return values
		}
	}
	return nil
}

// selectDSE are the attributes that a search asks for (RFC 4511 §4.5.1.8).
func selectDSE(dse map[string][]string, names []string, typesOnly bool) []wire.Attribute {
	all := len(names) == 0 || slices.Contains(names, "*") || slices.Contains(names, "+")
	var out []wire.Attribute
	for _, name := range slices.Sorted(maps.Keys(dse)) {
		asked := all || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
		if !asked || len(dse[name]) == 0 {
			continue
		}
		a := wire.Attribute{Name: name, Values: dse[name]}
		if typesOnly {
			a.Values = nil
		}
		out = append(out, a)
	}
	return out
}

// truth is what a filter comes to (RFC 4511 §4.5.1.7): of "not" the opposite,
// of "and" the least, of "or" the most.
type truth int

const (
	isFalse truth = iota - 1
	isUndefined
	isTrue
)

// matchesDSE tells whether the RootDSE matches. Nearly every program asks for
// (objectClass=*); of the rest, presence and equality are known here.
func matchesDSE(f *wire.Filter, dse map[string][]string) truth {
	switch f.Kind {
	case wire.FilterAnd, wire.FilterOr:
		sum := isTrue
		if f.Kind == wire.FilterOr {
			sum = isFalse
		}
		for _, child := range f.Children {
			t := matchesDSE(child, dse)
			if f.Kind == wire.FilterAnd {
				sum = min(sum, t)
			} else {
				sum = max(sum, t)
			}
		}
		return sum
	case wire.FilterNot:
		return -matchesDSE(f.Children[0], dse)
	case wire.FilterPresent:
		return truthOf(strings.EqualFold(f.Attribute, "objectClass") || len(valuesOf(dse, f.Attribute)) > 0)
	case wire.FilterEqual:
		return truthOf(slices.ContainsFunc(valuesOf(dse, f.Attribute), func(v string) bool { return strings.EqualFold(v, string(f.Value)) }))
	}
	return isUndefined
}

func truthOf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}
