package ldapproxy

import (
	"crypto/sha256"
	"net/netip"
	"slices"

	"sekisho/policy"
)

// marks are what a connection can be known by.
type marks struct {
	addr    netip.Addr
	through string            // the name of the listener
	key     [sha256.Size]byte // of the certificate that the client has shown; zero: none
	claim   *account          // that an application is known by, and that has bound here; nil: none
	binding string            // the canonical DN of one that is about to bind; "": none
}

// rank says how much of an application fits: what is harder to come by first.
type rank struct {
	key, claim, listener bool
	bits                 int // of the prefix; -1: none was asked for
}

func (r rank) above(other rank) bool {
	switch {
	case r.key != other.key:
		return r.key
	case r.claim != other.claim:
		return r.claim
	case r.listener != other.listener:
		return r.listener
	}
	return r.bits > other.bits
}

// find returns the application of a connection, nil if there is none. Of those
// that fit it is the one with a certificate, else the one with a bind DN, else
// that of the listener, else that of the longest prefix.
func (t *table) find(m marks) (found *app) {
	var best rank
	for _, a := range t.apps {
		if r, ok := a.fits(m); ok && (found == nil || r.above(best)) {
			found, best = a, r
		}
	}
	return found
}

// expects reports whether a connection may turn out to be an application's: it
// comes from where one does, and what else it is known by may follow.
func (t *table) expects(m marks) bool {
	return slices.ContainsFunc(t.apps, func(a *app) bool {
		_, ok := a.near(m)
		return ok
	})
}

// near reports whether the connection comes from where the application does.
func (a *app) near(m marks) (rank, bool) {
	r := rank{listener: len(a.Listeners) > 0, bits: -1}
	if len(a.Prefixes) > 0 {
		bits, ok := a.networks.Of(m.addr)
		if !ok {
			return r, false
		}
		r.bits = bits
	}
	return r, !r.listener || slices.Contains(a.Listeners, m.through)
}

func (a *app) fits(m marks) (rank, bool) {
	r, ok := a.near(m)
	r.key, r.claim = len(a.Certificates) > 0, len(a.claims) > 0
	if !ok || r.key && !slices.Contains(a.Certificates, m.key) {
		return r, false
	}
	return r, !r.claim || a.claimed(m)
}

// claimed reports whether one of its accounts is about to bind, or has bound
// with the password that it still has.
func (a *app) claimed(m marks) bool {
	if m.binding != "" {
		return slices.Contains(a.claims, m.binding)
	}
	if m.claim == nil || !slices.Contains(a.claims, m.claim.key) {
		return false
	}
	found := a.accounts[m.claim.key]
	return found != nil && found.password == m.claim.password
}

// checkKnown wants something that the application can be known by.
func (a *app) checkKnown(fault func(string, ...any)) {
	if len(a.Prefixes)+len(a.Listeners)+len(a.Certificates)+len(a.BindDNs) == 0 {
		fault("has no address, nor anything else to be known by")
	}
	var seen policy.Networks[bool]
	for _, prefix := range a.Prefixes {
		if _, twice := seen.Has(prefix); twice {
			fault("has the prefix %v twice", prefix)
		} else if !seen.Put(prefix, true) {
			fault("%v is not an address prefix", prefix)
		}
	}
	if slices.Contains(a.Listeners, "") {
		fault("a listener without a name")
	}
	if slices.Contains(a.Certificates, [sha256.Size]byte{}) { // whoever shows none would have it
		fault("a certificate of nothing")
	}
	for _, text := range a.BindDNs {
		if dn, err := canonicalDN(text); err != nil || a.accounts[dn] == nil {
			fault("bind DN %q is none of its accounts", text)
		}
	}
}

// checkApart wants something that tells it from another application wherever
// both could ask.
func (a *app) checkApart(other *app, fault func(string, ...any)) {
	if apart(a.Listeners, other.Listeners) || apart(a.Certificates, other.Certificates) || apart(a.claims, other.claims) {
		return
	}
	for _, prefix := range a.Prefixes {
		if _, shared := other.networks.Has(prefix); shared {
			fault("has the prefix %v of application %q", prefix, other.Name)
		}
	}
	if len(a.Prefixes)+len(other.Prefixes) == 0 {
		fault("nothing tells it from application %q", other.Name)
	}
}

// apart reports whether one of the two is known by what the other is not.
func apart[T comparable](a, b []T) bool {
	shared := slices.ContainsFunc(a, func(v T) bool { return slices.Contains(b, v) })
	return len(a)+len(b) > 0 && !shared
}
