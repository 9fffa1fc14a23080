package tree

import "sekisho/ldapproxy/wire"

// compare answers a compare (RFC 4511 §4.10). Whether an entry has some
// password is nobody's to ask, not even whether there is the entry.
func (t *tree) compare(req *wire.CompareRequest, who Asker) wire.Result {
	if IsPassword(req.Attribute) {
		return wire.Result{Code: wire.ResultInsufficientAccessRights}
	}
	id, r := t.target(req.DN, who)
	if r.Code != wire.ResultSuccess {
		return r
	}
	a, ok := attributeNamed(req.Attribute)
	if !ok {
		return wire.Result{Code: wire.ResultUndefinedAttributeType}
	}
	if kinds[a.kind()].equality == "" {
		return wire.Result{Code: wire.ResultInappropriateMatching}
	}
	m := matcher{tree: t}
	present := described(req.Attribute, func(a attr) clause { return clause{op: opPresent, attr: a} })
	equal := described(req.Attribute, func(a attr) clause { return t.equal(a, req.Value) })
	switch {
	case m.matches(&present, id) != yes:
		return wire.Result{Code: wire.ResultNoSuchAttribute}
	case m.matches(&equal, id) == yes:
		return wire.Result{Code: wire.ResultCompareTrue}
	case m.matches(&equal, id) == undefined:
		return wire.Result{Code: wire.ResultInvalidAttributeSyntax}
	}
	return wire.Result{Code: wire.ResultCompareFalse}
}
