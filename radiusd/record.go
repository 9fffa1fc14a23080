package radiusd

import (
	"encoding/binary"
	"log/slog"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"sekisho/gate"
)

// keep is one Accounting-Request from a worker's view.
func (s *Server) keep(j *job) {
	octets, why := s.record(j)
	s.metrics.working.Dec()
	if why != kept {
		s.giveUp(j, why)
		return
	}
	s.deliver(j, octets)
}

// record hands an Accounting-Request on, and returns the reply once it is
// durable (RFC 2866 §4.2). Before that there is none, so that the NAS tells
// it again.
func (s *Server) record(j *job) (octets []byte, why drop) {
	n := j.letter.nas
	defer func() {
		if p := recover(); p != nil {
			s.panicked(n, j.from, p, s.Now())
			octets, why = nil, dropPanic
		}
	}()
	r := layOut(j.packet, &n.Client)
	a, why := r.accounting(j.from, j.came)
	if r.unfit != "" {
		s.complain(n, j.from, slog.LevelWarn, "an attribute of an accounting record was passed over", r.unfit, s.Now())
	}
	if why != kept {
		return nil, why
	}
	a.Digest = j.packet.authenticator()
	if err := s.Sessions.Account(s.ctx, a); err != nil {
		s.complain(n, j.from, slog.LevelError, "could not write an accounting record", "accounting", s.Now(), "error", err)
		return nil, dropUnwritten
	}
	now := s.Now()
	n.counters.wrote.Observe(now.Sub(j.came).Seconds())
	n.evidence.record(&a, now)
	if a.NAS == "" {
		n.evidence.called(r.machine())
	}
	s.metrics.records.WithLabelValues(n.Name, statusLabel(a.Status)).Inc()
	return response(j.packet, j.secret), kept
}

// response is an Accounting-Response: the Proxy-State and nothing else, so it
// is never longer than the request. It has no Message-Authenticator: no RFC
// says over which authenticator that would be made, and a NAS that takes it
// the other way drops the response.
func response(p packet, s *secret) []byte {
	octets := make([]byte, headerLen, headerLen+64)
	octets[0] = byte(radius.CodeAccountingResponse)
	octets[1] = p.identifier()
	copy(octets[4:], p.authenticator())
	for typ, value := range p.attributes() {
		if typ == rfc2865.ProxyState_Type {
			octets = append(octets, byte(typ), byte(len(value)+2))
			octets = append(octets, value...)
		}
	}
	n := len(octets)
	binary.BigEndian.PutUint16(octets[2:], uint16(n))
	sum := s.responseAuthenticator(octets)
	copy(octets[4:], sum[:])
	return octets[:n:n]
}

// statusLabel is the status in the counters, where any number may come.
func statusLabel(status gate.AccountingStatus) string {
	switch status {
	case gate.AccountingStart:
		return "start"
	case gate.AccountingStop:
		return "stop"
	case gate.AccountingInterim:
		return "interim"
	case gate.AccountingOn:
		return "on"
	case gate.AccountingOff:
		return "off"
	}
	return "other"
}
