package ldapproxy

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// maxPages is how many paged searches a connection may have open; the one
// that waited longest is forgotten.
const maxPages = 8

// pages are the paged searches (RFC 2696) that a connection has open. The
// zero value has none; a bind begins with a new one.
type pages struct {
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
func (p *pages) open(req *searchRequest, value []byte) (page, result) {
	size, cookie, err := parsePaged(value)
	if err != nil || size < 0 {
		return page{}, result{code: resultProtocolError, diagnostic: "malformed paged results control"}
	}
	if len(cookie) == 0 && req.sizeLimit > 0 && int64(size) >= req.sizeLimit {
		return page{}, result{} // one page is enough: as without the control
	}
	pg := page{search: identity(req)}
	if len(cookie) > 0 {
		at := slices.IndexFunc(p.list, func(kept page) bool { return string(kept.cookie[:]) == string(cookie) })
		if at < 0 || p.list[at].search != pg.search {
			return page{}, result{code: resultProtocolError, diagnostic: "unknown cookie"}
		}
		pg = p.list[at]
		p.list = slices.Delete(p.list, at, at+1)
	}
	pg.size, pg.last = size, size == 0
	return pg, result{}
}

// keep remembers where a search stands and gives the cookie for going on.
func (p *pages) keep(pg page) []byte {
	rand.Read(pg.cookie[:])
	if len(p.list) == maxPages {
		p.list = slices.Delete(p.list, 0, 1)
	}
	p.list = append(p.list, pg)
	return pg.cookie[:]
}

// identity is what must be the same on all pages of a search; limits and
// whether values are sent may change.
func identity(req *searchRequest) [sha256.Size]byte {
	b := appendCounted(nil, req.base)
	b = binary.AppendVarint(b, req.scope)
	b = binary.AppendUvarint(b, uint64(len(req.attributes)))
	for _, name := range req.attributes {
		b = appendCounted(b, name)
	}
	return sha256.Sum256(appendFilter(b, req.filter))
}

func appendFilter(b []byte, f *filter) []byte {
	b = append(b, f.kind)
	b = binary.AppendUvarint(b, uint64(len(f.children)))
	for _, child := range f.children {
		b = appendFilter(b, child)
	}
	b = appendCounted(b, f.attribute)
	b = appendCounted(b, f.value)
	b = appendCounted(b, f.initial)
	b = binary.AppendUvarint(b, uint64(len(f.any)))
	for _, piece := range f.any {
		b = appendCounted(b, piece)
	}
	b = appendCounted(b, f.final)
	b = appendCounted(b, f.rule)
	if f.dnAttrs {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendCounted[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
