package tree

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"sekisho/ldapproxy/wire"
)

// maxPages is how many paged searches a connection may have open; the one
// that waited longest is forgotten.
const maxPages = 8

// Pages are the paged searches (RFC 2696) that a connection has open. The
// zero value has none; a bind begins with a new one.
type Pages struct {
	list []page
}

// page is where a paged search stands. The zero value is a search from its
// beginning, not paged.
type page struct {
	cookie [16]byte
	search [sha256.Size]byte // which one it is
	from   position
	sent   int64 // on the pages so far
	size   int32 // 0: not paged
	last   bool  // the client wants no more
}

// open is the page that a search asks for. A cookie is good once, and for its
// own search on its own connection only.
func (p *Pages) open(req *wire.SearchRequest, value []byte) (page, wire.Result) {
	size, cookie, err := wire.ParsePaged(value)
	if err != nil || size < 0 {
		return page{}, wire.Result{Code: wire.ResultProtocolError, Diagnostic: "malformed paged results control"}
	}
	if len(cookie) == 0 && req.SizeLimit > 0 && int64(size) >= req.SizeLimit {
		return page{}, wire.Result{} // one page is enough: as without the control
	}
	pg := page{search: identity(req)}
	if len(cookie) > 0 {
		at := slices.IndexFunc(p.list, func(kept page) bool { return string(kept.cookie[:]) == string(cookie) })
		if at < 0 || p.list[at].search != pg.search {
			return page{}, wire.Result{Code: wire.ResultProtocolError, Diagnostic: "unknown cookie"}
		}
		pg = p.list[at]
		p.list = slices.Delete(p.list, at, at+1)
	}
	pg.size, pg.last = size, size == 0
	return pg, wire.Result{}
}

// keep remembers where a search stands and gives the cookie for going on.
func (p *Pages) keep(pg page) []byte {
	rand.Read(pg.cookie[:])
	if len(p.list) == maxPages {
		p.list = slices.Delete(p.list, 0, 1)
	}
	p.list = append(p.list, pg)
	return pg.cookie[:]
}

// identity is what must be the same on all pages of a search; limits and
// whether values are sent may change.
func identity(req *wire.SearchRequest) [sha256.Size]byte {
	b := appendCounted(nil, req.Base)
	b = binary.AppendVarint(b, req.Scope)
	b = binary.AppendUvarint(b, uint64(len(req.Attributes)))
	for _, name := range req.Attributes {
		b = appendCounted(b, name)
	}
	return sha256.Sum256(append(b, req.Filter.Encode()...))
}

func appendCounted[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
