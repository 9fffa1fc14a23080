package ldapproxy

import (
	"slices"

	"sekisho/ldapproxy/tree"
	"sekisho/ldapproxy/wire"
)

const (
	// oidProxiedOld is the first draft of proxied authorization, which servers
	// still know.
	oidProxiedOld = "2.16.840.1.113730.3.4.12"

	oidAssertion     = "1.3.6.1.1.12"            // RFC 4528
	oidMatchedValues = "1.2.826.0.1.3344810.2.3" // RFC 3876
	oidSort          = "1.2.840.113556.1.4.473"  // RFC 2891
)

// controls passes most of them on to whom they are for. But a bind is ours to
// judge, so of its controls only those pass that we know; and there are
// controls by which one acts as another, or asks about a password.
func (r *relay) controls(a *app, m wire.Message) wire.Result {
	if m.Op == wire.OpBind {
		return r.controlsOfBind(a, m)
	}
	for _, c := range m.Controls {
		switch c.OID {
		case wire.OIDProxyAuthorization, oidProxiedOld:
			if r.session.account == nil && !r.passesAll() {
				// Also where it is not critical, which is malformed: as whom
				// would the operation be done (RFC 4370 §3)? The code says
				// that it is the control that is not allowed: insufficient
				// rights would seem to be about the entry (RFC 4370 §4).
				return wire.Result{Code: wire.ResultAuthorizationDenied, Diagnostic: "only service accounts act for others"}
			}
		case oidAssertion, oidMatchedValues, oidSort:
			if !r.passesAll() && asksSecret(c) {
				return wire.Result{Code: wire.ResultInsufficientAccessRights, Diagnostic: "not on a password"}
			}
		}
	}
	return wire.Result{}
}

// controlsOfBind refuses a critical control that is not passed on, before
// anything is judged.
func (r *relay) controlsOfBind(a *app, m wire.Message) wire.Result {
	if a != nil && a.Observe {
		return wire.Result{}
	}
	for _, c := range m.Controls {
		if c.Critical && !a.believes(c) && !(c.OID == wire.OIDPasswordPolicy && r.supports(c.OID)) {
			return unknownControl
		}
	}
	return wire.Result{}
}

// supports reports whether the directory behind lists a control. One that
// does not may answer a critical one in whatever way.
func (r *relay) supports(oid string) bool {
	dse, _ := r.upstream.dse()
	return slices.Contains(valuesOf(dse, "supportedControl"), oid)
}

// passedOn is the controls of a bind that pass.
func passedOn(controls []wire.Control) []wire.Control {
	var out []wire.Control
	for _, c := range controls {
		if c.OID == wire.OIDPasswordPolicy {
			out = append(out, c)
		}
	}
	return out
}

// asksSecret reports whether a control asks about a password, as a filter
// would, or can't be read.
func asksSecret(c wire.Control) bool {
	if c.OID == oidAssertion {
		return wire.ScanFilter(c.Value, tree.IsPassword[[]byte])
	}
	d := wire.Decoder{Rest: c.Value, Strict: true}
	list := d.Within(wire.TagSequence)
	for list.More() {
		if c.OID == oidMatchedValues {
			tag, body := list.Next()
			if wire.ScanFilter(wire.Element(tag, body), tree.IsPassword[[]byte]) {
				return true
			}
			continue
		}
		key := list.Within(wire.TagSequence)
		if tree.IsPassword(key.Text(wire.TagString)) {
			return true
		}
		for _, tag := range []byte{0x80, 0x81} { // orderingRule, reverseOrder
			if key.Peek() == tag {
				key.Take(tag)
			}
		}
		if key.End() != nil {
			return true
		}
	}
	return list.Err != nil || d.More()
}
