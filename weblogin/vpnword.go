package weblogin

import (
	"net/http"
	"slices"

	"sekisho/gate"
	"sekisho/policy"
)

// VPN is a service that a word from the portal opens: a VPN, or what a program
// signs in to.
type VPN struct {
	Name  string // as the rules call it
	Title string
	Door  string // where the word is typed; "": RADIUS
}

// Program reports whether a program asks, and no VPN.
func (v VPN) Program() bool { return v.Door == policy.DoorLDAP }

// vpnWord is what the page of a word shows.
type vpnWord struct {
	VPN   VPN
	User  string
	Text  string // what to type, this once; "" none was made yet
	Until string
}

// wordOf finds the VPN that a word is wanted for, and whoever is signed in;
// else the visit is answered.
func (v *visit) wordOf() (vpn VPN, holder gate.Holder, ok bool) {
	if vpn, ok = v.s.vpn(v.r.FormValue("service")); !ok {
		v.notFound()
		return vpn, holder, false
	}
	holder, ok = v.signedIn()
	return vpn, holder, ok
}

// SetVPNs puts another list of the VPNs that a word opens in force, at any
// time. Before the first call there is none.
func (s *Server) SetVPNs(list []VPN) { s.vpns.Store(&list) }

func (s *Server) allVPNs() []VPN {
	if list := s.vpns.Load(); list != nil {
		return *list
	}
	return nil
}

func (s *Server) vpn(name string) (VPN, bool) {
	list := s.allVPNs()
	i := slices.IndexFunc(list, func(v VPN) bool { return v.Name == name })
	if i < 0 {
		return VPN{}, false
	}
	return list[i], true
}

// word tells what a word is, and asks whether to make one.
func (v *visit) word() {
	if vpn, holder, ok := v.wordOf(); ok {
		v.wordPage(vpnWord{VPN: vpn, User: holder.Person.Name})
	}
}

// makeWord shows a new word in its own answer, which is the only place where
// it ever stands. A page that is loaded again makes another.
func (v *visit) makeWord() {
	vpn, holder, ok := v.wordOf()
	if !ok {
		return
	}
	q := v.holding(portalService)
	q.Opens, q.OpensAt = vpn.Name, vpn.Door
	made, err := v.s.Gate.Word(v.r.Context(), q)
	switch {
	case err != nil:
		v.ourSide("make a word", err)
	case made.Text == "":
		v.message(http.StatusForbidden, "no-word", notice{Again: "/"})
	default:
		v.wordPage(vpnWord{vpn, holder.Person.Name, string(made.Text), v.time(made.Until)})
	}
}

func (v *visit) wordPage(w vpnWord) {
	title := v.words.WordTitle
	if w.VPN.Program() {
		title = v.words.ProgramTitle
	}
	page := v.view(title)
	page.Word = w
	v.render(http.StatusOK, "word", page)
}
