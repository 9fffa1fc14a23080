package weblogin

import (
	"errors"
	"net/http"

	"sekisho/gate"
	"sekisho/internal/reason"
)

// judge has the attempt judged, once.
func (v *visit) judge(f flow, q gate.Request, p gate.Prompt) {
	answer, err := v.s.Gate.Admit(v.r.Context(), q)
	clear(q.Password)
	clear(q.Code)
	switch {
	case err != nil:
		v.ourSide("judge a sign-in", err)
	case answer.Outcome == gate.Admitted:
		v.admitted(f, answer)
	default:
		v.s.hold(v.r.Context(), v.source(), v.came, answer.Ready)
		v.refused(f, p, answer)
	}
}

func (v *visit) refused(f flow, p gate.Prompt, answer gate.Answer) {
	v.change(f, func(kept *flow) {
		kept.failures++
		kept.refusal = &refusal{answer.Message, v.language, answer.Reference}
		f.failures = kept.failures
	})
	if f.failures >= maxFailures {
		v.s.flows.drop(f.id)
		v.message(http.StatusForbidden, "sign-in-failed", notice{Text: answer.Message, Reference: answer.Reference})
		return
	}
	if p.Password {
		v.to(f.step("/login/password")) // the two are judged together
		return
	}
	v.to(f.step("/login/code"))
}

// admitted hands the ticket to the browser. Somebody else who was signed in
// there is signed out, with what rests on that.
func (v *visit) admitted(f flow, answer gate.Answer) {
	v.s.flows.drop(f.id)
	v.endFormer(answer.Person)
	http.SetCookie(v.w, v.s.cookie(ticketCookie, string(answer.Ticket.Secret)))
	if f.tunnel && f.errand != "" {
		// The service may see the person elsewhere, where the tunnel says
		// nothing: the new ticket is judged there before they go on.
		v.to(pathWith("/login", "service", f.service, "e", f.errand))
		return
	}
	v.goOn(f, answer.Ticket.Secret)
}

func (v *visit) endFormer(now gate.Person) {
	former, began, err := v.s.Gate.Began(v.r.Context(), v.holding(portalService))
	if err == nil && former.ID != 0 && former.ID != now.ID {
		err = v.s.Gate.EndSession(v.r.Context(), v.request(portalService), former, began, reason.SignedOut)
	}
	if err != nil && !errors.Is(err, gate.ErrNoSession) {
		v.s.log.Error("the former sign-in of a browser was not ended", "err", err)
	}
}

// goOn sends a signed-in person to where they wanted to go: what waits at the
// service, its start, or the portal. It is never an address from the request.
func (v *visit) goOn(f flow, secret gate.Secret) {
	if e, ok := v.errand(f.errand); ok {
		v.to(v.s.onward(e, secret))
		return
	}
	if service := v.s.byName(f.service); service != nil {
		v.to(service.start())
		return
	}
	v.to("/")
}

// notAllowed tells a signed-in person that the rules keep them out. What was
// denied is asked once more so that it is in the book, and has a reference.
func (v *visit) notAllowed(f flow, holder gate.Holder, denied gate.Request) {
	denied.User = holder.Person.Name
	answer, err := v.s.Gate.Admit(v.r.Context(), denied)
	switch {
	case err != nil:
		v.ourSide("judge a sign-in", err)
	case answer.Outcome == gate.Admitted: // the rules changed in this moment
		v.admitted(f, answer)
	default:
		v.message(http.StatusForbidden, "not-allowed", notice{Reference: answer.Reference, Again: "/"})
	}
}
