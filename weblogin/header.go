package weblogin

import (
	"net/http"
	"strings"
)

// contentPolicy allows our own style sheet and logo and nothing else. The
// pages have no script. Browsers hold form-action against the redirects that
// follow a form, too, so the services that people go on to are named.
func (s *Server) contentPolicy() string {
	self := "'self' " + s.origin()
	forms := self
	for i := range s.Services {
		forms += " " + s.Services[i].origin()
	}
	return strings.Join([]string{
		"default-src 'none'", "style-src " + self, "img-src " + self, "form-action " + forms,
		"frame-ancestors 'none'", "base-uri 'none'",
	}, "; ")
}

// guarded sets on every answer what keeps a page to itself. The referrer
// stays on this site: a page's address may name a flow. It is not switched
// off, since browsers then hide the origin of our own forms, too.
func (s *Server) guarded(next http.Handler) http.Handler {
	policy, secure := s.contentPolicy(), s.URL.Scheme == "https"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cache-Control", "no-store")
		h.Set("Vary", "Cookie, Accept-Language")
		if secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
