package radiusd

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2868"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3162"
	"layeh.com/radius/rfc6911"
	"sekisho/gate"
)

// longestDelay bounds what an Acct-Delay-Time is believed to tell.
const longestDelay = 7 * 24 * time.Hour

// report is an Accounting-Request, laid out by its attributes. What is there
// twice, or has another size than it should, is as if it were not told:
// which of two is right is anybody's guess.
type report struct {
	told   [256][]byte // by type; nil: not told. Views into the packet
	class  []string    // each one that came
	where  testimony
	unfit  string // an attribute that was passed over; "": none
	client *Client
}

// layOut reads an Accounting-Request that is believed of the client.
func layOut(p packet, c *Client) *report {
	r := &report{client: c}
	var seen [256]bool
	for typ, value := range p.attributes() {
		switch typ {
		case rfc2865.Class_Type:
			r.class = append(r.class, string(value))
		case rfc2865.CallingStationID_Type:
			r.where.hear(station(value))
		case rfc2868.TunnelClientEndpoint_Type:
			if c.TunnelEndpoint {
				r.where.hear(endpoint(value))
			}
		}
		shape := recordShapes[byte(typ)]
		again := seen[byte(typ)]
		seen[byte(typ)] = true
		if shape.fits(value, again) {
			r.told[byte(typ)] = value
		} else {
			r.told[byte(typ)], r.unfit = nil, shape.name
		}
	}
	return r
}

// accounting is the report in the words of the gate. NASes differ in what
// else they tell, but one without its status, or without the session that it
// is of, can't be told from others and is not taken.
func (r *report) accounting(from netip.AddrPort, came time.Time) (gate.Accounting, drop) {
	c := r.client
	a := gate.Accounting{
		Client: c.Name, Service: c.Service, Tunnel: c.Tunnel,
		NAS:      r.nas(from),
		Session:  escaped(r.told[rfc2866.AcctSessionID_Type]),
		Class:    r.class,
		User:     printable(r.told[rfc2865.UserName_Type]),
		Source:   r.where.source,
		Address4: r.address4(),
		Address6: r.address6(),
		Input:    r.octets(rfc2866.AcctInputOctets_Type, rfc2869.AcctInputGigawords_Type),
		Output:   r.octets(rfc2866.AcctOutputOctets_Type, rfc2869.AcctOutputGigawords_Type),
		Cause:    r.cause(),
		Came:     came,
	}
	a.Event, a.Unstamped = r.event(came)
	seconds, _ := r.number(rfc2866.AcctSessionTime_Type)
	a.Lasted = time.Duration(seconds) * time.Second
	status, ok := r.number(rfc2866.AcctStatusType_Type)
	if !ok {
		return a, dropNoStatus
	}
	a.Status = gate.AccountingStatus(status)
	switch a.Status {
	case gate.AccountingStart, gate.AccountingInterim, gate.AccountingStop:
		if a.Session == "" {
			return a, dropNoSession
		}
	}
	return a, kept
}

// nas is which of the client's machines the record is of. A client of one
// address is one machine, and of several it is the one that sent the packet:
// so an On or Off may tell less of its sender than other records do. Only
// behind a proxy it takes what is told.
func (r *report) nas(from netip.AddrPort) string {
	switch {
	case r.client.Proxy, r.told[rfc2865.ProxyState_Type] != nil:
		return r.machine()
	case r.client.Prefix.IsSingleIP():
		return ""
	}
	return "from:" + from.Addr().String()
}

// address4 is the Framed-IP-Address. Two of its values tell who shall choose
// one (RFC 2865 §5.8).
func (r *report) address4() netip.Addr {
	n, ok := r.number(rfc2865.FramedIPAddress_Type)
	if !ok || n == 0 || n >= 0xfffffffe {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(r.told[rfc2865.FramedIPAddress_Type]))
}

// address6 is the Framed-IPv6-Address, and without one the network.
func (r *report) address6() netip.Prefix {
	if value := r.told[rfc6911.FramedIPv6Address_Type]; value != nil {
		addr := netip.AddrFrom16([16]byte(value))
		if addr.IsUnspecified() || addr.Is4In6() {
			r.unfit = "Framed-IPv6-Address"
			return netip.Prefix{}
		}
		return netip.PrefixFrom(addr, addr.BitLen())
	}
	value := r.told[rfc3162.FramedIPv6Prefix_Type]
	if value == nil {
		return netip.Prefix{}
	}
	prefix := framedPrefix(value)
	if !prefix.IsValid() {
		r.unfit = "Framed-IPv6-Prefix"
	}
	return prefix
}

// framedPrefix reads a Framed-IPv6-Prefix: an octet that is zero, the length,
// and the octets of the prefix, as many as it needs or more; what is beyond
// its length is zero (RFC 3162 §2.3).
func framedPrefix(value []byte) netip.Prefix {
	var octets [16]byte
	length := int(value[1])
	if value[0] != 0 || copy(octets[:], value[2:])*8 < length {
		return netip.Prefix{}
	}
	addr := netip.AddrFrom16(octets)
	prefix := netip.PrefixFrom(addr, length)
	if addr.IsUnspecified() || addr.Is4In6() || prefix.Masked() != prefix {
		return netip.Prefix{}
	}
	return prefix
}

// event is when it happened, by the NAS's clock if it has one; unstamped tells
// that it has none.
func (r *report) event(came time.Time) (at time.Time, unstamped bool) {
	if at, ok := r.number(rfc2869.EventTimestamp_Type); ok && at != 0 {
		return time.Unix(int64(at), 0), false
	}
	delay, _ := r.number(rfc2866.AcctDelayTime_Type)
	return came.Add(-min(time.Duration(delay)*time.Second, longestDelay)), true
}

// octets puts a counter together with the one of its overflows (RFC 2869
// §5.1).
func (r *report) octets(low, high radius.Type) uint64 {
	l, _ := r.number(low)
	h, _ := r.number(high)
	return uint64(h)<<32 | uint64(l)
}

// cause is what the RFC calls the Acct-Terminate-Cause, or else its number.
func (r *report) cause() string {
	n, ok := r.number(rfc2866.AcctTerminateCause_Type)
	if !ok {
		return ""
	}
	if name, known := rfc2866.AcctTerminateCause_Strings[rfc2866.AcctTerminateCause(n)]; known {
		return name
	}
	return strconv.FormatUint(uint64(n), 10)
}

func (r *report) number(typ radius.Type) (n uint32, told bool) {
	value := r.told[byte(typ)]
	if value == nil {
		return 0, false
	}
	return binary.BigEndian.Uint32(value), true
}
