package radiusd

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode"

	"sekisho/gate"
)

// testimony is what a request tells of where the person is. Two that differ
// are worth nothing: the person is then nowhere, and so outside.
type testimony struct {
	source gate.Source
	heard  bool
}

func (t *testimony) hear(s gate.Source) {
	switch {
	case !t.heard:
		t.source, t.heard = s, true
	case s.Addr != t.source.Addr, s.Label != t.source.Label:
		t.source = gate.Source{}
	}
}

// station reads a Calling-Station-Id: the person's address as appliances
// write it, alone or with a port, or whatever else the NAS calls the device
// (RFC 2865 §5.31). What is not plainly an address is none.
func station(value []byte) gate.Source {
	const how = "calling-station-id"
	text := strings.TrimSpace(string(value))
	if addr := stationAddr(text); addr.IsValid() {
		return gate.Source{Addr: addr, How: how}
	}
	label := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	if label == "" {
		return gate.Source{}
	}
	return gate.Source{Label: label, How: how}
}

// endpoint reads a Tunnel-Client-Endpoint: a Calling-Station-Id behind a tag
// (RFC 2868 §3.3).
func endpoint(value []byte) gate.Source {
	const maxTag = 0x1f
	if len(value) > 0 && value[0] <= maxTag {
		value = value[1:]
	}
	s := station(value)
	if s.How != "" {
		s.How = "tunnel-client-endpoint"
	}
	return s
}

// stationAddr reads 192.0.2.1, 192.0.2.1:500 and 192.0.2.1[500], 2001:db8::1,
// [2001:db8::1], [2001:db8::1]:500 and 2001:db8::1[500]; the zero address is
// none of these.
func stationAddr(text string) netip.Addr {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		addr = bracketed(text)
	}
	if both, err := netip.ParseAddrPort(text); err == nil {
		addr = both.Addr()
	}
	addr = addr.Unmap().WithZone("")
	// Nobody's address begins with eight zero bits (RFC 1122 §3.2.1.3, RFC
	// 4291 §2.4), but an EUI-64 with colons would be read as one that does.
	if !addr.IsValid() || addr.AsSlice()[0] == 0 {
		return netip.Addr{}
	}
	return addr
}

// bracketed reads an address in brackets, or one before a port in brackets,
// as strongSwan has it.
func bracketed(text string) netip.Addr {
	bare, inner, _ := strings.Cut(text, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !closed {
		return netip.Addr{}
	}
	if bare == "" {
		bare = inner
	} else if _, err := strconv.ParseUint(inner, 10, 16); err != nil {
		return netip.Addr{}
	}
	addr, _ := netip.ParseAddr(bare)
	return addr
}
