package linkstest

import "sekisho/ldapproxy/wire"

// Bind is a simple bind, as an operation for Request.
func Bind(dn, password string) []byte {
	return wire.Element(wire.OpBind, []byte{wire.TagInteger, 1, 3}, wire.Octets(dn), wire.Element(wire.TagSimple, []byte(password)))
}

// Extended is an extended operation, with at most one value.
func Extended(oid string, value ...[]byte) []byte {
	parts := [][]byte{wire.Element(wire.TagRequestName, []byte(oid))}
	for _, v := range value {
		parts = append(parts, wire.Element(wire.TagRequestValue, v))
	}
	return wire.Element(wire.OpExtended, parts...)
}

// Search is one for all attributes of whatever is there.
func Search(base string, scope byte) []byte {
	return wire.Element(wire.OpSearch, wire.Octets(base), []byte{wire.TagEnumerated, 1, scope}, []byte{wire.TagEnumerated, 1, 0},
		[]byte{wire.TagInteger, 1, 0}, []byte{wire.TagInteger, 1, 0}, []byte{wire.TagBoolean, 1, 0},
		wire.Element(wire.FilterPresent, []byte("objectClass")), wire.Element(wire.TagSequence))
}

// Critical is a control without a value that must be honoured.
func Critical(oid string) []byte {
	return wire.Element(wire.TagSequence, wire.Octets(oid), []byte{wire.TagBoolean, 1, 0xff})
}
