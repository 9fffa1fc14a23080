//go:build linux

package ldapproxy

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"sekisho/ldapproxy/tree"
	"sekisho/ldapproxy/wire"
)

// known are the differences that there may be, each with its reason.
var known = []struct {
	why  string
	fits func(*contest) bool
}{
	{"slapd has fallen over an assertion of its own", func(q *contest) bool { return q.fell }},

	// What is no message.
	{"a connection ends with last words, or without (RFC 4511 §4.1.1)", func(q *contest) bool {
		return q.ours.ended && q.theirs.ended && q.ours.lastWords() && q.theirs.lastWords()
	}},
	{"slapd looks at few tags and sizes of BER (X.690 §8; RFC 4511 §5.1, §4.1.1)", func(q *contest) bool {
		return q.ours.ended && q.ours.lastWords() && !q.theirs.ended && q.unsound()
	}},
	{"lengths that do not fit into each other (X.690 §8.1.3); slapd heeds few of them", func(q *contest) bool {
		return q.ours.ended && q.ours.lastWords() && !tiles(q.frame[:min(len(q.frame), 1<<16)], 0)
	}},
	{"an operation of too few parts or too many; slapd counts none, or never comes so far", func(q *contest) bool {
		return q.miscounted() && !q.theirs.ended || q.ours.ended && q.ours.lastWords() && !q.isNameToSlapd() && q.toldThem(wire.ResultInvalidDNSyntax)
	}},
	{"both say protocolError, as a response or as last words (RFC 4511 §4.1.1)", func(q *contest) bool {
		return len(q.ours.replies) == 1 && q.ours.code() == wire.ResultProtocolError &&
			(len(q.theirs.replies) == 1 && q.theirs.code() == wire.ResultProtocolError || q.theirs.ended && q.theirs.lastWords())
	}},
	{"an Abandon that names nothing is discarded; slapd ends the connection (RFC 4511 §4.11)", func(q *contest) bool {
		_, err := q.m.Abandoned()
		return q.m.Op == wire.OpAbandon && err != nil && len(q.ours.replies) == 0 && !q.ours.ended && q.theirs.lastWords()
	}},

	// What may not be asked.
	{"who is not bound and may not search is told so before anything is read", func(q *contest) bool {
		return q.how == shutOut && !q.bound && q.asks() && q.refusedWith(wire.ResultInsufficientAccessRights)
	}},
	{"a password is never compared", func(q *contest) bool {
		c, ok := q.compare()
		return ok && tree.IsPassword(c.Attribute) && q.refusedWith(wire.ResultInsufficientAccessRights) && !q.theirs.ended
	}},
	{"whoever is bound can change nothing, and that is said unread", func(q *contest) bool {
		return q.changes() && (q.bound && q.refusedWith(wire.ResultUnwillingToPerform) || !q.bound && q.refusedWith(wire.ResultStrongerAuthRequired))
	}},
	{"no extended operation is served that slapd has besides", func(q *contest) bool {
		return slices.Contains(ofSlapd, q.extended()) && (q.refusedWith(wire.ResultProtocolError) || q.refusedWith(wire.ResultUnavailableCritical)) && !q.theirs.ended
	}},

	{"there is never anything to cancel; slapd may find what it has just answered, and reads less of the value (RFC 3909 §2.3)", func(q *contest) bool {
		return q.extended() == wire.OIDCancel && (q.refusedWith(wire.ResultNoSuchOperation) || q.refusedWith(wire.ResultProtocolError)) && !q.theirs.ended
	}},

	// Controls.
	{"a control is there twice", func(q *contest) bool {
		return q.doubled() && q.refusedWith(wire.ResultProtocolError)
	}},
	{"a critical control that only slapd serves is unknown (RFC 4511 §4.1.11)", func(q *contest) bool {
		return q.hasControl(true, controlsOfSlapd) && q.refusedWith(wire.ResultUnavailableCritical)
	}},
	{"slapd acts on a control that we ignore, where it is not critical (RFC 4511 §4.1.11)", func(q *contest) bool {
		return q.hasControl(false, controlsOfSlapd) && !q.ours.ended
	}},
	{"a critical control that has no meaning for the operation (RFC 4511 §4.1.11); slapd lets it pass", func(q *contest) bool {
		return q.refusedWith(wire.ResultUnavailableCritical) && !q.theirs.ended && q.m.Op != wire.OpSearch && q.hasControl(true, []string{wire.OIDPaged, wire.OIDManageDsaIT})
	}},
	{"a control whose name is no OID makes the request malformed; to slapd it is one more that it does not know (RFC 4511 §4.1.2)", func(q *contest) bool {
		return q.err != nil && q.refusedWith(wire.ResultProtocolError) && !q.theirs.ended && slices.ContainsFunc(controlNamesOf(q.frame), func(name string) bool {
			return !oidForm.MatchString(name)
		})
	}},
	{"of two faults we name the critical control", func(q *contest) bool {
		return q.refusedWith(wire.ResultUnavailableCritical) && (q.fault() != 0 || q.theirs.ended && q.theirs.lastWords() || q.theirs.code() == wire.ResultProtocolError || q.toldThem(wire.ResultInvalidDNSyntax))
	}},
	{"slapd reads the value of a control before anything else, and looks at few tags; we read it where it is needed", func(q *contest) bool {
		c, ok := q.m.Control(wire.OIDPaged)
		_, _, err := wire.ParsePaged(c.Value)
		d, dsa := q.m.Control(wire.OIDManageDsaIT)
		return !q.ours.ended && (ok && (err != nil || q.m.Op != wire.OpSearch) && (q.toldThem(wire.ResultProtocolError) || q.refusedWith(wire.ResultProtocolError)) ||
			dsa && d.HasValue && q.toldThem(wire.ResultProtocolError))
	}},
	{"what a later version may have appended is ignored; slapd refuses it, or takes it for what comes next (RFC 4511 §4)", func(q *contest) bool {
		return q.appended() && !q.ours.ended
	}},

	// Names.
	{"a service account binds from its own application only", func(q *contest) bool {
		return q.how == shutOut && q.m.Op == wire.OpBind && q.refusedWith(wire.ResultInvalidCredentials) && q.toldThem(wire.ResultSuccess)
	}},
	{"of two faults we name the scope, the filter, the version or the method, and slapd the DN", func(q *contest) bool {
		return !q.isNameToSlapd() && (q.refusedWith(wire.ResultProtocolError) || q.refusedWith(wire.ResultAuthMethodNotSupported) || q.refusedWith(wire.ResultUnwillingToPerform)) && q.toldThem(wire.ResultInvalidDNSyntax)
	}},
	{"a name to bind as may be anything that the gate knows", func(q *contest) bool {
		return q.m.Op == wire.OpBind && q.refusedWith(wire.ResultInvalidCredentials) && !strings.Contains(q.name(), "=") && q.toldThem(wire.ResultInvalidDNSyntax)
	}},
	{"nobody's name has control characters", func(q *contest) bool {
		return q.m.Op == wire.OpBind && strings.ContainsFunc(q.name(), unicode.IsControl) && q.refusedWith(wire.ResultInvalidDNSyntax) && !q.theirs.ended
	}},
	{"slapd knows the DNs of its own schema only, no oid. before a type and no #hex of text (RFC 4514 §2.4, §3)", func(q *contest) bool {
		return q.isDN() && !q.isNameToSlapd() && !q.ours.ended && q.toldThem(wire.ResultInvalidDNSyntax)
	}},
	{"tabs and such are spaces in a name (RFC 4518 §2.2), and slapd finds none with them", func(q *contest) bool {
		return strings.ContainsAny(q.name(), "\t\n\v\f\r") && !q.ours.ended && q.toldThem(wire.ResultNoSuchObject)
	}},
	{"slapd takes a DN with quotes, too (RFC 4514 has none; RFC 2253 §4 had)", func(q *contest) bool {
		return !q.isDN() && strings.Contains(q.name(), `="`) && (q.refusedWith(wire.ResultInvalidDNSyntax) || q.refusedWith(wire.ResultProtocolError)) && !q.theirs.ended
	}},
	{"slapd takes options in a DN, which has none (RFC 4514 §3)", func(q *contest) bool {
		return !q.isDN() && strings.Contains(q.name(), ";") && q.refusedWith(wire.ResultInvalidDNSyntax) && !q.theirs.ended
	}},

	// Searches.
	{"slapd knows a fourth scope, children (draft-sermersheim-ldap-subordinate-scope)", func(q *contest) bool {
		s := q.search()
		return s != nil && s.Scope == 3 && q.refusedWith(wire.ResultProtocolError) && !q.theirs.ended
	}},
	{"slapd looks at the parts of a filter only where it knows the attribute (RFC 4511 §4.5.1.7.2, §4.5.1.7.7)", func(q *contest) bool {
		return q.readable() && q.m.Op == wire.OpSearch && q.fault() == wire.ResultProtocolError && q.refusedWith(wire.ResultProtocolError) && !q.theirs.ended && slices.Contains([]int{wire.ResultSuccess, wire.ResultSizeLimitExceeded, wire.ResultNoSuchObject}, q.theirs.code())
	}},
	{"what can't be an attribute description is Undefined; slapd refuses the search", func(q *contest) bool {
		s := q.search()
		return s != nil && anyOf(s.Filter, func(f *wire.Filter) bool { return strings.ContainsFunc(f.Attribute, notOfType) }) && q.toldThem(wire.ResultProtocolError)
	}},

	{"an empty part of a substrings filter is Undefined; slapd refuses the search", func(q *contest) bool {
		s := q.search()
		return s != nil && anyOf(s.Filter, hasEmptyPart) && !q.ours.ended && (q.toldThem(wire.ResultProtocolError) || q.theirs.ended && q.theirs.lastWords())
	}},
	{"with an empty part slapd is done before it comes to the controls", func(q *contest) bool {
		s := q.search()
		return s != nil && anyOf(s.Filter, hasEmptyPart) && q.refusedWith(wire.ResultUnavailableCritical) && q.toldThem(wire.ResultSuccess)
	}},
	{"tabs and such are spaces in a value (RFC 4518 §2.2), and to slapd nothing", func(q *contest) bool {
		c, ok := q.compare()
		return q.filters(func(f *wire.Filter) bool {
			return hasBlanks(f.Value) || slices.ContainsFunc(f.Any, hasBlanks) || hasBlanks(f.Initial) || hasBlanks(f.Final)
		}) ||
			ok && hasBlanks(c.Value) && q.refusedWith(wire.ResultCompareTrue) && q.toldThem(wire.ResultCompareFalse)
	}},
	{"slapd has more matching rules, equality for certificates, and looks at the value where no attribute has the rule", func(q *contest) bool {
		s := q.search()
		return s != nil && anyOf(s.Filter, func(f *wire.Filter) bool {
			return slices.Contains(rulesOfSlapd, f.Rule) || slices.Contains(otherwiseMatched, f.Attribute)
		}) && !q.ours.ended && !q.theirs.ended
	}},
	{"~= is equality; slapd matches by sound (RFC 4511 §4.5.1.7.6)", func(q *contest) bool {
		return q.filters(func(f *wire.Filter) bool { return f.Kind == wire.FilterApprox })
	}},
	{"a rule of text fits every text here; with slapd only its own syntax", func(q *contest) bool {
		return q.filters(func(f *wire.Filter) bool {
			return f.Kind == wire.FilterExtensible && slices.Contains(rulesOfText, strings.ToLower(f.Rule)) && !slices.Contains(directoryStrings, strings.ToLower(f.Attribute))
		})
	}},
	{"slapd drops a part that is nothing but spaces, where text is ASCII (RFC 4518 §2.6.1 makes one space of it)", func(q *contest) bool {
		return q.filters(hasBlankPart)
	}},
	{"a value that is a DN to us only, or to slapd only", func(q *contest) bool {
		return q.filters(func(f *wire.Filter) bool {
			return strings.Contains(string(f.Value), "=") && !isNameToSlapd(string(f.Value))
		})
	}},
	{"a page of no size is the end; slapd goes on (RFC 2696 §3)", func(q *contest) bool {
		c, ok := q.m.Control(wire.OIDPaged)
		size, _, err := wire.ParsePaged(c.Value)
		return ok && err == nil && size == 0 && q.toldUs(wire.ResultSuccess) && !q.theirs.ended && q.theirs.code() == wire.ResultSuccess
	}},
	{"slapd knows an attribute with an option, where it may have a language or be binary (RFC 4512 §2.5.2: unknown ones are no attribute)", func(q *contest) bool {
		return q.filters(func(f *wire.Filter) bool { return strings.Contains(f.Attribute, ";") })
	}},
	{"slapd takes the super-classes for structuralObjectClass, too (RFC 4512 §3.4.4)", func(q *contest) bool {
		return q.filters(func(f *wire.Filter) bool { return f.Attribute == "structuralObjectClass" })
	}},
	{"the subschema is each server's own", func(q *contest) bool {
		own := []int{wire.ResultSuccess, wire.ResultCompareTrue, wire.ResultCompareFalse, wire.ResultNoSuchAttribute}
		return q.asks() && isSubschema(q.name()) && !q.ours.ended && !q.theirs.ended && slices.Contains(own, q.ours.code()) && slices.Contains(own, q.theirs.code())
	}},
	{"an attribute that slapd computes is in no filter", func(q *contest) bool {
		return q.filters(func(f *wire.Filter) bool {
			return f.Kind == wire.FilterExtensible && (f.Attribute == "" && f.Rule != "" || f.Attribute == "hasSubordinates") || slices.Contains(computed, f.Attribute)
		})
	}},
	{"objectIdentifierMatch of an object class goes by its name, too; in slapd only where it is the attribute's own", func(q *contest) bool {
		return q.filters(func(f *wire.Filter) bool {
			return f.Kind == wire.FilterExtensible && strings.EqualFold(f.Attribute, "objectClass")
		})
	}},
	{"a filter on a password is Undefined", func(q *contest) bool {
		return q.filters(func(f *wire.Filter) bool { return tree.IsPassword(f.Attribute) })
	}},
	{"nobody has a telephone number, and what can be one is not looked at closely", func(q *contest) bool {
		return q.filters(func(f *wire.Filter) bool { return f.Attribute == "telephoneNumber" })
	}},
	{"no part of a DN is a UUID, so that it is none is False; Undefined in slapd (RFC 4511 §4.5.1.7.7)", func(q *contest) bool {
		return q.filters(func(f *wire.Filter) bool { return f.Attribute == "entryUUID" && f.DNAttrs })
	}},
	{"an empty name of a rule is none; to slapd it is one that it does not know", func(q *contest) bool {
		return q.filters(func(f *wire.Filter) bool { return f.Kind == wire.FilterExtensible && f.Rule == "" }) && bytes.Contains(q.frame, []byte{wire.TagMatchingRule, 0})
	}},
	{"of the root DSE and the subschema there is one page; slapd has none of it", func(q *contest) bool {
		s := q.search()
		return s != nil && (s.Base == "" || isSubschema(s.Base)) && len(q.ours.replies) == len(q.theirs.replies) && q.toldUs(wire.ResultSuccess) && q.theirs.code() == wire.ResultSuccess && !q.theirs.ended
	}},
	{"the subschema is no tree; slapd lets it be searched by itself only (RFC 4512 §4.4)", func(q *contest) bool {
		s := q.search()
		return s != nil && s.Scope != 0 && isSubschema(s.Base) && q.toldUs(wire.ResultSuccess) && q.toldThem(wire.ResultNoSuchObject)
	}},
	{"a foreign cookie", func(q *contest) bool {
		c, ok := q.m.Control(wire.OIDPaged)
		_, cookie, _ := wire.ParsePaged(c.Value)
		return ok && len(cookie) > 0 && q.refusedWith(wire.ResultProtocolError) && !q.theirs.ended
	}},

	// Compares.
	{"of an entry or attribute that is not there, slapd looks at the assertion first (RFC 4511 §4.10)", func(q *contest) bool {
		_, ok := q.compare()
		return ok && (q.refusedWith(wire.ResultNoSuchObject) && (q.toldThem(wire.ResultUndefinedAttributeType) || q.toldThem(wire.ResultInappropriateMatching)) ||
			(q.refusedWith(wire.ResultNoSuchObject) || q.refusedWith(wire.ResultNoSuchAttribute)) && q.toldThem(wire.ResultInvalidAttributeSyntax))
	}},
	{"a value that is a DN to us only, or to slapd only, of a compare", func(q *contest) bool {
		c, ok := q.compare()
		return ok && strings.Contains(string(c.Value), "=") && !isNameToSlapd(string(c.Value)) && len(q.ours.replies) == 1 && len(q.theirs.replies) == 1 &&
			(q.refusedWith(wire.ResultInvalidAttributeSyntax) || q.toldThem(wire.ResultInvalidAttributeSyntax))
	}},
	{"any OID in dots can be the value of one; slapd wants to know it (RFC 4517 §4.2.26)", func(q *contest) bool {
		c, ok := q.compare()
		return ok && strings.Trim(string(c.Value), ".0123456789") == "" && q.refusedWith(wire.ResultCompareFalse) && q.toldThem(wire.ResultInvalidAttributeSyntax)
	}},
	{"an attribute that slapd matches by another rule, or computes", func(q *contest) bool {
		c, ok := q.compare()
		return ok && (slices.Contains(otherwiseMatched, c.Attribute) || c.Attribute == "hasSubordinates" || slices.Contains(computed, c.Attribute)) && !q.ours.ended && len(q.theirs.replies) == 1 && !q.theirs.ended
	}},
	{"an attribute that slapd's schema has besides", func(q *contest) bool {
		_, ok := q.compare()
		return ok && q.refusedWith(wire.ResultUndefinedAttributeType) && q.toldThem(wire.ResultNoSuchAttribute)
	}},
	{"an attribute with an option is none that we know (RFC 4512 §2.5.2)", func(q *contest) bool {
		c, ok := q.compare()
		return ok && strings.Contains(c.Attribute, ";") && q.refusedWith(wire.ResultUndefinedAttributeType) && (q.toldThem(wire.ResultNoSuchAttribute) || q.toldThem(wire.ResultInvalidAttributeSyntax))
	}},
}

