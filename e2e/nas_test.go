package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"testing"
	"time"
)

// What of RFC 2865 and 2869 a NAS needs. It is written a second time here,
// so that a fault in the server's own is not tested with the same fault.
const (
	accessRequest = 1
	accessAccept  = 2
	accessReject  = 3

	userName             = 1
	userPassword         = 2
	messageAuthenticator = 80

	macLength = 16
	header    = 20
)

// nas asks where radclient can't: the same octets twice, or many at once
// from one socket each.
type nas struct {
	t    *testing.T
	conn net.Conn
	id   byte
}

func (s *site) nas(from string) *nas {
	s.t.Helper()
	d := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(from)}}
	conn, err := d.Dial("udp4", s.radius)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	return &nas{t: s.t, conn: conn}
}

// request makes an Access-Request with PAP.
func (n *nas) request(user, password string) []byte {
	n.id++
	p := make([]byte, header, 128)
	p[0], p[1] = accessRequest, n.id
	rand.Read(p[4:header])
	p = attribute(p, userName, []byte(user))
	p = attribute(p, userPassword, hide(password, p[4:header]))
	p = attribute(p, messageAuthenticator, make([]byte, macLength))
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[len(p)-macLength:], mac(p))
	return p
}

func attribute(p []byte, typ byte, value []byte) []byte {
	return append(append(p, typ, byte(len(value)+2)), value...)
}

// hide is RFC 2865 section 5.2.
func hide(password string, authenticator []byte) []byte {
	hidden := make([]byte, (len(password)+15)/16*16)
	copy(hidden, password)
	for i, before := 0, authenticator; i < len(hidden); i += 16 {
		sum := md5.Sum(append([]byte(secret), before...))
		for j := range sum {
			hidden[i+j] ^= sum[j]
		}
		before = hidden[i : i+16]
	}
	return hidden
}

func mac(p []byte) []byte {
	h := hmac.New(md5.New, []byte(secret))
	h.Write(p)
	return h.Sum(nil)
}

// send lets a datagram leave; receive and read wait for one, nil is silence.
func (n *nas) send(datagram []byte) {
	n.t.Helper()
	if _, err := n.conn.Write(datagram); err != nil {
		n.t.Fatal(err)
	}
}

func (n *nas) receive(within time.Duration) []byte {
	n.conn.SetReadDeadline(time.Now().Add(within))
	return n.read()
}

func (n *nas) read() []byte {
	b := make([]byte, 4096)
	k, err := n.conn.Read(b)
	if err != nil { // late, or refused since nobody listens any more
		return nil
	}
	return b[:k]
}

func (n *nas) ask(request []byte) []byte {
	n.t.Helper()
	n.send(request)
	reply := n.receive(patience)
	if reply == nil {
		n.t.Fatal("no reply")
	}
	if err := verify(reply, request); err != nil {
		n.t.Fatal(err)
	}
	return reply
}

// verify checks a reply as a careful NAS does: Response Authenticator (RFC
// 2865 section 3), and a Message-Authenticator that is the first attribute
// and right (RFC 3579 section 3.2).
func verify(reply, request []byte) error {
	switch {
	case len(reply) < header+2+macLength || int(binary.BigEndian.Uint16(reply[2:])) != len(reply):
		return fmt.Errorf("reply of %d octets: % x", len(reply), reply)
	case reply[1] != request[1]:
		return fmt.Errorf("reply to %d has Identifier %d", request[1], reply[1])
	case reply[header] != messageAuthenticator || reply[header+1] != 2+macLength:
		return fmt.Errorf("the first attribute is no Message-Authenticator: % x", reply)
	}
	p := bytes.Clone(reply)
	copy(p[4:header], request[4:header])
	sum := md5.Sum(append(bytes.Clone(p), secret...))
	if !bytes.Equal(sum[:], reply[4:header]) {
		return fmt.Errorf("wrong Response Authenticator: % x", reply)
	}
	value := p[header+2 : header+2+macLength]
	got := bytes.Clone(value)
	clear(value)
	if !hmac.Equal(got, mac(p)) {
		return fmt.Errorf("wrong Message-Authenticator: % x", reply)
	}
	return nil
}
