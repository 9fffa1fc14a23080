package links

import (
	"errors"
	"testing"

	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

const aliceBehind = linkstest.Alice

var errDown = errors.New("the server is down")

// upstream is a directory behind, and how the links reach it.
type upstream struct {
	Directory
	*linkstest.Server
}

func newUpstream(t testing.TB) *upstream {
	t.Helper()
	s := linkstest.NewServer(t)
	return &upstream{Directory{Dial: s.Dial}, s}
}

func bindOp(dn, password string) []byte {
	return wire.Element(wire.OpBind, []byte{wire.TagInteger, 1, 3}, wire.Octets(dn), wire.Element(wire.TagSimple, []byte(password)))
}

func extendedOp(oid string, value ...[]byte) []byte {
	parts := [][]byte{wire.Element(wire.TagRequestName, []byte(oid))}
	for _, v := range value {
		parts = append(parts, wire.Element(wire.TagRequestValue, v))
	}
	return wire.Element(wire.OpExtended, parts...)
}

func searchOp(base string, scope byte) []byte {
	return wire.Element(wire.OpSearch, wire.Octets(base), []byte{wire.TagEnumerated, 1, scope}, []byte{wire.TagEnumerated, 1, 0},
		[]byte{wire.TagInteger, 1, 0}, []byte{wire.TagInteger, 1, 0}, []byte{wire.TagBoolean, 1, 0},
		wire.Element(wire.FilterPresent, []byte("objectClass")), wire.Element(wire.TagSequence))
}

func criticalControl(oid string) []byte {
	return wire.Element(wire.TagSequence, wire.Octets(oid), []byte{wire.TagBoolean, 1, 0xff})
}
