package ldapproxy

import "time"

// The scopes of a search (RFC 4511 §4.5.1.2).
const (
	scopeBase = 0
	scopeOne  = 1
	scopeSub  = 2
)

// asker is who searches or compares, and within which bounds.
type asker struct {
	admitted  bool // sees the whole tree; else the root DSE alone
	startTLS  bool // is offered StartTLS here
	sizeLimit int  // entries; 0: unlimited
	timeLimit time.Duration
	pages     *pages // of this connection
	now       func() time.Time
	gone      func() bool // nobody waits for an answer any more; nil: somebody does
}

// search answers a search (RFC 4511 §4.5). paged is the request's paged
// results control, nil for none. emit is given each entry; what it is given
// is good until it returns, and false ends the search. The controls belong to
// the SearchResultDone.
func (t *tree) search(req *searchRequest, paged *control, who asker, emit func(dn string, attributes []attribute) bool) (result, []control) {
	if req.scope < scopeBase || req.scope > scopeSub {
		return result{code: resultProtocolError, diagnostic: "unknown scope"}, nil
	}
	base, r := t.target(req.base, who)
	if r.code != resultSuccess {
		return r, nil
	}
	if base <= idRootTLS && req.scope != scopeBase {
		// The root DSE is in no subtree, and there is no other entry up there.
		return t.outOfReach(who), nil
	}
	var pg page
	if paged != nil {
		var r result
		if pg, r = who.pages.open(req, paged.value); r.code != resultSuccess {
			return r, nil
		}
		if pg.last {
			return result{}, []control{pagedControl(0, nil)}
		}
	}
	r, next := t.walk(req, who, base, &pg, emit)
	if pg.size == 0 {
		return r, nil
	}
	if next == noID {
		return r, []control{pagedControl(0, nil)}
	}
	pg.from = t.position(next)
	return r, []control{pagedControl(0, who.pages.keep(pg))}
}

// target is the entry that a request is about, or why it is none.
func (t *tree) target(dn string, who asker) (uint32, result) {
	if !who.admitted && dn != "" {
		return noID, t.outOfReach(who) // a stranger's DN is not even read
	}
	id, above, err := t.find(dn)
	switch {
	case err != nil:
		return noID, result{code: resultInvalidDNSyntax, diagnostic: "not a DN"}
	case id == idRoot && who.startTLS:
		return idRootTLS, result{}
	case id == idRoot:
		return idRoot, result{}
	case id == noID && above == noID:
		return noID, result{code: resultNoSuchObject}
	case id == noID:
		return noID, result{code: resultNoSuchObject, matched: t.dn(above)}
	}
	return id, result{}
}

// outOfReach says that there is nothing, or, to whom nothing may be told, to
// bind first.
func (t *tree) outOfReach(who asker) result {
	if !who.admitted {
		return result{code: resultInsufficientAccessRights, diagnostic: "bind first"}
	}
	return result{code: resultNoSuchObject}
}

// walk sends the entries that match. next is the one that begins the next
// page; noID: there is none.
func (t *tree) walk(req *searchRequest, who asker, base uint32, pg *page, emit func(string, []attribute) bool) (r result, next uint32) {
	limit := lower(req.sizeLimit, int64(who.sizeLimit))
	m := matcher{tree: t, patience: patience{
		limit: time.Duration(lower(min(req.timeLimit, 1<<31)*int64(time.Second), int64(who.timeLimit))),
		began: who.now(), now: who.now, gone: who.gone,
	}}
	filter := t.compile(req.filter)
	scope := t.scope(base, req.scope)
	among := candidates{all: true}
	if req.scope != scopeBase {
		among = t.plan(&filter)
	}
	out := renderer{tree: t, wanted: wanted(req.attributes), typesOnly: req.typesOnly}
	sent := int32(0)
	for id := range among.entries(scope, t.at(pg.from)) {
		match := m.matches(&filter, id)
		if m.ended != 0 {
			return result{code: m.ended}, noID
		}
		if match != yes {
			continue
		}
		if limit > 0 && pg.sent == limit {
			return result{code: resultSizeLimitExceeded}, noID
		}
		if pg.size > 0 && sent == pg.size {
			return result{}, id
		}
		if !emit(out.entry(id)) {
			return result{}, noID
		}
		m.spend(len(out.values))
		sent++
		pg.sent++
	}
	return result{}, noID
}

// lower is the lower of two limits, where 0 is none.
func lower(a, b int64) int64 {
	if a <= 0 || b > 0 && b < a {
		return max(b, 0)
	}
	return a
}
