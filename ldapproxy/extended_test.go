package ldapproxy

import (
	"testing"

	"sekisho/ldapproxy/wire"
)

func TestWhoAmI(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	got := p.wants(wire.ResultSuccess, extendedOp(wire.OIDWhoAmI))
	if got.named || got.value == nil || len(got.value) != 0 {
		t.Errorf("anonymous is told %+v", got)
	}
	p.wants(wire.ResultProtocolError, extendedOp(wire.OIDWhoAmI, []byte("x")))
}

// Ways past the gate, or to what is not there.
func TestExtendedOperationsThatAreShut(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	for range 2 {
		for _, oid := range []string{
			"1.3.6.1.4.1.4203.666.6.5", // Verify Credentials
			"1.2.840.113556.1.4.1781",  // fast bind
			"1.3.6.1.1.21.1",           // transactions
			"1.3.6.1.4.1.1466.20036",   // the notice itself
			"", "nonsense",
		} {
			if got := p.wants(wire.ResultProtocolError, extendedOp(oid, []byte("x"))); got.named || got.value != nil {
				t.Errorf("%s: %+v", oid, got)
			}
		}
		p.wants(wire.ResultSuccess, bindOp(aliceDN, "secret123456"))
	}
}

func TestCancelFindsNothing(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(wire.ResultNoSuchOperation, extendedOp(wire.OIDCancel, wire.Element(wire.TagSequence, []byte{wire.TagInteger, 1, 1})))
	for _, value := range [][]byte{{}, {1}, wire.Element(wire.TagSequence), wire.Element(wire.TagSequence, []byte{wire.TagInteger, 1, 1, 0}), append(wire.Element(wire.TagSequence, []byte{wire.TagInteger, 1, 1}), 0)} {
		p.wants(wire.ResultProtocolError, extendedOp(wire.OIDCancel, value))
	}
	p.wants(wire.ResultProtocolError, extendedOp(wire.OIDCancel))
}
