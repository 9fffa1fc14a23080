package weblogin

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"sekisho/gate"
	"sekisho/internal/account"
	"sekisho/internal/reason"
	"sekisho/policy"
)

// portal is what a signed-in person finds on the sign-in host.
type portal struct {
	Name      string
	Services  []destination
	VPNs      []VPN
	Words     []VPN // programs that a word opens
	Programs  []Program
	Apps      []app // their application passwords
	Devices   []device
	NoDevices bool // they could not be looked up
	Sessions  []session
}

type destination struct{ Title, URL string }

var errNoAccounts = errors.New("the server knows no accounts")

// device is one that shows codes.
type device struct{ Label, Since, Last string }

// session is a sign-in of the person.
type session struct {
	ID      string
	What    string // which service, or by which door
	Factors string
	From    string // zone and client
	Since   string
	Until   string
	Here    bool // in this browser
}

// signedIn is who holds the ticket in the cookie, if the rules let them in
// here now; else the visit is answered: by the sign-in, which asks for what
// is missing, or by a message.
func (v *visit) signedIn() (gate.Holder, bool) {
	holder, q, err := v.present(flow{})
	switch {
	case err != nil:
		v.ourSide("present the ticket", err)
	case holder.Person.ID != 0 && holder.Verdict == policy.Allow:
		return holder, true
	case holder.Person.ID != 0 && holder.Verdict == policy.Deny:
		v.notAllowed(flow{}, holder, q)
	default:
		v.to("/login")
	}
	return gate.Holder{}, false
}

func (v *visit) portal() {
	holder, ok := v.signedIn()
	if !ok {
		return
	}
	sessions, err := v.s.Gate.Sessions(v.r.Context(), holder.Person.ID)
	if err != nil {
		v.ourSide("list the sign-ins", err)
		return
	}
	page := v.view(v.words.PortalTitle)
	page.Place = v.place(holder.Zone != policy.OffCampus, v.source().Addr)
	p := &page.Portal
	if p.Name = holder.Person.Display; p.Name == "" {
		p.Name = holder.Person.Name
	}
	for i := range v.s.Services {
		p.Services = append(p.Services, destination{v.s.Services[i].Title, v.s.Services[i].start()})
	}
	for _, one := range v.s.allVPNs() {
		if one.Program() {
			p.Words = append(p.Words, one)
		} else {
			p.VPNs = append(p.VPNs, one)
		}
	}
	p.Programs = v.s.allPrograms()
	for _, one := range sessions {
		p.Sessions = append(p.Sessions, v.session(one, holder.Ticket.ID))
	}
	profile, err := v.profile(holder.Person.Name)
	if err != nil {
		v.s.log.Error("a person's devices could not be listed", "person", holder.Person.Name, "err", err)
		p.NoDevices = true
	}
	for _, d := range profile.Devices {
		p.Devices = append(p.Devices, v.device(d))
	}
	for _, one := range profile.AppPasswords {
		p.Apps = append(p.Apps, v.app(one))
	}
	v.render(http.StatusOK, "portal", page)
}

func (v *visit) profile(name string) (account.Profile, error) {
	if v.s.Accounts == nil {
		return account.Profile{}, errNoAccounts
	}
	return v.s.Accounts.Profile(v.r.Context(), name)
}

func (v *visit) device(d account.Device) device {
	shown := device{Label: d.Label, Since: v.time(d.Created)}
	if !d.Last.IsZero() {
		shown.Last = v.time(d.Last)
	}
	return shown
}

func (v *visit) session(one gate.Session, here string) session {
	var factors []string
	for _, f := range one.Factors {
		factors = append(factors, v.words.factor(f))
	}
	return session{
		ID: one.ID, What: v.what(one), Factors: strings.Join(factors, v.words.Plus),
		From: v.words.zone(one.Zone), Since: v.time(one.Since), Until: v.time(one.Until), Here: one.ID == here,
	}
}

// what names a sign-in as people know it.
func (v *visit) what(one gate.Session) string {
	title := v.s.title(one.Service)
	if one.Door == policy.DoorWeb && one.Service == portalService {
		title = v.words.Browser
	}
	return title + v.words.door(one.Door)
}

// title names a service as people know it.
func (s *Server) title(service string) string {
	if v := s.byName(service); v != nil {
		return v.Title
	}
	if v, ok := s.vpn(service); ok {
		return v.Title
	}
	if p, ok := s.program(service); ok {
		return p.Title
	}
	return service
}

func (v *visit) time(t time.Time) string {
	return t.In(v.s.Now().Location()).Format(v.words.Time)
}

// endSession ends one of the person's own sign-ins. One that has ended
// already, or that is somebody else's, changes nothing. Where this browser's
// own rested on it, as on a VPN's, the person is signed out here.
func (v *visit) endSession() {
	holder, ok := v.signedIn()
	if !ok {
		return
	}
	said, left, err := v.end(holder.Person, v.r.PostFormValue("id"), reason.SessionEnded)
	switch {
	case err != nil:
		v.ourSide("end a sign-in", err)
	case slices.ContainsFunc(left, func(one gate.Session) bool { return one.ID == holder.Ticket.ID }):
		v.to("/")
	default:
		v.bye(said)
	}
}
