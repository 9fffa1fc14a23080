package weblogin

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/internal/account"
	"sekisho/policy"
)

var errDown = errors.New("disk of the store is full: secret detail")

// fakeGate admits alice and bob by "correct horse", outside with 123456
// besides. Tickets are the secrets that it handed out.
type fakeGate struct {
	down     bool
	codeFor  string // a service that needs a code inside, too
	denied   string // a service that is open to nobody
	ready    time.Time
	n        int
	holders  map[string]gate.Holder
	sessions []gate.Session
	asked    []gate.Request // of Admit
	ended    []string
	faults   []gate.Fault
	everyone []string // who signed out everywhere

	tunnels map[string]gate.Holder // by the address in a VPN's tunnel
	word    gate.Word              // that a ticket with a code gives
	worded  []gate.Request         // of Word

	minted    []gate.Program // of MakeAppPassword
	mintedBy  gate.Request   // the last
	many      bool           // everybody has as many as they may
	endedApps []string
}

var people = map[string]int64{"alice": 1, "bob": 2}

const testPassword = "correct horse"

func (g *fakeGate) needs(r gate.Request) gate.Prompt {
	inside := r.Source.Addr.IsValid() && r.Source.Addr.Is4() && netip.MustParsePrefix("192.0.2.0/24").Contains(r.Source.Addr)
	switch r.Zone {
	case "campus":
		inside = true
	case policy.OffCampus:
		inside = false
	}
	p := gate.Prompt{Zone: policy.OffCampus, Inside: inside, Password: true, Code: !inside || r.Service == g.codeFor}
	if inside {
		p.Zone = "campus"
	}
	return p
}

// held is who holds the ticket that is presented, alive or not.
func (g *fakeGate) held(r gate.Request) (gate.Holder, bool) {
	h, ok := g.holders[r.TicketSecret]
	return h, ok && h.Service == cmp.Or(r.TicketOf, r.Service)
}

func (g *fakeGate) Began(_ context.Context, r gate.Request) (gate.Person, string, error) {
	if g.down {
		return gate.Person{}, "", errDown
	}
	h, ok := g.held(r)
	if !ok {
		return gate.Person{}, "", nil
	}
	id := h.Ticket.ID
	for _, one := range g.sessions { // newest first
		for _, below := range g.sessions {
			if one.ID == id && one.Parent == below.ID && one.Door == below.Door && one.Service == below.Service {
				id = below.ID
				break
			}
		}
	}
	return h.Person, id, nil
}

func (g *fakeGate) Prompt(_ context.Context, r gate.Request) (gate.Prompt, error) {
	if g.down {
		return gate.Prompt{}, errDown
	}
	p := g.needs(r)
	if h, ok := g.held(r); ok && h.Person.Name == r.User {
		p = missing(p, h)
	}
	return p, nil
}

