// Package weblogin is the browser door: a small sign-in by the same rules,
// codes and tickets as the other doors, and forward-auth for web services.
//
// One sign-in, told: somebody opens a service. Its proxy asks /verify, which
// finds no cookie and sends the browser to /.sekisho/go on the service's own
// host; that notes where the person was going and sends on to the sign-in
// page. There name, password and code are asked, page by page, and judged by
// one call of the gate. The ticket goes into a cookie of this host. A word
// that works once is carried back to the service's host, becomes a ticket for
// that service alone in a cookie of that host, and the page opens. The next
// service finds the sign-in cookie and asks nothing.
package weblogin

import (
	"context"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/text/language"

	"sekisho/gate"
	"sekisho/internal/account"
)

// Gate is what the door asks.
type Gate interface {
	// Prompt is what the pages have to ask for: the same for a name that
	// nobody has.
	Prompt(context.Context, gate.Request) (gate.Prompt, error)
	Admit(context.Context, gate.Request) (gate.Answer, error)
	Refuse(context.Context, gate.Request, gate.Fault) (gate.Answer, error)
	// Present judges a ticket against the rules and books nothing.
	Present(context.Context, gate.Request) (gate.Holder, error)
	Sessions(ctx context.Context, person int64) ([]gate.Session, error)
	// Began tells whose ticket is presented, alive or not, and what to end.
	Began(context.Context, gate.Request) (p gate.Person, id string, err error)
	// EndSession ends a sign-in of the person and what rests on it.
	EndSession(ctx context.Context, r gate.Request, p gate.Person, id string, why gate.Fault) error
	// SignOut ends everything the person is signed in to.
	SignOut(ctx context.Context, r gate.Request, p gate.Person) (ended int, err error)
	// Tunnel judges the ticket of whoever has the address in a VPN's tunnel.
	Tunnel(context.Context, gate.Request) (gate.Holder, error)
	// Word makes what the person types, once, to sign in to a VPN.
	Word(context.Context, gate.Request) (gate.Word, error)
	// MayMakeAppPassword reports whether MakeAppPassword would make one for the
	// service.
	MayMakeAppPassword(ctx context.Context, r gate.Request, service string) (bool, error)
	// MakeAppPassword makes what a program of the person sends for long.
	MakeAppPassword(context.Context, gate.Request, gate.Program) (gate.Secret, error)
	EndAppPassword(ctx context.Context, r gate.Request, p gate.Person, id string) error
}

// Accounts is where the portal learns of the person's devices and application
// passwords.
type Accounts interface {
	Profile(ctx context.Context, name string) (account.Profile, error)
}

// Server is the browser door. Its fields are set before Handler is called.
type Server struct {
	Gate     Gate
	Accounts Accounts
	URL      *url.URL // of the sign-in host, as browsers reach it
	Site     Site
	Services []Service
	Log      *slog.Logger
	Metrics  prometheus.Registerer // nil counts nothing
	Now      func() time.Time      // nil: the machine's

	// Wait holds a refusal back for the duration, or until ctx ends; nil: a
	// timer.
	Wait        func(ctx context.Context, d time.Duration)
	RejectDelay time.Duration // a refusal leaves no earlier; 0: 1 s

	once      sync.Once
	log       *slog.Logger
	flows     shelf[flow]
	farewells shelf[farewell]
	errands   shelf[errand]
	words     shelf[word]
	vpns      atomic.Pointer[[]VPN]
	programs  atomic.Pointer[[]Program]
	strayed   atomic.Int64 // second when a proxy last asked for what no service has
	looks     looks
	metrics   metrics
	held      held
	matcher   language.Matcher // of the site's languages
}

// setup fills in what was left zero, once.
func (s *Server) setup() {
	s.once.Do(func() {
		s.log = s.Log
		if s.log == nil {
			s.log = slog.New(slog.DiscardHandler)
		}
		if s.Now == nil {
			s.Now = time.Now
		}
		if s.Wait == nil {
			s.Wait = wait
		}
		if s.RejectDelay == 0 {
			s.RejectDelay = time.Second
		}
		unknown := func(l string) bool { return texts[l] == nil }
		if s.Site.Languages = slices.DeleteFunc(slices.Clone(s.Site.Languages), unknown); len(s.Site.Languages) == 0 {
			s.Site.Languages = []string{"ja", "en"}
		}
		tags := make([]language.Tag, len(s.Site.Languages))
		for i, l := range s.Site.Languages {
			tags[i] = language.Make(l)
		}
		s.matcher = language.NewMatcher(tags)
		s.flows.forget, s.flows.now = func(f *flow) { clear(f.password) }, s.Now
		s.looks, s.metrics = newLooks(s.Site), newMetrics(s.Metrics)
	})
}

// Site is what the pages say of the organisation.
type Site struct {
	Name      string
	Help      string   // an address or a sentence
	Languages []string // of "ja" and "en", the preferred one first
	Accent    string   // colour, #rrggbb; "" the default
	Logo      []byte   // PNG or SVG; nil none
	LogoType  string   // its media type
}

// Service is a web service that people go on to.
type Service struct {
	Name  string // as the rules call it
	Title string
	URL   *url.URL // scheme, host and path prefix
}

// Listener is where a request came in.
type Listener struct {
	Name      string         // the client, in the book
	Zone      string         // of everybody who comes here; "": by address
	Proxies   []netip.Prefix // whose forwarding headers are believed
	Balancers []netip.Prefix // whose PROXY header has told where a connection comes from
}
