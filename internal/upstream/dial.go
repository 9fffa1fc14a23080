package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// Dial connects to the first server that is up, else to the next. Those that
// are down come last: one may be back before its check has found out. TLS is
// up where the server has any. ErrNone means that none could be reached.
func (s *Servers) Dial(ctx context.Context) (net.Conn, Server, error) {
	failed := ErrNone
	list := s.order()
	for i, one := range list {
		conn, err := s.open(ctx, one, s.share(ctx, len(list)-i))
		if err == nil {
			return conn, one.Server, nil
		}
		if ctx.Err() != nil { // which tells nothing of this server
			return nil, Server{}, fmt.Errorf("%s: %w", one.Addr, err)
		}
		s.turn(one, err)
		if i == 0 {
			failed = fmt.Errorf("%w: %s: %w", failed, one.Addr, err)
		} else {
			failed = fmt.Errorf("%w; %s: %w", failed, one.Addr, err)
		}
	}
	return nil, Server{}, failed
}

// share is how long one of the servers left may take: one that swallows
// everything leaves time for the next.
func (s *Servers) share(ctx context.Context, left int) time.Duration {
	d := s.timeout()
	if end, ok := ctx.Deadline(); ok {
		d = min(d, time.Until(end)/time.Duration(left))
	}
	return d
}

// open connects to this server and begins TLS.
func (s *Servers) open(ctx context.Context, one *state, within time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", one.Addr)
	if err != nil {
		return nil, err
	}
	if one.Plain {
		return conn, nil
	}
	if !one.TLS {
		if err := startTLS(ctx, conn); err != nil {
			conn.Close()
			return nil, fmt.Errorf("StartTLS: %w", err)
		}
	}
	secured := tls.Client(conn, one.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("TLS: %w", late(ctx, err))
	}
	return secured, nil
}

var startTLSRequest = message(1, tlv(tagExtendedRequest, tlv(0x80, []byte("1.3.6.1.4.1.1466.20037"))))

// startTLS asks for TLS (RFC 4511 §4.14). Not an octet behind the response is
// read: sent in clear by whoever, it is for the handshake to choke on.
func startTLS(ctx context.Context, conn net.Conn) error {
	defer limited(ctx, conn)()
	if _, err := conn.Write(startTLSRequest); err != nil {
		return late(ctx, err)
	}
	answer, err := readAnswer(conn, tagExtendedResponse)
	switch {
	case err != nil:
		return late(ctx, err)
	case answer.Code != 0:
		return fmt.Errorf("refused with %d %q", answer.Code, answer.Diagnostic)
	}
	return nil
}

// limited lets what is read and written on conn fail when ctx ends, until the
// function that it returns is called.
func limited(ctx context.Context, conn net.Conn) (release func()) {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	return func() {
		if stop() {
			conn.SetDeadline(time.Time{})
		}
	}
}

var errLate = errors.New("no answer in time")

// late tells a deadline of ours from what the server did.
func late(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", errLate, ctx.Err())
	}
	return err
}
