package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// PasswordPolicy is the control that asks for, and tells, what a password
// policy has to say of a bind (draft-behera-ldap-password-policy-10 §6).
const PasswordPolicy = "1.3.6.1.4.1.42.2.27.8.5.1"

var (
	unbindRequest  = message(1, tlv(tagUnbindRequest))
	policyControls = tlv(tagControls, tlv(tagSequence, tlv(tagOctets, []byte(PasswordPolicy))))
	errNothing     = errors.New("a bind without a name or a password proves nothing")
)

// Bind binds once with a name and a password, over a connection that is then
// closed, and returns what the server answered. It never sends an empty name
// or password: many servers answer such a bind with success (RFC 4513 §5.1.2).
// An error means that nothing was answered.
func (s *Servers) Bind(ctx context.Context, dn string, password []byte) (Answer, error) {
	if dn == "" || len(password) == 0 {
		return Answer{}, errNothing
	}
	conn, server, err := s.Dial(ctx)
	if err != nil {
		return Answer{}, err
	}
	defer conn.Close()
	defer limited(ctx, conn)()
	credentials := tlv(0x80, password)
	op := tlv(tagBindRequest, []byte{tagInteger, 1, 3}, tlv(tagOctets, []byte(dn)), credentials)
	request := message(1, op, policyControls)
	defer func() { clear(credentials); clear(op); clear(request) }()
	a, err := exchange(conn, request)
	if err != nil {
		s.Doubt(server)
		return Answer{}, fmt.Errorf("bind at %s: %w", server.Addr, late(ctx, err))
	}
	if a.failing() {
		s.Doubt(server)
	}
	conn.Write(unbindRequest)
	return a, nil
}

func exchange(conn net.Conn, request []byte) (Answer, error) {
	if _, err := conn.Write(request); err != nil {
		return Answer{}, err
	}
	return readAnswer(conn, tagBindResponse)
}
