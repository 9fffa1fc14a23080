package tree

import (
	"time"

	"sekisho/ldapproxy/wire"
)

// The scopes of a search (RFC 4511 §4.5.1.2).
const (
	scopeBase = 0
	ScopeOne  = 1
	ScopeSub  = 2
)

// Asker is who searches or compares, and within which bounds.
type Asker struct {
	Admitted  bool // sees the whole tree; else the root DSE alone
	StartTLS  bool // is offered StartTLS here
	SizeLimit int  // entries; 0: unlimited
	TimeLimit time.Duration
	Pages     *Pages // of this connection
	Now       func() time.Time
	Gone      func() bool // nobody waits for an answer any more; nil: somebody does
}

// search answers a search (RFC 4511 §4.5). paged is the request's paged
// results control, nil for none. emit is given each entry; what it is given
// is good until it returns, and false ends the search. The controls belong to
// the SearchResultDone.
func (t *tree) search(req *wire.SearchRequest, paged *wire.Control, who Asker, emit func(dn string, attributes []wire.Attribute) bool) (wire.Result, []wire.Control) {
	if req.Scope < scopeBase || req.Scope > ScopeSub {
		return wire.Result{Code: wire.ResultProtocolError, Diagnostic: "unknown scope"}, nil
	}
	base, r := t.target(req.Base, who)
	if r.Code != wire.ResultSuccess {
		return r, nil
	}
	if base <= idRootTLS && req.Scope != scopeBase {
		// The root DSE is in no subtree, and there is no other entry up there.
		return t.outOfReach(who), nil
	}
	var pg page
	if paged != nil {
		var r wire.Result
		if pg, r = who.Pages.open(req, paged.Value); r.Code != wire.ResultSuccess {
			return r, nil
		}
		if pg.last {
			return wire.Result{}, []wire.Control{wire.PagedControl(0, nil)}
		}
	}
	r, next := t.walk(req, who, base, &pg, emit)
	if pg.size == 0 {
		return r, nil
	}
	if next == noID {
		return r, []wire.Control{wire.PagedControl(0, nil)}
	}
	pg.from = t.position(next)
	return r, []wire.Control{wire.PagedControl(0, who.Pages.keep(pg))}
}

// target is the entry that a request is about, or why it is none.
func (t *tree) target(dn string, who Asker) (uint32, wire.Result) {
	if !who.Admitted && dn != "" {
		return noID, t.outOfReach(who) // a stranger's DN is not even read
	}
	id, above, err := t.find(dn)
	switch {
	case err != nil:
		return noID, wire.Result{Code: wire.ResultInvalidDNSyntax, Diagnostic: "not a DN"}
	case id == idRoot && who.StartTLS:
		return idRootTLS, wire.Result{}
	case id == idRoot:
		return idRoot, wire.Result{}
	case id == noID && above == noID:
		return noID, wire.Result{Code: wire.ResultNoSuchObject}
	case id == noID:
		return noID, wire.Result{Code: wire.ResultNoSuchObject, Matched: t.dn(above)}
	}
	return id, wire.Result{}
}

// outOfReach says that there is nothing, or, to whom nothing may be told, to
// bind first.
func (t *tree) outOfReach(who Asker) wire.Result {
	if !who.Admitted {
		return wire.Result{Code: wire.ResultInsufficientAccessRights, Diagnostic: "bind first"}
	}
	return wire.Result{Code: wire.ResultNoSuchObject}
}

// walk sends the entries that match. next is the one that begins the next
// page; noID: there is none.
func (t *tree) walk(req *wire.SearchRequest, who Asker, base uint32, pg *page, emit func(string, []wire.Attribute) bool) (r wire.Result, next uint32) {
	limit := lower(req.SizeLimit, int64(who.SizeLimit))
	m := matcher{tree: t, patience: patience{
		limit: time.Duration(lower(min(req.TimeLimit, 1<<31)*int64(time.Second), int64(who.TimeLimit))),
		began: who.Now(), now: who.Now, gone: who.Gone,
	}}
	filter := t.compile(req.Filter)
	scope := t.scope(base, req.Scope)
	among := candidates{all: true}
	if req.Scope != scopeBase {
		among = t.plan(&filter)
	}
	out := renderer{tree: t, wanted: wanted(req.Attributes), typesOnly: req.TypesOnly}
	sent := int32(0)
	for id := range among.entries(scope, t.at(pg.from)) {
		match := m.matches(&filter, id)
		if m.ended != 0 {
			return wire.Result{Code: m.ended}, noID
		}
		if match != yes {
			continue
		}
		if limit > 0 && pg.sent == limit {
			return wire.Result{Code: wire.ResultSizeLimitExceeded}, noID
		}
		if pg.size > 0 && sent == pg.size {
			return wire.Result{}, id
		}
		if !emit(out.entry(id)) {
			return wire.Result{}, noID
		}
		m.spend(len(out.values))
		sent++
		pg.sent++
	}
	return wire.Result{}, noID
}

// lower is the lower of two limits, where 0 is none.
func lower(a, b int64) int64 {
	if a <= 0 || b > 0 && b < a {
		return max(b, 0)
	}
	return a
}
