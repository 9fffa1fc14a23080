package weblogin

import (
	"cmp"
	"errors"
	"net/http"

	"sekisho/gate"
	"sekisho/policy"
)

// errMoved means that the address is not, by now, that of the person whom a
// flow through the VPN is of.
var errMoved = errors.New("the address in the tunnel is somebody else's, or nobody's")

// newcomer asks who it is that comes without a sign-in. Whoever has the address
// in a VPN's tunnel is offered to go on as the person who is signed in there.
func (v *visit) newcomer(f flow) {
	if v.r.FormValue("other") != "" { // it was offered, and declined
		v.namePage(f, http.StatusOK, nil)
		return
	}
	holder, err := v.s.Gate.Tunnel(v.r.Context(), v.request(f.judgedBy()))
	switch {
	case err != nil:
		v.ourSide("look who has an address in a tunnel", err)
	case holder.Person.ID == 0, holder.Verdict == policy.Deny:
		v.namePage(f, http.StatusOK, nil)
	default:
		f.name, f.tunnel = holder.Person.Name, true
		v.offer(v.begin(f), holder)
	}
}

// offer is the page that asks. It signs nobody in.
func (v *visit) offer(f flow, holder gate.Holder) {
	page := v.formView(f, tunnelPrompt(holder), v.words.OfferTitle, nil)
	page.Offer = cmp.Or(holder.Person.Display, holder.Person.Name)
	v.render(http.StatusOK, "offer", page)
}

// takeOffer goes on as the person who was shown, if the address is still
// theirs, and asks first for what the VPN's ticket does not lend.
func (v *visit) takeOffer() {
	if !v.known {
		v.message(http.StatusBadRequest, "cookies-needed", notice{})
		return
	}
	f, ok := v.open()
	if !ok || !f.tunnel {
		v.expired()
		return
	}
	q, p, err := v.prompt(f)
	switch {
	case err != nil:
		v.cantAsk(f, err)
	case p.Password || p.Code:
		v.next(f)
	default:
		v.judge(f, q, p)
	}
}

// promptTunnel is what has to be asked for besides what the VPN's ticket lends.
func (v *visit) promptTunnel(f flow) (gate.Request, gate.Prompt, error) {
	q := v.attempt(f)
	holder, err := v.s.Gate.Tunnel(v.r.Context(), q)
	if err == nil && (holder.Person.Name != f.name || holder.Verdict == policy.Deny) {
		err = errMoved
	}
	return q, tunnelPrompt(holder), err
}

func tunnelPrompt(holder gate.Holder) gate.Prompt {
	p := holder.Missing
	p.Zone, p.Inside = holder.Zone, holder.Zone != policy.OffCampus
	return p
}
