package weblogin

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"sekisho/gate"
	"sekisho/internal/account"
)

// Program is a service that takes application passwords.
type Program struct {
	Name  string // as the rules call it
	Title string
}

// app is an application password as the portal lists it.
type app struct {
	ID, Label, Service, Since, Last string
	Idle                            bool
}

// appPassword is what the page of one shows.
type appPassword struct {
	Program Program
	User    string
	Label   string
	Text    string // what goes into the program, this once; "" none was made yet
}

// SetPrograms puts another list of the services that take application
// passwords in force, at any time. Before the first call there is none.
func (s *Server) SetPrograms(list []Program) { s.programs.Store(&list) }

func (s *Server) allPrograms() []Program {
	if list := s.programs.Load(); list != nil {
		return *list
	}
	return nil
}

func (s *Server) program(name string) (Program, bool) {
	list := s.allPrograms()
	i := slices.IndexFunc(list, func(p Program) bool { return p.Name == name })
	if i < 0 {
		return Program{}, false
	}
	return list[i], true
}

func (v *visit) app(p account.AppPassword) app {
	shown := app{ID: p.ID, Label: p.Label, Service: v.s.title(p.Service), Since: v.time(p.Created), Idle: p.Idle}
	if !p.Used.IsZero() {
		shown.Last = v.time(p.Used)
	}
	return shown
}

// programOf finds the service that an application password is wanted for, and
// whoever is signed in; else the visit is answered.
func (v *visit) programOf() (program Program, holder gate.Holder, ok bool) {
	if program, ok = v.s.program(v.r.FormValue("service")); !ok {
		v.notFound()
		return program, holder, false
	}
	holder, ok = v.signedIn()
	return program, holder, ok
}

// appPassword tells what an application password is, and asks what it is for;
// whoever would get none is told what to do before.
func (v *visit) appPassword() {
	program, holder, ok := v.programOf()
	if !ok {
		return
	}
	may, err := v.s.Gate.MayMakeAppPassword(v.r.Context(), v.holding(portalService), program.Name)
	switch {
	case err != nil:
		v.ourSide("judge who wants an application password", err)
	case !may:
		v.noAppPassword()
	default:
		v.appPasswordPage(appPassword{Program: program, User: holder.Person.Name}, http.StatusOK, nil)
	}
}

func (v *visit) noAppPassword() {
	v.message(http.StatusForbidden, "no-app-password", notice{Again: "/"})
}

// makeAppPassword shows a new one in its own answer, which is the only place
// where it ever stands. A page that is loaded again makes another.
func (v *visit) makeAppPassword() {
	program, holder, ok := v.programOf()
	if !ok {
		return
	}
	shown := appPassword{Program: program, User: holder.Person.Name, Label: v.r.PostFormValue("label")}
	if account.CheckLabel(shown.Label) != nil {
		v.appPasswordPage(shown, http.StatusUnprocessableEntity, &alert{Heading: v.words.AppLabelMissing})
		return
	}
	text, err := v.s.Gate.MakeAppPassword(v.r.Context(), v.holding(portalService), gate.Program{Service: program.Name, Label: shown.Label})
	switch {
	case errors.Is(err, gate.ErrManyAppPasswords):
		v.message(http.StatusForbidden, "many-passwords", notice{Again: "/"})
	case err != nil:
		v.ourSide("make an application password", err)
	case text == "":
		v.noAppPassword()
	default:
		shown.Text = string(text)
		v.appPasswordPage(shown, http.StatusOK, nil)
	}
}

func (v *visit) appPasswordPage(shown appPassword, status int, a *alert) {
	page := v.view(fmt.Sprintf(v.words.AppLink, shown.Program.Title))
	page.App, page.Alert = shown, a
	v.render(status, "app-password", page)
}

// endAppPassword ends one of the person's own. One that has ended already, or
// that is somebody else's, changes nothing.
func (v *visit) endAppPassword() {
	holder, ok := v.signedIn()
	if !ok {
		return
	}
	err := v.s.Gate.EndAppPassword(v.r.Context(), v.holding(portalService), holder.Person, v.r.PostFormValue("id"))
	if err != nil && !errors.Is(err, gate.ErrNoAppPassword) {
		v.ourSide("end an application password", err)
		return
	}
	v.to("/")
}
