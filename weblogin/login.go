package weblogin

import (
	"errors"
	"net/http"
	"strings"
	"unicode"

	"sekisho/gate"
	"sekisho/policy"
)

// login begins a sign-in, or shows the first page again to whoever comes back
// from a later one.
func (v *visit) login() {
	if v.r.FormValue("flow") == "" {
		v.arrive(v.asked())
		return
	}
	switch f, ok := v.open(); {
	case !ok:
		v.expired()
	case f.tunnel: // whose the address is may have changed
		v.arrive(flow{service: f.service, errand: f.errand})
	default:
		v.namePage(f, http.StatusOK, nil)
	}
}

// arrive asks who it is, or goes on at once for whoever is signed in.
func (v *visit) arrive(f flow) {
	holder, q, err := v.present(f)
	switch {
	case err != nil:
		v.ourSide("present the ticket", err)
	case holder.Person.ID == 0:
		v.newcomer(f)
	case holder.Verdict == policy.Allow:
		v.goOn(f, v.s.ticketSecret(v.r))
	case holder.Verdict == policy.Ask:
		f.name, f.stepUp = holder.Person.Name, true
		v.next(v.begin(f))
	default:
		v.notAllowed(f, holder, q)
	}
}

// asked is a flow that has not begun. A service that is not ours is none.
func (v *visit) asked() (f flow) {
	if service := v.s.byName(v.r.FormValue("service")); service != nil {
		f.service = service.Name
		id := strings.Clone(v.r.FormValue("e")) // kept, and not the form with it
		if e, ok := v.errand(id); ok && e.service.Name == service.Name {
			f.errand = id
		}
	}
	return f
}

func (v *visit) namePage(f flow, status int, a *alert) {
	_, p, err := v.prompt(f)
	if err != nil {
		v.cantAsk(f, err)
		return
	}
	v.form(f, p, status, "name", v.words.NameTitle, a)
}

func (v *visit) takeName() {
	if !v.known {
		v.message(http.StatusBadRequest, "cookies-needed", notice{})
		return
	}
	name := strings.Clone(strings.TrimSpace(bounded(v.r.PostFormValue("name"), maxName)))
	f, ok := v.asked(), true
	if v.r.PostFormValue("flow") != "" {
		f, ok = v.open()
	}
	switch {
	case !ok:
		v.expired()
	case name == "":
		v.namePage(f, http.StatusUnprocessableEntity, &alert{Heading: v.words.NameMissing})
	case f.id == "":
		f.name = name
		v.next(v.begin(f))
	default:
		v.change(f, func(kept *flow) {
			clear(kept.password)
			kept.name, kept.stepUp, kept.tunnel, kept.password, kept.refusal = name, false, false, nil, nil
			f = *kept
		})
		f.id = v.r.PostFormValue("flow")
		v.next(f)
	}
}

// next goes to the first page that still has to be filled in.
func (v *visit) next(f flow) {
	_, p, err := v.prompt(f)
	switch {
	case err != nil:
		v.cantAsk(f, err)
	case p.Code && !p.Password:
		v.to(f.step("/login/code"))
	default:
		v.to(f.step("/login/password"))
	}
}

// at opens the flow of a later page and asks what is needed; it answers
// itself where that can't be.
func (v *visit) at() (f flow, q gate.Request, p gate.Prompt, ok bool) {
	if f, ok = v.open(); !ok {
		v.expired()
		return f, q, p, false
	}
	q, p, err := v.prompt(f)
	if err != nil {
		v.cantAsk(f, err)
		return f, q, p, false
	}
	return f, q, p, true
}

// cantAsk answers where it is not known what the flow has to ask for.
func (v *visit) cantAsk(f flow, err error) {
	if errors.Is(err, errMoved) {
		v.s.flows.drop(f.id)
		v.expired()
		return
	}
	v.ourSide("ask what is needed", err)
}

func (v *visit) password() {
	if f, _, p, ok := v.at(); ok {
		v.form(f, p, http.StatusOK, "password", v.words.PasswordTitle, v.refusalOf(f))
	}
}

func (v *visit) takePassword() {
	f, q, p, ok := v.at()
	if !ok {
		return
	}
	password := []byte(bounded(v.r.PostFormValue("password"), maxPassword))
	switch {
	case len(password) == 0:
		v.form(f, p, http.StatusUnprocessableEntity, "password", v.words.PasswordTitle, &alert{Heading: v.words.PasswordMissing})
	case p.Code:
		v.change(f, func(kept *flow) {
			clear(kept.password)
			kept.password, kept.refusal = password, nil
		})
		v.to(f.step("/login/code"))
	default:
		q.Password = password
		v.judge(f, q, p)
	}
}

func (v *visit) code() {
	f, _, p, ok := v.at()
	switch {
	case !ok:
	case !p.Code, p.Password && f.password == nil:
		v.to(f.step("/login/password"))
	default:
		v.form(f, p, http.StatusOK, "code", v.words.CodeTitle, v.refusalOf(f))
	}
}

func (v *visit) takeCode() {
	f, q, p, ok := v.at()
	if !ok {
		return
	}
	q.Code = tidy(v.r.PostFormValue("code"))
	if len(q.Code) == 0 {
		v.form(f, p, http.StatusUnprocessableEntity, "code", v.words.CodeTitle, &alert{Heading: v.words.CodeMissing})
		return
	}
	q.Password = v.takePasswordOf(f)
	if p.Password && q.Password == nil {
		v.to(f.step("/login/password")) // sent twice, or after a refusal
		return
	}
	v.judge(f, q, p)
}

// form shows a page of the flow.
func (v *visit) form(f flow, p gate.Prompt, status int, name, title string, a *alert) {
	v.render(status, name, v.formView(f, p, title, a))
}

func (v *visit) formView(f flow, p gate.Prompt, title string, a *alert) view {
	page := v.view(title)
	page.Flow, page.ServiceName, page.Errand, page.Name = f.id, f.service, f.errand, f.name
	page.Place, page.Alert, page.NotYou = v.place(p.Inside, v.source().Addr), a, f.step("/login")
	page.Other = v.r.FormValue("other") != ""
	if f.tunnel {
		page.NotYou = pathWith("/login", "service", f.service, "e", f.errand, "other", "1")
	}
	if service := v.s.byName(f.service); service != nil {
		page.Service = service.Title
	}
	page.Why = v.words.CodeWhyService
	if !p.Inside {
		page.Why = v.words.CodeWhyOutside
	}
	return page
}

func (v *visit) refusalOf(f flow) *alert {
	if f.refusal == nil {
		return nil
	}
	return &alert{
		Heading: v.words.Failed, Text: f.refusal.text, Reference: f.refusal.reference, Language: f.refusal.language,
		Left: v.words.left(maxFailures - f.failures),
		Help: pathWith("/help/failed", "flow", f.id, "ref", f.refusal.reference, "service", f.service),
	}
}

// What a flow keeps is bounded; neither bound lets anything through that the
// gate would have refused uncut.
const (
	maxName     = 256
	maxPassword = 1024 + 1 // octets; one more than the gate looks at
)

func bounded(text string, octets int) string { return text[:min(len(text), octets)] }

// tidy takes out what people type into a code for reading: spaces and
// hyphens, of either width, and makes full-width digits plain.
func tidy(code string) []byte {
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Dash, r), r == 'ー':
			return -1
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		}
		return r
	}, code)
	return []byte(plain)
}
