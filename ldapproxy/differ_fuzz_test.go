//go:build linux

package ldapproxy

import (
	"math/rand/v2"
	"testing"

	"sekisho/ldapproxy/wire"
)

// standings are how it may begin; the last is soon told of.
var standings = []standing{asService, asNobody, asService, asNobody, asService, asNobody, asService, shutOut}

// play lets a tape write requests, and compares.
func (d *differ) play(choices []byte) error {
	p := tape(choices)
	how := pick(&p, standings)
	return d.compare(how, written(&p)...)
}

// tapeOf is one of many, always the same for a number.
func tapeOf(number uint64) []byte {
	b := make([]byte, 300)
	r := rand.New(rand.NewPCG(number, 0))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// FuzzDifferRequests compares what is written by a grammar: most of it is
// well-formed, and is about what there is.
func FuzzDifferRequests(f *testing.F) {
	d := newDiffer(f)
	for n := range uint64(50) {
		f.Add(tapeOf(n))
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		if err := d.play(choices); err != nil {
			t.Error(err)
		}
	})
}

// FuzzDifferOctets compares what is done with any octets.
func FuzzDifferOctets(f *testing.F) {
	d := newDiffer(f)
	for _, octets := range differSeeds() {
		f.Add(byte(0), octets)
		f.Add(byte(1), octets)
	}
	f.Fuzz(func(t *testing.T, which byte, octets []byte) {
		how, limit := standings[int(which)%len(standings)], wire.MaxFrameUnbound
		if how == asService {
			limit = wire.MaxFrameBound
		}
		if err := d.compare(how, cut(octets, limit)...); err != nil {
			t.Error(err)
		}
	})
}

// differSeeds are messages to begin with, and those that once were answered
// otherwise than they should be.
func differSeeds() [][]byte {
	p := new(peer)
	search := func(base string, scope, deref byte) []byte {
		op := searchOp(base, scope)
		op[2+len(wire.Octets(base))+5] = deref
		return p.put(op)
	}
	return [][]byte{
		search(testBase, 2, 0), search("", 0, 0), search("cn=Subschema", 0, 0), search(aliceDN, 0, 3),
		search(testBase, 2, 4), // no such derefAliases
		search("uid=\xff,"+testBase, 2, 0),
		search("  ", 0, 0), // not the root DSE
		long(search(testBase, 1, 0)),
		p.put(bindOp(aliceDN, "secret123456")), p.put(bindOp(aliceDN, "")), p.put(bindOp("", "x")), p.put(bindVersion(2, aliceDN, wire.Element(wire.TagSimple))),
		p.put(bindVersion(3, "", wire.Element(wire.TagSASL, wire.Octets("")))),
		p.put(wire.Element(wire.OpCompare, wire.Octets(aliceDN), wire.Element(wire.TagSequence, wire.Octets("cn"), wire.Octets("alice  LIDDELL")))),
		p.put(extendedOp(wire.OIDWhoAmI)), p.put(extendedOp(wire.OIDStartTLS)), p.put(extendedOp("1.2.3")),
		p.put(wire.Element(wire.OpUnbind)), p.put(wire.Element(wire.OpAbandon, []byte{1})), p.put(wire.Element(wire.OpSearchEntry)),
		p.put(searchOp(testBase, 2), criticalControl("1.2.3")), p.put(searchOp(testBase, 2), criticalControl(wire.OIDManageDsaIT)),
		{0x30, 0x80, 0, 0}, {0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 2}, {0x30, 0x85, 0, 0, 0, 0, 5, 2, 1, 1, 0x42, 0}, {0x30, 5, 2, 1, 0, 0x42, 0}, {0x16, 3, 1, 0, 0},
	}
}
