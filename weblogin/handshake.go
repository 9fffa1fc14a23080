package weblogin

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sekisho/gate"
	"sekisho/internal/reason"
)

// wordLasts is how long the way from the sign-in host to the service may take.
const wordLasts = 30 * time.Second

// word carries a sign-in over to a service's host, once. The browser holds no
// more than its name.
type word struct {
	errand errand
	secret gate.Secret // of the sign-in's ticket
	ends   time.Time
}

// onward is the address, on the service's host, where the sign-in of this
// ticket goes on. It opens once, in the browser that began the errand.
func (s *Server) onward(e errand, secret gate.Secret) string {
	now := s.Now()
	kept := gate.Secret(strings.Clone(string(secret))) // not the request that it came with
	t := s.words.put(word{e, kept, now.Add(wordLasts)}, "", e.source, now)
	return e.service.origin() + "/.sekisho/in?t=" + url.QueryEscape(t)
}

// crossing is one request to /.sekisho/ on a service's host.
type crossing struct {
	s        *Server
	w        http.ResponseWriter
	r        *http.Request
	listener Listener
	service  *Service
	request  gate.Request
}

// onService serves /.sekisho/ of the services' hosts, which their proxies pass
// to us without asking /verify first.
func (s *Server) onService(l Listener) http.Handler {
	steps := map[string]func(*crossing){
		"/.sekisho/go": (*crossing).begin, "/.sekisho/in": (*crossing).arrive, "/.sekisho/out": (*crossing).leave,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		q, ok := s.fromProxy(w, r, l)
		if !ok {
			return
		}
		service, step := s.byHost(r.Host), steps[r.URL.Path]
		switch {
		case service == nil || step == nil:
			http.NotFound(w, r)
		case r.Method != http.MethodGet: // a HEAD would use the word up
			w.Header().Set("Allow", http.MethodGet)
			http.Error(w, "Only GET.", http.StatusMethodNotAllowed)
		default:
			b, _ := s.browser(r)
			q.Service, q.Language = service.Name, s.language(r, b)
			step(&crossing{s, w, r, l, service, q})
		}
	})
}

// arrive is /.sekisho/in: the word becomes a ticket for this service, in a
// cookie of its host. What fails ends here, on a page: back at the sign-in it
// would come again, and again.
func (c *crossing) arrive() {
	now := c.s.Now()
	word, ok := c.s.words.take(c.r.URL.Query().Get("t"), "", now)
	nonce := sha256.Sum256([]byte(c.s.cookieValue(c.r, nonceCookie)))
	if !ok || !now.Before(word.ends) || word.errand.service.Name != c.service.Name || subtle.ConstantTimeCompare(nonce[:], word.errand.nonce[:]) != 1 {
		c.lost()
		return
	}
	q := c.request
	q.TicketSecret, q.TicketOf = string(word.secret), portalService
	holder, err := c.s.Gate.Present(c.r.Context(), q)
	if err == nil && holder.Person.Name == "" { // it was ended on the way
		c.lost()
		return
	}
	var answer gate.Answer
	if err == nil {
		q.User = holder.Person.Name
		answer, err = c.s.Gate.Admit(c.r.Context(), q)
	}
	switch {
	case err != nil:
		c.ourSide("let a person in", err)
	case answer.Outcome != gate.Admitted:
		c.say(http.StatusForbidden, "not-let-in", answer)
	default:
		http.SetCookie(c.w, c.s.cookie(serviceCookie, string(answer.Ticket.Secret)))
		c.to(word.errand.page())
	}
}

// leave is /.sekisho/out: it ends the ticket for this service and nothing
// else. A service links to it; what a page fetches in passing does not count,
// nor where another site sends somebody.
func (c *crossing) leave() {
	mode, site := c.r.Header.Get("Sec-Fetch-Mode"), c.r.Header.Get("Sec-Fetch-Site")
	if mode != "" && mode != "navigate" || site == "cross-site" {
		http.Error(c.w, "Open this as a page of the service.", http.StatusForbidden)
		return
	}
	http.SetCookie(c.w, c.s.noCookie(serviceCookie))
	holder, err := c.s.serviceHolder(c.r, c.request, c.service)
	if err == nil && holder.Ticket.ID != "" {
		err = c.s.Gate.EndSession(c.r.Context(), c.request, holder.Person, holder.Ticket.ID, reason.SignedOut)
	}
	if err != nil && !errors.Is(err, gate.ErrNoSession) {
		c.ourSide("end a ticket", err)
		return
	}
	c.say(http.StatusOK, "signed-out-here", gate.Answer{})
}

// lost books that a word is of no use here, and says so.
func (c *crossing) lost() {
	c.say(http.StatusForbidden, "handshake", c.s.book(c.r, c.request, gate.FaultHandshake))
}

// ourSide tells that nothing was judged: it is no refusal.
func (c *crossing) ourSide(doing string, err error) {
	c.s.visit(c.w, c.r, c.listener).ourSide(doing, err)
}

func (c *crossing) say(status int, code string, a gate.Answer) {
	c.s.message(c.w, c.r, c.listener, status, code, a)
}

// to sends the browser on. The address may hold what a person reads, in its
// query: no other page learns of it.
func (c *crossing) to(address string) {
	c.w.Header().Set("Referrer-Policy", "no-referrer")
	c.w.Header().Set("Location", address)
	c.w.WriteHeader(http.StatusSeeOther)
}