func (g *fakeGate) Admit(_ context.Context, r gate.Request) (gate.Answer, error) {
	kept := r
	kept.Password, kept.Code = bytes.Clone(r.Password), bytes.Clone(r.Code)
	g.asked = append(g.asked, kept)
	if g.down {
		return gate.Answer{}, errDown
	}
	p, _ := g.Prompt(context.Background(), r)
	vpn := g.tunnels[r.Source.Addr.String()]
	if !r.Tunnel || vpn.Person.Name != r.User || g.over(vpn.Ticket.ID) {
		vpn = gate.Holder{}
	}
	p = missing(p, vpn)
	g.n++
	id, known := people[r.User]
	if r.Service == g.denied || !known || p.Password && string(r.Password) != testPassword || p.Code && string(r.Code) != "123456" {
		reference := fmt.Sprintf("7F3K-%04d", g.n)
		text := "Sign-in failed."
		if r.Language == "ja" {
			text = "サインインできませんでした。"
		}
		return gate.Answer{Reason: "wrong_password", Reference: reference, Message: text + " " + reference, Ready: g.ready}, nil
	}
	h := gate.Holder{
		Person: gate.Person{ID: id, Name: r.User, Display: strings.ToUpper(r.User[:1]) + r.User[1:]},
		Ticket: gate.Ticket{ID: fmt.Sprintf("T%d", g.n)}, Service: cmp.Or(r.Opens, r.Service),
		Proves: []policy.Factor{policy.Password},
	}
	if g.needs(r).Code {
		h.Proves = append(h.Proves, policy.OTP)
	}
	secret := fmt.Sprintf("secret-%d", g.n)
	g.holders[secret] = h
	session := gate.Session{ID: h.Ticket.ID, Door: r.Door, Service: h.Service, Zone: g.needs(r).Zone, Factors: h.Proves, Since: testTime, Until: testTime.Add(10 * time.Hour)}
	if lent, ok := g.held(r); ok && lent.Person.ID == id {
		session.Parent = lent.Ticket.ID
	}
	if vpn.Ticket.ID != "" {
		session.Parent = vpn.Ticket.ID
	}
	g.sessions = append([]gate.Session{session}, g.sessions...)
	return gate.Answer{Outcome: gate.Admitted, Person: h.Person, Ticket: gate.Ticket{ID: h.Ticket.ID, Secret: gate.Secret(secret)}}, nil
}

func (g *fakeGate) Refuse(_ context.Context, r gate.Request, why gate.Fault) (gate.Answer, error) {
	g.faults = append(g.faults, why)
	return gate.Answer{Reference: "FFFF-0000"}, nil
}

func (g *fakeGate) Present(_ context.Context, r gate.Request) (gate.Holder, error) {
	if g.down {
		return gate.Holder{}, errDown
	}
	h, ok := g.held(r)
	if !ok || g.over(h.Ticket.ID) {
		return gate.Holder{}, nil
	}
	return g.worth(h, r), nil
}

// worth judges a ticket for a request.
func (g *fakeGate) worth(h gate.Holder, r gate.Request) gate.Holder {
	need := g.needs(r)
	h.Zone, h.Verdict = need.Zone, policy.Allow
	lacks := missing(need, h)
	switch {
	case r.Service == g.denied:
		h.Verdict = policy.Deny
	case lacks.Password || lacks.Code:
		h.Verdict, h.Missing = policy.Ask, lacks
	}
	return h
}

// missing is what has to be shown besides what the ticket proves.
func missing(p gate.Prompt, h gate.Holder) gate.Prompt {
	p.Password = p.Password && !slices.Contains(h.Proves, policy.Password)
	p.Code = p.Code && !slices.Contains(h.Proves, policy.OTP)
	return p
}

// over reports whether a ticket has ended, or one that it rests on.
func (g *fakeGate) over(id string) bool {
	for _, one := range g.sessions {
		if one.ID == id && one.Parent != "" && g.over(one.Parent) {
			return true
		}
	}
	return slices.Contains(g.ended, id)
}

func (g *fakeGate) Tunnel(_ context.Context, r gate.Request) (gate.Holder, error) {
	if g.down {
		return gate.Holder{}, errDown
	}
	h, ok := g.tunnels[r.Source.Addr.String()]
	if !ok || g.over(h.Ticket.ID) {
		return gate.Holder{}, nil
	}
	return g.worth(h, r), nil
}

func (g *fakeGate) Word(_ context.Context, r gate.Request) (gate.Word, error) {
	if g.down {
		return gate.Word{}, errDown
	}
	g.worded = append(g.worded, r)
	if h, ok := g.held(r); !ok || !slices.Contains(h.Proves, policy.OTP) {
		return gate.Word{}, nil
	}
	return g.word, nil
}

func (g *fakeGate) MayMakeAppPassword(_ context.Context, r gate.Request, service string) (bool, error) {
	if g.down {
		return false, errDown
	}
	h, ok := g.held(r)
	return ok && slices.Contains(h.Proves, policy.OTP) && service == "mail", nil
}

