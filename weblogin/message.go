package weblogin

import (
	"net/http"

	"sekisho/gate"
)

// notice is what a message says besides its own words.
type notice struct {
	Text      string // instead of the usual one; ends with the reference
	Reference string
	Again     string // where to start again; "" the service, or the sign-in
}

// messageView is a page that only says something. Its code is stable: the
// help desk and the manual go by it.
type messageView struct {
	Code      string
	Heading   string
	Text      string
	Reference string
	Again     string
}

// message answers with a page that says something.
func (v *visit) message(status int, code string, n notice) {
	said := v.words.Messages[code]
	page := v.view(said.Title)
	page.Message = messageView{Code: code, Heading: said.Title, Text: said.Text, Reference: n.Reference, Again: n.Again}
	if n.Text != "" {
		page.Message.Text = n.Text
	}
	if n.Again == "" {
		page.Message.Again = v.again()
	}
	v.render(status, "message", page)
}

// again is where somebody whose page is of no use starts again: at the
// service they were going to, if it is one of ours, else at the portal.
func (v *visit) again() string {
	if service := v.s.byHost(v.r.Host); service != nil {
		return service.start()
	}
	if service := v.s.byName(v.r.FormValue("service")); service != nil {
		return service.start()
	}
	return "/"
}

// message is for what answers outside the pages, on a service's host.
func (s *Server) message(w http.ResponseWriter, r *http.Request, l Listener, status int, code string, a gate.Answer) {
	s.visit(w, r, l).message(status, code, notice{Text: a.Message, Reference: a.Reference})
}

// expired tells that a page belongs to a sign-in that has ended.
func (v *visit) expired() { v.message(http.StatusGone, "page-expired", notice{}) }
