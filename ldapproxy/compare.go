package ldapproxy

// compare answers a compare (RFC 4511 §4.10). Whether an entry has some
// password is nobody's to ask, not even whether there is the entry.
func (t *tree) compare(req *compareRequest, who asker) result {
	if isPassword(req.attribute) {
		return result{code: resultInsufficientAccessRights}
	}
	id, r := t.target(req.dn, who)
	if r.code != resultSuccess {
		return r
	}
	a, ok := attributeNamed(req.attribute)
	if !ok {
		return result{code: resultUndefinedAttributeType}
	}
	if kinds[a.kind()].equality == "" {
		return result{code: resultInappropriateMatching}
	}
	m := matcher{tree: t}
	present := described(req.attribute, func(a attr) clause { return clause{op: opPresent, attr: a} })
	equal := described(req.attribute, func(a attr) clause { return t.equal(a, req.value) })
	switch {
	case m.matches(&present, id) != yes:
		return result{code: resultNoSuchAttribute}
	case m.matches(&equal, id) == yes:
		return result{code: resultCompareTrue}
	case m.matches(&equal, id) == undefined:
		return result{code: resultInvalidAttributeSyntax}
	}
	return result{code: resultCompareFalse}
}
