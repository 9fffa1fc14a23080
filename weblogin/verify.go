package weblogin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"sekisho/gate"
	"sekisho/policy"
)

// The cookies of a service's host.
const (
	serviceCookie = "sekisho-service" // the secret of the ticket for this service
	nonceCookie   = "sekisho-nonce"   // which browser began an errand; proves nothing
)

// verify is forward-auth: a proxy asks, for each request, whether the person
// may open what they asked for, and who it is. Only a service's own cookie
// counts, never an address and never what the client said of itself.
func (s *Server) verify(l Listener) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Cache-Control"] = []string{"no-store"}
		q, ok := s.fromProxy(w, r, l)
		if !ok {
			return
		}
		d := dialectOf(dialectName(r.URL.RawQuery))
		if d.read == nil {
			http.Error(w, "Which proxy asks? Write /verify?d=nginx, d=haproxy, d=caddy or d=traefik.", http.StatusBadRequest)
			return
		}
		t, err := d.read(r.Header)
		switch {
		case errors.Is(err, errConflict):
			s.book(r, q, gate.FaultForwardedConflict)
			http.Error(w, "The forwarding headers disagree.", http.StatusForbidden)
			return
		case err != nil:
			http.Error(w, fmt.Sprintf("The proxy's request can't be read: %v.", err), http.StatusBadRequest)
			return
		}
		service := s.match(t)
		if service == nil {
			s.stray(l, t)
			http.Error(w, "No service is listed at this address.", http.StatusForbidden)
			return
		}

		holder, err := s.serviceHolder(r, q, service)
		switch {
		case err != nil:
			s.log.Error("a request of a service could not be judged", "service", service.Name, "err", err)
			http.Error(w, "It can't be judged at present.", http.StatusServiceUnavailable)
		case holder.Verdict == policy.Allow:
			setRemote(w.Header(), holder)
			w.WriteHeader(http.StatusOK)
		case holder.Person.Name != "" && holder.Verdict == policy.Deny && !t.navigates(r.Header):
			http.Error(w, "The rules do not allow this.", http.StatusForbidden)
		default: // of those whom the rules deny a page of ours says so, and books it
			signInFirst(w, r, d, service, t)
		}
	})
}

// fromProxy is the request's question to the gate. What comes from anybody
// but a listed proxy is booked and answered: ok is false.
func (s *Server) fromProxy(w http.ResponseWriter, r *http.Request, l Listener) (q gate.Request, ok bool) {
	if !l.lists(peer(r)) {
		s.book(r, s.request(l, gate.Source{Addr: peer(r), How: howSocket}), gate.FaultForwardedUntrusted)
		http.Error(w, "Only a listed proxy may ask this.", http.StatusForbidden)
		return gate.Request{}, false
	}
	return s.request(l, s.source(r, l)), true
}

// serviceHolder is who the service's cookie says it is, judged for this
// request. The zero Holder is nobody; so is the holder of a ticket that was
// not given for this service.
func (s *Server) serviceHolder(r *http.Request, q gate.Request, service *Service) (gate.Holder, error) {
	secret := s.cookieValue(r, serviceCookie)
	if secret == "" {
		return gate.Holder{}, nil
	}
	q.Service, q.TicketSecret = service.Name, secret
	return s.Gate.Present(r.Context(), q)
}

// signInFirst sends a person to where the sign-in begins, on the service's
// own host, and tells a script where that is.
func signInFirst(w http.ResponseWriter, r *http.Request, d dialect, service *Service, t target) {
	begin := service.origin() + "/.sekisho/go"
	if !t.navigates(r.Header) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		json.NewEncoder(w).Encode(map[string]string{"error": "sign_in_needed", "location": begin})
		return
	}
	// Proxies have small buffers for the headers of an answer. Whoever asks
	// for something longer arrives at the service's first page.
	if to := url.QueryEscape(t.uri); len(to) <= maxTo {
		begin += "?to=" + to
	}
	w.Header().Set("Location", begin)
	w.WriteHeader(d.redirect)
}

// dialectName is the value of d, and "" where there is not exactly one.
func dialectName(query string) string {
	name, ok := strings.CutPrefix(query, "d=")
	if !ok || strings.ContainsAny(name, "&;%+") {
		return ""
	}
	return name
}

// stray tells the operator of a request that belongs to no service: at most
// one a minute, since whoever reaches the proxy can make them.
func (s *Server) stray(l Listener, t target) {
	now, last := s.Now().Unix(), s.strayed.Load()
	if now-last < 60 || !s.strayed.CompareAndSwap(last, now) {
		return
	}
	s.log.Warn("a proxy asked for an address that no service has: compare [[web.service]] url with it",
		"listener", l.Name, "scheme", visible(t.scheme), "host", visible(t.host))
}
