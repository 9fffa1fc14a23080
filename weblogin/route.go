package weblogin

import (
	"net/http"
	"runtime/debug"
)

// Handler answers what comes in by the listener: the proxies' questions, the
// few addresses of ours on the services' hosts, and the pages.
func (s *Server) Handler(l Listener) http.Handler {
	s.setup()
	verify, onService, pages := s.verify(l), s.guarded(s.onService(l)), s.guarded(s.pages(l))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.broken(l, r)
		switch {
		case r.URL.Path == "/verify":
			verify.ServeHTTP(w, r)
		case s.byHost(r.Host) != nil:
			onService.ServeHTTP(w, r)
		case l.inClear(r):
			http.Error(w, "Here only a listed proxy may ask: passwords would cross the network in clear text.", http.StatusForbidden)
		default:
			pages.ServeHTTP(w, r)
		}
	})
}

// inClear reports whether a person's own machine asks, over a listener that is
// there for proxies and has no TLS.
func (l Listener) inClear(r *http.Request) bool {
	return r.TLS == nil && len(l.Proxies) > 0 && len(l.Balancers) == 0 && !l.lists(peer(r))
}

// broken tells the operator of a handler that panics, which the server would
// only note at the level of handshakes that fail. The connection is closed.
func (s *Server) broken(l Listener, r *http.Request) {
	why := recover()
	if why == nil {
		return
	}
	if why != http.ErrAbortHandler {
		s.log.Error("a request could not be answered: this is a fault of the program", "listener", l.Name,
			"path", visible(r.URL.Path), "why", why, "stack", string(debug.Stack()))
	}
	panic(http.ErrAbortHandler)
}

// pages are those of the sign-in host. A form is taken from our own pages
// only.
func (s *Server) pages(l Listener) http.Handler {
	mux := http.NewServeMux()
	for pattern, do := range map[string]func(*visit){
		"GET /{$}":                 (*visit).portal,
		"GET /login":               (*visit).login,
		"POST /login":              (*visit).takeName,
		"GET /login/continue":      (*visit).login,
		"POST /login/continue":     (*visit).takeOffer,
		"GET /login/password":      (*visit).password,
		"POST /login/password":     (*visit).takePassword,
		"GET /login/code":          (*visit).code,
		"POST /login/code":         (*visit).takeCode,
		"GET /word":                (*visit).word,
		"POST /word":               (*visit).makeWord,
		"GET /app-password":        (*visit).appPassword,
		"POST /app-password":       (*visit).makeAppPassword,
		"POST /app-password/end":   (*visit).endAppPassword,
		"GET /logout":              (*visit).logout,
		"POST /logout":             (*visit).signOut,
		"POST /session/end":        (*visit).endSession,
		"POST /signout-everywhere": (*visit).signOutEverywhere,
		"GET /help/failed":         (*visit).helpFailed,
		"GET /help/no-device":      (*visit).helpNoDevice,
		"/":                        (*visit).notFound,
	} {
		mux.Handle(pattern, s.page(l, do))
	}
	mux.HandleFunc("GET /style.css", s.serveStyle)
	if s.Site.Logo != nil {
		mux.HandleFunc("GET /logo", s.serveLogo)
	}
	own := http.NewCrossOriginProtection()
	own.SetDenyHandler(s.page(l, func(v *visit) {
		v.message(http.StatusForbidden, "cross-origin", notice{})
	}))
	return s.metrics.counted(l, own.Handler(mux))
}

func (v *visit) notFound() { v.message(http.StatusNotFound, "not-found", notice{}) }

// origin is the sign-in host's scheme and host.
func (s *Server) origin() string { return s.URL.Scheme + "://" + s.URL.Host }
