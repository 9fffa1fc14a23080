package weblogin

import (
	"net/http"
)

// Handler answers what comes in by the listener: the proxies' questions, the
// few addresses of ours on the services' hosts, and the pages.
func (s *Server) Handler(l Listener) http.Handler {
	s.setup()
	verify, onService, pages := s.verify(l), s.guarded(s.onService(l)), s.guarded(s.pages(l))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/verify":
			verify.ServeHTTP(w, r)
		case s.byHost(r.Host) != nil:
			onService.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	})
}

// pages are those of the sign-in host. A form is taken from our own pages
// only.
func (s *Server) pages(l Listener) http.Handler {
	mux := http.NewServeMux()
	for pattern, do := range map[string]func(*visit){
		"GET /{$}":                 (*visit).portal,
		"GET /login":               (*visit).login,
		"POST /login":              (*visit).takeName,
		"GET /login/password":      (*visit).password,
		"POST /login/password":     (*visit).takePassword,
		"GET /login/code":          (*visit).code,
		"POST /login/code":         (*visit).takeCode,
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
