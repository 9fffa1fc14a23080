package weblogin

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"sekisho/gate"
)

const maxForm = 8 << 10 // octets; our longest form is far shorter

// visit is one request to a page.
type visit struct {
	s        *Server
	w        http.ResponseWriter
	r        *http.Request
	listener Listener
	came     time.Time
	browser  browser // with an id even on the first visit
	known    bool    // the browser brought our cookie
	language string
	words    *words
	from     *gate.Source // nil: not looked up yet
}

// visit reads what every page needs. A first visit, or a language chosen just
// now, is noted in the browser's cookie.
func (s *Server) visit(w http.ResponseWriter, r *http.Request, l Listener) *visit {
	v := &visit{s: s, w: w, r: r, listener: l, came: s.Now()}
	v.browser, v.known = s.browser(r)
	v.language = s.language(r, v.browser)
	v.words = texts[v.language]
	note := !v.known
	if !v.known {
		v.browser.id = newID()
	}
	if chosen := r.URL.Query().Get("lang"); chosen == v.language && chosen != v.browser.language {
		v.browser.language, note = chosen, true
	}
	// A form from another site comes without the cookie, and must not have it
	// replaced.
	if note && r.Method == http.MethodGet && s.byHost(r.Host) == nil {
		s.setBrowser(w, v.browser)
	}
	return v
}

// page turns what a page does into a handler. A form that is too long, or no
// form, is answered here.
func (s *Server) page(l Listener, do func(*visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		err := r.ParseForm()
		v := s.visit(w, r, l)
		var long *http.MaxBytesError
		switch {
		case errors.As(err, &long):
			v.message(http.StatusRequestEntityTooLarge, "too-large", notice{})
		case err != nil:
			v.message(http.StatusBadRequest, "bad-request", notice{})
		default:
			do(v)
		}
	}
}

// source is where the person sits. It is looked up once, since a header of a
// proxy that is not listed is booked each time.
func (v *visit) source() gate.Source {
	if v.from == nil {
		source := v.s.source(v.r, v.listener)
		if v.known {
			source.Browser = v.browser.id
		}
		v.from = &source
	}
	return *v.from
}

// request is what the gate is asked on this visit, by the service's rules. The
// tickets that these pages give and take are the sign-in's own: one that a
// service holds is nobody's here.
func (v *visit) request(service string) gate.Request {
	q := v.s.request(v.listener, v.source())
	q.Service, q.Language, q.Came = service, v.language, v.came
	q.TicketOf, q.Opens = portalService, portalService
	return q
}

// holding is the request of whoever holds the ticket in the cookie.
func (v *visit) holding(service string) gate.Request {
	q := v.request(service)
	q.TicketSecret = string(v.s.ticketSecret(v.r))
	return q
}

// portalService is what the rules call the sign-in host itself.
const portalService = "portal"

// view is what a page shows.
type view struct {
	Words    *words
	Language string
	Site     Site
	Base     string // of links to the sign-in host; "" we are on it
	Title    string
	Choices  []choice
	HelpLink string // where Site.Help is an address

	Place   string // where the person is seen; "" not said
	Service string // title of what the person goes on to
	Alert   *alert

	// of a form
	ServiceName, Errand, Flow string
	NotYou                    string
	Other                     bool // is asked for, not who has the address in a tunnel
	Name                      string
	Offer                     string // whom the VPN's sign-in is of
	Why                       string // a code is asked for

	Portal   portal
	Word     vpnWord
	App      appPassword
	Farewell farewell
	Message  messageView
}

// alert is what went wrong, above a form.
type alert struct {
	Heading   string
	Text      string // may hold the reference
	Reference string
	Language  string // of Text, which may be of before the language was switched
	Left      string // how many tries are left
	Help      string // the address of what helps; "" it is said already
}

func (v *visit) view(title string) view {
	page := view{Words: v.words, Language: v.language, Site: v.s.Site, Title: title, HelpLink: link(v.s.Site.Help)}
	if v.s.byHost(v.r.Host) != nil {
		page.Base = v.s.origin() // our style and help are not on the service's host
		return page
	}
	page.Choices = v.choices()
	return page
}

// place says where the person is seen, and by which address.
func (v *visit) place(inside bool, addr netip.Addr) string {
	text := v.words.Outside
	if inside {
		text = v.words.Inside
	}
	if addr.IsValid() {
		text += " (" + addr.Unmap().String() + ")"
	}
	return text
}

func (v *visit) render(status int, name string, page view) {
	var b bytes.Buffer
	if err := v.s.looks.pages[name].ExecuteTemplate(&b, "layout", page); err != nil {
		v.s.log.Error("a page could not be made", "page", name, "err", err)
		http.Error(v.w, v.words.Messages["our-side"].Title, http.StatusInternalServerError)
		return
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	v.w.Write(b.Bytes())
}

// to sends the browser on with a GET.
func (v *visit) to(address string) {
	v.w.Header().Set("Location", address)
	v.w.WriteHeader(http.StatusSeeOther)
}

// ourSide tells that nothing was judged: it is no refusal.
func (v *visit) ourSide(doing string, err error) {
	if !errors.Is(err, context.Canceled) {
		v.s.log.Error("a page could not be answered", "doing", doing, "listener", v.listener.Name, "err", err)
	}
	v.message(http.StatusServiceUnavailable, "our-side", notice{})
}

// link is the address if text is one.
func link(text string) string {
	switch {
	case strings.HasPrefix(text, "https://"), strings.HasPrefix(text, "http://"), strings.HasPrefix(text, "mailto:"):
		return text
	case strings.Count(text, "@") == 1 && !strings.ContainsAny(text, " 　/"):
		return "mailto:" + text
	}
	return ""
}