func hasBlanks(value []byte) bool { return bytes.ContainsAny(value, "\t\n\v\f\r") }

var oidForm = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*$`)

var (
	rulesOfSlapd     = []string{"caseIgnoreOrderingMatch", "2.5.13.3", "octetStringMatch", "numericStringMatch", "integerBitAndMatch", "1.2.840.113556.1.4.803", "caseIgnoreSubstringsMatch", "telephoneNumberMatch"}
	rulesOfText      = []string{"caseignorematch", "2.5.13.2", "caseexactmatch", "2.5.13.5", "caseignoreia5match", "1.3.6.1.4.1.1466.109.114.2", "caseexactia5match", "1.3.6.1.4.1.1466.109.114.1"}
	directoryStrings = []string{"uid", "cn", "sn", "ou", "o", "name", "displayname"}
	typesOfNames     = []string{"uid", "userid", "0.9.2342.19200300.100.1.1", "cn", "commonname", "2.5.4.3", "ou", "organizationalunitname", "2.5.4.11", "o", "dc"}
	computed         = []string{"entryDN", "structuralObjectClass", "subschemaSubentry"}
	otherwiseMatched = []string{"userCertificate", "supportedControl", "attributeTypes"}

	ofSlapd         = []string{"1.3.6.1.1.21.1", "1.3.6.1.1.21.3", wire.OIDModifyPassword, "1.3.6.1.4.1.4203.666.6.5"}
	controlsOfSlapd = []string{wire.OIDProxyAuthorization, wire.OIDPasswordPolicy, wire.OIDSync, oidAssertion, oidMatchedValues, "1.3.6.1.4.1.4203.1.10.1", "1.3.6.1.4.1.4203.666.5.12",
		"1.2.840.113556.1.4.1339", "1.3.6.1.1.13.2", "1.3.6.1.4.1.4203.666.5.2", wire.OIDSessionTracking}
)

// whyDifferent is why the two may differ in this; "": they may not.
func whyDifferent(q *contest) string {
	for _, k := range known {
		if k.fits(q) {
			return k.why
		}
	}
	return ""
}
