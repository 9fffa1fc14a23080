// Package upstreamtest is a small directory server for tests: binds, searches
// with pages, StartTLS, and whatever a broken one does.
package upstreamtest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Result is how an operation ends.
type Result struct {
	Code       uint16
	Diagnostic string
	Controls   []ldap.Control // of a response to a bind
	Hangup     bool           // there is no answer: the connection is closed
}

// Bind is one that came.
type Bind struct {
	Conn         int // the connection's number, from 1 on
	DN, Password string
}

// Search is one that came.
type Search struct {
	Conn   int
	Base   string
	Scope  int
	Filter string
	Page   int // its size; 0: not paged
}

// Server is a directory. Set the fields before Start.
type Server struct {
	TLS      bool // from the first octet on
	NoTLS    bool // StartTLS is refused
	OnBind   func(Bind) (Result, bool)
	OnSearch func(Search) (Result, bool) // ok: this is the answer, without an entry
	Takeover func(net.Conn)              // does with each connection what it likes

	Addr  string
	Roots *x509.CertPool // that signed its certificate, which names localhost

	config   *tls.Config
	listener net.Listener

	mu       sync.Mutex
	entries  []record
	binds    []Bind
	searches []Search
	conns    map[net.Conn]bool
	number   int
	all      sync.WaitGroup
}

// Start listens on a port of its own until the test ends.
func (s *Server) Start(t testing.TB) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.config, s.Roots = certificate(t)
	s.listener, s.Addr, s.conns = listener, listener.Addr().String(), map[net.Conn]bool{}
	s.all.Go(s.accept)
	t.Cleanup(s.Stop)
	return s
}

// Stop ends the server as a killed one does.
func (s *Server) Stop() {
	s.listener.Close()
	s.Drop()
	s.all.Wait()
}

// Drop closes all connections.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		conn.Close()
	}
}

// Put adds an entry, or replaces the one of that DN. The RootDSE is the one
// without any.
func (s *Server) Put(dn string, attributes map[string][]string) {
	s.Remove(dn)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = append(s.entries, record{ldap.NewEntry(dn, attributes), parse(dn)})
}

// Remove removes an entry.
func (s *Server) Remove(dn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.at(parse(dn)); i >= 0 {
		s.entries = append(s.entries[:i:i], s.entries[i+1:]...)
	}
}

// record is an entry with its DN taken apart.
type record struct {
	*ldap.Entry
	dn *ldap.DN
}

// at is where the entry of that DN is; -1: there is none.
func (s *Server) at(dn *ldap.DN) int {
	return slices.IndexFunc(s.entries, func(r record) bool { return r.dn.EqualFold(dn) })
}

// parse takes a DN apart; what is none is nobody's.
func parse(dn string) *ldap.DN {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return &ldap.DN{RDNs: []*ldap.RelativeDN{{}}}
	}
	return parsed
}

// Binds are those that came.
func (s *Server) Binds() []Bind {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Bind(nil), s.binds...)
}

// Searches are those that came.
func (s *Server) Searches() []Search {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Search(nil), s.searches...)
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[conn] = true
		s.number++
		number := s.number
		s.mu.Unlock()
		s.all.Go(func() {
			defer func() {
				s.mu.Lock()
				delete(s.conns, conn)
				s.mu.Unlock()
				conn.Close()
			}()
			if s.Takeover != nil {
				s.Takeover(conn)
				return
			}
			s.serve(conn, number)
		})
	}
}

func (s *Server) serve(raw net.Conn, number int) {
	conn := raw
	if s.TLS {
		conn = tls.Server(raw, s.config)
	}
	for {
		request, err := ber.ReadPacket(conn)
		if err != nil || len(request.Children) < 2 {
			return
		}
		id, op := request.Children[0].Value, request.Children[1]
		switch op.Tag {
		case ldap.ApplicationBindRequest:
			r := s.bind(Bind{number, op.Children[1].Value.(string), op.Children[2].Data.String()})
			if r.Hangup {
				return
			}
			err = write(conn, id, result(ldap.ApplicationBindResponse, r), r.Controls...)
		case ldap.ApplicationSearchRequest:
			err = s.search(conn, id, number, request)
		case ldap.ApplicationExtendedRequest:
			r := Result{}
			if s.NoTLS {
				r = Result{Code: 2, Diagnostic: "no TLS here"}
			}
			err = write(conn, id, result(ldap.ApplicationExtendedResponse, r))
			if r.Code == 0 {
				conn = tls.Server(raw, s.config)
			}
		default:
			return
		}
		if err != nil {
			return
		}
	}
}

func (s *Server) bind(b Bind) Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.binds = append(s.binds, b)
	if s.OnBind != nil {
		if r, ok := s.OnBind(b); ok {
			return r
		}
	}
	if b.Password == "" { // as many servers do
		return Result{}
	}
	if i := s.at(parse(b.DN)); i >= 0 && s.entries[i].GetAttributeValue("userPassword") == b.Password {
		return Result{}
	}
	return Result{Code: ldap.LDAPResultInvalidCredentials}
}

func write(conn io.Writer, id any, op *ber.Packet, controls ...ldap.Control) error {
	envelope := ber.NewSequence("")
	envelope.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	envelope.AppendChild(op)
	if len(controls) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		for _, c := range controls {
			list.AppendChild(c.Encode())
		}
		envelope.AppendChild(list)
	}
	_, err := conn.Write(envelope.Bytes())
	return err
}

func result(tag ber.Tag, r Result) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(r.Code), ""))
	p.AppendChild(octets(""))
	p.AppendChild(octets(r.Diagnostic))
	return p
}

func octets(text string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, text, "")
}

// Reply is the bytes of a response of that tag, for a Takeover.
func Reply(id int64, tag ber.Tag, r Result) []byte {
	var b bytes.Buffer
	write(&b, id, result(tag, r), r.Controls...)
	return b.Bytes()
}

// Read reads a request, for a Takeover.
func Read(conn net.Conn) error {
	_, err := ber.ReadPacket(conn)
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return err
}

func has(e *ldap.Entry, name string) []string {
	for _, a := range e.Attributes {
		if strings.EqualFold(a.Name, name) {
			return a.Values
		}
	}
	return nil
}