func (g *fakeGate) MakeAppPassword(_ context.Context, r gate.Request, p gate.Program) (gate.Secret, error) {
	if g.down {
		return "", errDown
	}
	g.minted, g.mintedBy = append(g.minted, p), r
	switch h, ok := g.held(r); {
	case !ok || !slices.Contains(h.Proves, policy.OTP):
		return "", nil
	case g.many:
		return "", gate.ErrManyAppPasswords
	}
	return testApp, nil
}

func (g *fakeGate) EndAppPassword(_ context.Context, _ gate.Request, p gate.Person, id string) error {
	switch {
	case g.down:
		return errDown
	case p.Name != "alice" || id != "a1":
		return gate.ErrNoAppPassword
	}
	g.endedApps = append(g.endedApps, id)
	return nil
}

func (g *fakeGate) Sessions(_ context.Context, person int64) ([]gate.Session, error) {
	if g.down {
		return nil, errDown
	}
	var own []gate.Session
	for _, one := range g.sessions {
		for _, h := range g.holders {
			if h.Ticket.ID == one.ID && h.Person.ID == person && !g.over(one.ID) {
				own = append(own, one)
			}
		}
	}
	return own, nil
}

func (g *fakeGate) EndSession(_ context.Context, r gate.Request, p gate.Person, id string, why gate.Fault) error {
	if g.down {
		return errDown
	}
	for _, h := range g.holders {
		if h.Ticket.ID == id && h.Person.ID == p.ID {
			g.ended = append(g.ended, id)
			g.faults = append(g.faults, why)
			return nil
		}
	}
	return gate.ErrNoSession
}

func (g *fakeGate) SignOut(_ context.Context, r gate.Request, p gate.Person) (int, error) {
	if g.down {
		return 0, errDown
	}
	g.everyone = append(g.everyone, p.Name)
	clear(g.holders)
	return 2, nil
}

type fakeAccounts struct {
	err  error
	apps []account.AppPassword // alice's
}

func (a *fakeAccounts) Profile(_ context.Context, name string) (account.Profile, error) {
	if a.err != nil {
		return account.Profile{}, a.err
	}
	p := account.Profile{User: name, Devices: []account.Device{{Label: name + "'s phone", Created: testTime, Last: testTime}}}
	if name == "alice" {
		p.AppPasswords = a.apps
	}
	return p, nil
}

var testTime = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)

// pagesRig is a sign-in host with two services, reached directly.
type pagesRig struct {
	t        *testing.T
	server   *Server
	gate     *fakeGate
	accounts *fakeAccounts
	handler  http.Handler
	now      time.Time
	waited   []time.Duration
	log      bytes.Buffer
}

