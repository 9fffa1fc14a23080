package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// settled is when Go's collector has run once, which it does after two minutes at
// the latest. It gives back what the handshakes needed the time after.
const settled = 150 * time.Second

// resting is a server with connections that do nothing.
type resting struct {
	*peer
	name   string
	conns  []net.Conn
	before int64 // octets resident without them
	then   int64 // and as soon as they had bound
}

// idle: what a connection costs that has bound and rests.
func (b *Bench) idle() (Section, error) {
	h, err := b.directory(ldapPeople)
	if err != nil {
		return nil, err
	}
	f := b.restingFacts("idle", "")
	for _, line := range []string{ldapLine, ldapsLine} {
		var list []*resting
		for _, conns := range []int{2_000, 10_000} {
			p, _, err := b.sekishoWith(h, ldapDoor, line)
			if err != nil {
				return nil, err
			}
			r, err := lay(p, conns, line == ldapsLine)
			if err != nil {
				return nil, err
			}
			list = append(list, r)
		}
		if err := b.settle(f, list...); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// relayIdle is idle before a directory behind, which each of the connections
// has a link of its own to.
func (b *Bench) relayIdle() (Section, error) {
	h, err := b.directory(ldapPeople)
	if err != nil {
		return nil, err
	}
	slapd, err := b.slapd(ldapPeople, false)
	if err != nil {
		return nil, err
	}
	p, _, err := b.relay(h, slapd)
	if err != nil {
		return nil, err
	}
	r, err := lay(p, 2_000, false)
	if err != nil {
		return nil, err
	}
	f := b.restingFacts("relay-idle", " Each has a link to slapd, whose memory does not count.")
	return f, b.settle(f, r)
}

func (b *Bench) restingFacts(name, more string) *Facts {
	return &Facts{Name: name, Note: fmt.Sprintf("RSS of a server just started, with connections that have just bound as a service account, "+
		"and with the same after %v.%s", settled, more)}
}

// lay has so many connections rest at a server.
func lay(p *peer, conns int, overTLS bool) (r *resting, err error) {
	r = &resting{peer: p, name: fmt.Sprintf("%d connections, plain", conns)}
	if overTLS {
		r.name = fmt.Sprintf("%d connections, TLS", conns)
	}
	p.rest()
	r.before, _ = p.memory()
	if r.conns, err = connect(p, conns, overTLS); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	p.rest()
	r.then, _ = p.memory()
	return r, nil
}

// settle tells what they cost after a while, and ends them.
func (b *Bench) settle(f *Facts, list ...*resting) error {
	if err := b.wait(settled); err != nil {
		return err
	}
	for _, r := range list {
		now, _ := r.memory()
		f.List = append(f.List, Fact{r.name, fmt.Sprintf("%s, %s, %s", mega(r.before), mega(r.then), mega(now))})
		each := func(octets int64) float64 { return float64(octets-r.before) / float64(len(r.conns)) / 1e3 }
		b.say("%-16s %s: %.1f KB each, then %.1f KB", f.Name, r.name, each(r.then), each(now))
		f.Bars = append(f.Bars, Bar{What: "KB for each of " + r.name, Is: each(now), Bar: 20, Most: true})
		for _, c := range r.conns {
			c.Close()
		}
		r.stop()
	}
	return nil
}

// perAddress is how many connections come from one address.
const perAddress = 2_000

// connect opens connections and binds on each, four at a time.
func connect(p *peer, conns int, overTLS bool) ([]net.Conn, error) {
	open, faults := make([]net.Conn, conns), make([]error, conns)
	var wait sync.WaitGroup
	for first := range 4 {
		wait.Go(func() {
			for i := first; i < conns; i += 4 {
				if open[i], faults[i] = greet(p, i/perAddress, overTLS); faults[i] != nil {
					return
				}
			}
		})
	}
	wait.Wait()
	for _, err := range faults {
		if err != nil {
			return nil, err
		}
	}
	return open, nil
}

// greet opens a connection and binds as the service account.
func greet(p *peer, address int, overTLS bool) (net.Conn, error) {
	dial := net.Dialer{LocalAddr: &net.TCPAddr{IP: crowded(address).AsSlice()}}
	conn, err := dial.Dial("tcp4", p.to.String())
	if err != nil {
		return nil, err
	}
	if overTLS {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // it was made a moment ago
	}
	request, reply := bindRequest(1, serviceAccount, servicePass), make([]byte, 64)
	conn.SetDeadline(time.Now().Add(startWithin))
	if _, err := conn.Write(request); err != nil {
		return nil, err
	}
	for n := 0; ; {
		more, err := conn.Read(reply[n:])
		if err != nil {
			return nil, err
		}
		n += more
		used, good, err := ldapAnswer(reply[:n], request)
		switch {
		case err != nil:
			return nil, err
		case used > 0 && !good:
			return nil, fmt.Errorf("the service account was refused")
		case used > 0:
			return conn, nil
		case n == len(reply):
			return nil, io.ErrShortBuffer
		}
	}
}

// certify writes tls.crt and tls.key.
func (h *house) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), IPAddresses: []net.IP{outside.AsSlice()},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for name, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: der}, "tls.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(h.folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
