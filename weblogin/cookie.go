package weblogin

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"sekisho/gate"
)

// The cookies of the sign-in host.
const (
	ticketCookie  = "sekisho"         // the secret of the sign-in's ticket
	browserCookie = "sekisho-browser" // which browser this is, and its language; proves nothing
)

const (
	browserLasts = 365 * 24 * time.Hour
	maxSecret    = 256 // octets of a ticket's secret that are looked at
)

var encoding = base64.RawURLEncoding

// cookieName is the cookie's full name. The prefix makes browsers refuse a
// cookie that another host of the domain has set, or that came in clear text
// (RFC 6265bis section 4.1.3.2); it needs https, which a loopback trial has
// not.
func (s *Server) cookieName(base string) string {
	if s.URL.Scheme == "https" {
		return "__Host-" + base
	}
	return base
}

// cookie makes one that lasts until the browser is closed.
func (s *Server) cookie(base, value string) *http.Cookie {
	return &http.Cookie{
		Name: s.cookieName(base), Value: value, Path: "/",
		Secure: s.URL.Scheme == "https", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// noCookie makes the browser forget one.
func (s *Server) noCookie(base string) *http.Cookie {
	c := s.cookie(base, "")
	c.MaxAge = -1
	return c
}

// cookieValue is "" where there is none, or one that can't be ours.
func (s *Server) cookieValue(r *http.Request, base string) string {
	c, err := r.Cookie(s.cookieName(base))
	if err != nil || len(c.Value) > maxSecret {
		return ""
	}
	return c.Value
}

// ticketSecret is what the browser presents; "" nothing.
func (s *Server) ticketSecret(r *http.Request) gate.Secret {
	return gate.Secret(s.cookieValue(r, ticketCookie))
}

// browser is what the long-lived cookie says.
type browser struct {
	id       string // random; a flow goes on only where it began
	language string // chosen on a page; "" none was
}

// browser reads the cookie; ok is false where there is none that we made.
func (s *Server) browser(r *http.Request) (b browser, ok bool) {
	b.id, b.language, _ = strings.Cut(s.cookieValue(r, browserCookie), ".")
	if !isID(b.id) {
		return browser{}, false
	}
	if !slices.Contains(s.Site.Languages, b.language) {
		b.language = ""
	}
	return b, true
}

func (s *Server) setBrowser(w http.ResponseWriter, b browser) {
	c := s.cookie(browserCookie, b.id+"."+b.language)
	c.MaxAge = int(browserLasts / time.Second)
	http.SetCookie(w, c)
}

const idSize = 16 // octets: 128 bits can't be guessed

// newID is a name that nobody can guess.
func newID() string {
	var b [idSize]byte
	rand.Read(b[:])
	return encoding.EncodeToString(b[:])
}

// isID says whether newID could have made it.
func isID(text string) bool {
	b, err := encoding.DecodeString(text)
	return err == nil && len(b) == idSize
}