func newPages(t *testing.T) *pagesRig {
	t.Helper()
	r := &pagesRig{t: t, gate: &fakeGate{holders: map[string]gate.Holder{}}, accounts: &fakeAccounts{}, now: testTime}
	site := func(text string) *url.URL {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	r.server = &Server{
		Gate: r.gate, Accounts: r.accounts, URL: site("https://sso.example.ac.jp"),
		Site: Site{Name: "Example University", Help: "help@example.ac.jp", Languages: []string{"en", "ja"}},
		Services: []Service{
			{Name: "webmail", Title: "Web mail", URL: site("https://webmail.example.ac.jp/")},
			{Name: "wiki", Title: "Wiki", URL: site("https://wiki.example.ac.jp/w/")},
		},
		Log:  slog.New(slog.NewTextHandler(&r.log, nil)),
		Now:  func() time.Time { return r.now },
		Wait: func(_ context.Context, d time.Duration) { r.waited = append(r.waited, d) },
	}
	r.server.SetVPNs([]VPN{{Name: "ssl-vpn", Title: "SSL-VPN"}})
	r.handler = r.server.Handler(Listener{Name: "web"})
	return r
}

const (
	campusAddr = "192.0.2.7:40000"
	homeAddr   = "203.0.113.9:40000"
)

// browserAgent is somebody's browser: it keeps cookies and follows nothing.
type browserAgent struct {
	*pagesRig
	peer    string
	cookies map[string]string
	header  http.Header
}

func (r *pagesRig) browser(peer string) *browserAgent {
	return &browserAgent{r, peer, map[string]string{}, http.Header{"Accept-Language": {"en"}}}
}

func (b *browserAgent) do(r *http.Request) *shown {
	b.t.Helper()
	r.RemoteAddr, r.Host = b.peer, "sso.example.ac.jp"
	for name, values := range b.header {
		r.Header[name] = values
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	res := w.Result()
	for _, c := range res.Cookies() {
		if b.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	body, _ := io.ReadAll(res.Body)
	return &shown{b.t, res, string(body)}
}

func (b *browserAgent) get(target string) *shown {
	b.t.Helper()
	return b.do(httptest.NewRequest("GET", target, nil))
}

// post sends a form as our own page would.
func (b *browserAgent) post(target string, pairs ...string) *shown {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest("POST", target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", "https://sso.example.ac.jp")
	return b.do(r)
}

// begin gives the name and returns the address of the next page.
func (b *browserAgent) begin(name string, more ...string) string {
	b.t.Helper()
	b.get("/login").status(200)
	return b.post("/login", append([]string{"name", name}, more...)...).goesTo("")
}

// fill sends a page's one field with its hidden ones.
func (b *browserAgent) fill(page, value string) *shown {
	b.t.Helper()
	p := b.get(page).status(200)
	field := "password"
	if strings.HasPrefix(page, "/login/code") {
		field = "code"
	} else if strings.HasPrefix(page, "/login?") {
		field = "name"
	}
	path, _, _ := strings.Cut(page, "?")
	return b.post(path, append(p.hidden(), field, value)...)
}

// signIn goes through all pages.
func (b *browserAgent) signIn(name string, more ...string) *shown {
	b.t.Helper()
	s := b.fill(b.begin(name, more...), testPassword)
	if strings.HasPrefix(s.res.Header.Get("Location"), "/login/code") {
		s = b.fill(s.goesTo("/login/code"), "123456")
	}
	return s
}

// shown is what the browser got.
type shown struct {
	t    *testing.T
	res  *http.Response
	body string
}

func (s *shown) status(code int) *shown {
	s.t.Helper()
	if s.res.StatusCode != code {
		s.t.Fatalf("status %d, want %d\n%v\n%s", s.res.StatusCode, code, s.res.Header, s.body)
	}
	return s
}

// goesTo returns where a 303 leads, which begins with prefix.
func (s *shown) goesTo(prefix string) string {
	s.t.Helper()
	to := s.status(http.StatusSeeOther).res.Header.Get("Location")
	if to == "" || !strings.HasPrefix(to, prefix) {
		s.t.Fatalf("goes to %q, want %q", to, prefix)
	}
	return to
}

func (s *shown) has(texts ...string) *shown {
	s.t.Helper()
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(s.body), text) {
			s.t.Errorf("no %q in\n%s", text, s.body)
		}
	}
	return s
}

func (s *shown) hasNot(texts ...string) *shown {
	s.t.Helper()
	for _, text := range texts {
		if strings.Contains(s.body, text) || strings.Contains(html.UnescapeString(s.body), text) {
			s.t.Errorf("%q in\n%s", text, s.body)
		}
	}
	return s
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

func (s *shown) hidden() (pairs []string) {
	for _, m := range hiddenField.FindAllStringSubmatch(s.body, -1) {
		pairs = append(pairs, m[1], m[2])
	}
	return pairs
}

// failsToAdmit is a gate whose store fails in the very moment.
type failsToAdmit struct{ *fakeGate }

func (g *failsToAdmit) Admit(context.Context, gate.Request) (gate.Answer, error) {
	return gate.Answer{}, errDown
}

// cantWrite is a gate whose store can be read only.
type cantWrite struct{ *fakeGate }

func (g *cantWrite) EndSession(context.Context, gate.Request, gate.Person, string, gate.Fault) error {
	return errDown
}

func (g *cantWrite) SignOut(context.Context, gate.Request, gate.Person) (int, error) {
	return 0, errDown
}
