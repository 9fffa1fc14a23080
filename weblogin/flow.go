package weblogin

import (
	"cmp"

	"sekisho/gate"
	"sekisho/policy"
)

// flow is one sign-in on its way from page to page. It is kept here; the
// pages carry only its name. Two tabs have two flows.
type flow struct {
	id      string
	service string // that the person goes on to, one of ours; "" the portal
	errand  string // what waits there; "" nothing
	name    string // as typed
	stepUp  bool   // the name is that of the ticket in the cookie, which lends what it proves
	tunnel  bool   // the name is of who has this address in a VPN's tunnel, whose ticket lends

	// password waits here for the code, where one is needed: outside they are
	// judged together, so that nobody can try passwords.
	password []byte

	failures int
	refusal  *refusal // the latest
}

type refusal struct {
	text      string // for the person, with the reference
	language  string
	reference string
}

const maxFailures = 3 // then the flow ends

// open finds the flow that the request names, if it is this browser's.
func (v *visit) open() (flow, bool) {
	if !v.known {
		return flow{}, false
	}
	id := v.r.FormValue("flow")
	f, ok := v.s.flows.see(id, v.browser.id, v.came)
	f.id = id
	return f, ok
}

// begin puts a flow on the shelf.
func (v *visit) begin(f flow) flow {
	f.id = v.s.flows.put(f, v.browser.id, v.source(), v.came)
	return f
}

// change lets do work on the kept flow; false if it has ended meanwhile.
func (v *visit) change(f flow, do func(*flow)) bool {
	return v.s.flows.change(f.id, v.browser.id, v.came, do)
}

// takePasswordOf takes the kept password out, so that it is judged once.
func (v *visit) takePasswordOf(f flow) (password []byte) {
	v.change(f, func(kept *flow) { password, kept.password = kept.password, nil })
	return password
}

// step is the address of a page of the flow. It names the service, too, so
// that the way on is known when the flow has ended.
func (f flow) step(page string) string {
	return pathWith(page, "flow", f.id, "service", f.service)
}

// judgedBy is the service by whose rules the flow is judged.
func (f flow) judgedBy() string { return cmp.Or(f.service, portalService) }

// attempt is what is to be judged, as far as it is known.
func (v *visit) attempt(f flow) gate.Request {
	q := v.request(f.judgedBy())
	if f.stepUp {
		q = v.holding(f.judgedBy())
	}
	q.User, q.Tunnel = f.name, f.tunnel
	return q
}

// prompt asks what the flow's pages have to ask for, and which request is to
// be judged: the service may see the person elsewhere than we do.
func (v *visit) prompt(f flow) (gate.Request, gate.Prompt, error) {
	if f.tunnel {
		return v.promptTunnel(f)
	}
	q := v.attempt(f)
	if e, ok := v.errand(f.errand); ok {
		return v.s.toward(v.r.Context(), q, e)
	}
	p, err := v.s.Gate.Prompt(v.r.Context(), q)
	return q, p, err
}

// present judges the ticket in the cookie, here and where the service sees
// the person: the answer is the worse of the two, and the request is the one
// that it is of. The zero Holder is nobody.
func (v *visit) present(f flow) (gate.Holder, gate.Request, error) {
	q := v.holding(f.judgedBy())
	if q.TicketSecret == "" {
		return gate.Holder{}, q, nil
	}
	h, err := v.s.Gate.Present(v.r.Context(), q)
	e, ok := v.errand(f.errand)
	if err != nil || !ok || h.Verdict != policy.Allow {
		return h, q, err
	}
	q = e.request(q)
	h, err = v.s.Gate.Present(v.r.Context(), q)
	return h, q, err
}
