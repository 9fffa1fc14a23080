package ldapproxy

import "testing"

func TestWhoAmI(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	got := p.wants(resultSuccess, extendedOp(oidWhoAmI))
	if got.named || got.value == nil || len(got.value) != 0 {
		t.Errorf("anonymous is told %+v", got)
	}
	p.wants(resultProtocolError, extendedOp(oidWhoAmI, []byte("x")))
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
			if got := p.wants(resultProtocolError, extendedOp(oid, []byte("x"))); got.named || got.value != nil {
				t.Errorf("%s: %+v", oid, got)
			}
		}
		p.wants(resultSuccess, bindOp(aliceDN, "secret123456"))
	}
}

func TestCancelFindsNothing(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.wants(resultNoSuchOperation, extendedOp(oidCancel, tlv(tagSequence, []byte{tagInteger, 1, 1})))
	for _, value := range [][]byte{{}, {1}, tlv(tagSequence), tlv(tagSequence, []byte{tagInteger, 1, 1, 0}), append(tlv(tagSequence, []byte{tagInteger, 1, 1}), 0)} {
		p.wants(resultProtocolError, extendedOp(oidCancel, value))
	}
	p.wants(resultProtocolError, extendedOp(oidCancel))
}
