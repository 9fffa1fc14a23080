package weblogin

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"sekisho/gate"
	"sekisho/policy"
)

// How a source is known, as the book has it.
const (
	howSocket    = "socket"
	howForwarded = "x-forwarded-for"
)

const forwardedFor = "X-Forwarded-For"

// source is where the person sits: the other end of the connection or, if
// that is a listed proxy, whoever X-Forwarded-For names. What a proxy leaves
// untold is unknown, and therefore outside: its own address would bring
// everybody into its zone. The header of anybody else is not believed, but
// booked. A handler asks once a request.
func (s *Server) source(r *http.Request, l Listener) gate.Source {
	peer := peer(r)
	if l.lists(peer) {
		return gate.Source{Addr: l.behind(r.Header[forwardedFor]), How: howForwarded}
	}
	if within(l.Balancers, peer) {
		// The balancer's own connection, or one that it tells nothing of.
		peer = netip.Addr{}
	}
	source := gate.Source{Addr: peer, How: howSocket}
	if len(r.Header[forwardedFor]) > 0 {
		s.book(r, s.request(l, source), gate.FaultForwardedUntrusted)
	}
	return source
}

// request is what every question to the gate says of a listener.
func (s *Server) request(l Listener, source gate.Source) gate.Request {
	return gate.Request{Door: policy.DoorWeb, Client: l.Name, Zone: l.Zone, Source: source}
}

// book has a fault booked and returns the refusal's words; without any if
// that failed, since the fault refuses all the same.
func (s *Server) book(r *http.Request, q gate.Request, why gate.Fault) gate.Answer {
	answer, err := s.Gate.Refuse(r.Context(), q, why)
	if err != nil {
		s.log.Error("a refusal was not booked", "listener", q.Client, "err", err)
	}
	return answer
}

// peer is the other end of the connection; zero if that is no address.
func peer(r *http.Request) netip.Addr {
	p, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr().Unmap().WithZone("")
}

// lists reports whether the forwarding headers of addr are believed.
func (l Listener) lists(addr netip.Addr) bool { return within(l.Proxies, addr) }

func within(prefixes []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// behind walks X-Forwarded-For from the right, past the listed proxies: what
// stands further left was written by somebody else. If all are listed it is
// the leftmost. It is zero if an element on the way is no address.
func (l Listener) behind(lines []string) netip.Addr {
	var last netip.Addr
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			element := rest
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, element = rest[:comma], rest[comma+1:]
			} else {
				more = false
			}
			addr, ok := parseHop(strings.Trim(element, " \t"))
			if !ok || !l.lists(addr) {
				return addr
			}
			last = addr
		}
	}
	return last
}

// parseHop reads 192.0.2.1, 192.0.2.1:443, 2001:db8::1, [2001:db8::1] and
// [2001:db8::1]:443.
func parseHop(text string) (addr netip.Addr, ok bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil && strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		addr, err = netip.ParseAddr(text[1 : len(text)-1])
		if addr.Is4() {
			return netip.Addr{}, false
		}
	}
	if err != nil {
		var p netip.AddrPort
		p, err = netip.ParseAddrPort(text)
		addr = p.Addr()
	}
	if err != nil {
		return netip.Addr{}, false
	}
	return addr.Unmap().WithZone(""), true
}
