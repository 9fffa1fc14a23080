package weblogin

import (
	"errors"
	"net/http"
	"slices"

	"sekisho/gate"
	"sekisho/internal/reason"
)

// farewell is what the page says after somebody signed out.
type farewell struct {
	Everywhere bool
	Ended      []string
	Left       []string // what they are still signed in to
}

// logout asks whether to sign out or, afterwards, says what that did.
func (v *visit) logout() {
	if id := v.r.FormValue("flow"); v.known && id != "" {
		if said, ok := v.s.farewells.see(id, v.browser.id, v.came); ok {
			page := v.view(v.words.SignedOutTitle)
			page.Farewell = said
			v.render(http.StatusOK, "farewell", page)
			return
		}
	}
	person, _, err := v.s.Gate.Began(v.r.Context(), v.holding(portalService))
	switch {
	case err != nil:
		v.ourSide("find the sign-in", err)
	case person.ID == 0:
		v.render(http.StatusOK, "farewell", v.view(v.words.SignedOutTitle))
	default:
		v.render(http.StatusOK, "logout", v.view(v.words.SignOutTitle))
	}
}

// signOut ends the sign-in of this browser with what rests on it, even if the
// browser's own ticket is over. It asks no rule: one may always leave.
func (v *visit) signOut() {
	person, began, err := v.s.Gate.Began(v.r.Context(), v.holding(portalService))
	if err == nil && began == "" {
		v.bye(farewell{})
		return
	}
	var said farewell
	if err == nil {
		said, _, err = v.end(person, began, reason.SignedOut)
	}
	if err != nil {
		v.ourSide("sign out", err)
		return
	}
	v.bye(said)
}

// end ends a sign-in of the person, and tells what ended with it and what is
// left. One that has ended already, or that is somebody else's, changes
// nothing.
func (v *visit) end(p gate.Person, id string, why gate.Fault) (said farewell, left []gate.Session, err error) {
	before, err := v.s.Gate.Sessions(v.r.Context(), p.ID)
	if err != nil {
		return farewell{}, nil, err
	}
	err = v.s.Gate.EndSession(v.r.Context(), v.request(portalService), p, id, why)
	if err != nil && !errors.Is(err, gate.ErrNoSession) {
		return farewell{}, nil, err
	}
	left, err = v.s.Gate.Sessions(v.r.Context(), p.ID)
	for _, one := range before {
		list := &said.Ended
		if slices.ContainsFunc(left, func(lives gate.Session) bool { return lives.ID == one.ID }) {
			list = &said.Left
		}
		if what := v.what(one); !slices.Contains(*list, what) {
			*list = append(*list, what)
		}
	}
	return said, left, err
}

func (v *visit) signOutEverywhere() {
	holder, ok := v.signedIn()
	if !ok {
		return
	}
	if _, err := v.s.Gate.SignOut(v.r.Context(), v.request(portalService), holder.Person); err != nil {
		v.ourSide("sign out everywhere", err)
		return
	}
	v.bye(farewell{Everywhere: true})
}

// bye makes the browser forget the ticket and shows the farewell.
func (v *visit) bye(f farewell) {
	http.SetCookie(v.w, v.s.noCookie(ticketCookie))
	if !v.known {
		v.to("/logout")
		return
	}
	id := v.s.farewells.put(f, v.browser.id, v.source(), v.came)
	v.to(flow{id: id}.step("/logout"))
}
