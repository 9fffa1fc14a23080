package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"sekisho/internal/config"
	"sekisho/internal/listen"
	"sekisho/internal/metrics"
)

// listener is one that is open, of the LDAP or the web door.
type listener struct {
	config.Listener
	socket      net.Listener
	certificate *listen.Certificate // nil: no TLS here
}

// open binds a listener and reads its certificate.
func (s *server) open(l config.Listener) (*listener, error) {
	o := &listener{Listener: l}
	if l.Certificate != "" {
		o.certificate = &listen.Certificate{CertFile: l.Certificate, KeyFile: l.Key, Log: s.log, Now: s.now}
		if err := o.certificate.Reload(); err != nil {
			return nil, err
		}
		days := func() float64 { return o.certificate.NotAfter().Sub(s.now()).Hours() / 24 }
		metrics.Gauge(prometheus.WrapRegistererWith(prometheus.Labels{"listener": l.URL}, s.registry),
			"sekisho_certificate_days", "Days until the certificate of this listener ends.", days)
	}
	var err error
	if o.socket, err = listen.TCP(l.Address, l.Proxies); err != nil {
		return nil, err
	}
	s.opened = append(s.opened, o)
	return o, nil
}

// asking is the TLS of a listener of the LDAP door. From the next handshake on
// it asks for the client's certificate where an application is known by one.
// All that is verified is that the client has its key; whose that is, the door
// knows.
func (s *server) asking(o *listener) *tls.Config {
	plain := o.certificate.TLS()
	asks := plain.Clone()
	asks.ClientAuth = tls.RequestClientCert
	asks.SessionTicketsDisabled = true // a session that was begun without one would go on without
	plain.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if s.applied.Load().LDAP.Pins(o.URL) {
			return asks, nil
		}
		return nil, nil // as it is
	}
	return plain
}

// closeOpened is for a start that failed half way.
func (s *server) closeOpened() {
	for _, o := range s.opened {
		o.socket.Close()
	}
}

// String tells that it is open, on one line.
func (o *listener) String() string {
	scheme, _, _ := strings.Cut(o.URL, "://")
	switch {
	case strings.HasPrefix(scheme, "http"):
		return fmt.Sprintf("web     %s://%s", scheme, o.socket.Addr())
	case !o.TLS && o.certificate != nil:
		return fmt.Sprintf("%-7s tcp %s (StartTLS)", scheme, o.socket.Addr())
	}
	return fmt.Sprintf("%-7s tcp %s", scheme, o.socket.Addr())
}
