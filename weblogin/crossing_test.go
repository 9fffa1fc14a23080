package weblogin

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"sekisho/gate"
	"sekisho/policy"
)

// crossings is a door with two services behind a proxy, and a gate that keeps
// what it was asked.
type crossings struct {
	t      *testing.T
	server *Server
	judge  *judge
	now    time.Time
	agent  http.Handler
}

const (
	proxyAddr  = "10.0.0.5:4711"
	personAddr = "203.0.113.9"
)

func newCrossings(t *testing.T) *crossings {
	t.Helper()
	c := &crossings{t: t, now: time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)}
	c.judge = &judge{holders: map[string]gate.Holder{}}
	c.server = &Server{
		Gate: c.judge, URL: parsed(t, "https://sso.example.ac.jp"),
		Services: []Service{
			{Name: "webmail", Title: "Web mail", URL: parsed(t, "https://webmail.example.ac.jp/")},
			{Name: "wiki", Title: "Wiki", URL: parsed(t, "https://wiki.example.ac.jp/w/")},
		},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Now: func() time.Time { return c.now },
	}
	c.agent = c.server.Handler(Listener{Name: "outside", Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}})
	return c
}

func parsed(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// ask sends a request as the proxy passes it on. The pairs are header names
// and values; "" takes a header out, "Peer" is the other end.
func (c *crossings) ask(method, target string, pairs ...string) *http.Response {
	c.t.Helper()
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = proxyAddr
	r.Header.Set(forwardedFor, personAddr)
	for i := 0; i < len(pairs); i += 2 {
		switch name, value := pairs[i], pairs[i+1]; {
		case name == "Peer":
			r.RemoteAddr = value
		case value == "":
			r.Header.Del(name)
		default:
			r.Header.Add(name, value)
		}
	}
	w := httptest.NewRecorder()
	c.agent.ServeHTTP(w, r)
	return w.Result()
}

// verify asks as nginx does for a page that a person opens.
func (c *crossings) verify(page string, pairs ...string) *http.Response {
	c.t.Helper()
	return c.ask("GET", "/verify?d=nginx", append([]string{
		"X-Original-URL", page, "X-Original-Method", "GET", "Accept", "text/html",
	}, pairs...)...)
}

// signedIn has secret open a ticket of alice for the service.
func (c *crossings) signedIn(secret, service string) {
	c.judge.holders[secret] = gate.Holder{
		Person: gate.Person{ID: 7, Name: "alice", Display: "Alice Example", Mail: "alice@example.ac.jp", Groups: []string{"staff", "wiki"}},
		Ticket: gate.Ticket{ID: "T-" + secret}, Service: service, Verdict: policy.Allow,
		Proves: []policy.Factor{policy.Password, policy.OTP},
	}
}

func wantStatus(t *testing.T, res *http.Response, status int) {
	t.Helper()
	if res.StatusCode != status {
		body, _ := io.ReadAll(res.Body)
		t.Fatalf("status %d, want %d\n%v\n%s", res.StatusCode, status, res.Header, body)
	}
}

func cookieNamed(res *http.Response, name string) *http.Cookie {
	for _, c := range res.Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// judge is a gate that knows tickets by their secrets.
type judge struct {
	holders  map[string]gate.Holder
	prompts  map[string]gate.Prompt // by source
	refusal  *gate.Answer           // of Admit
	err      error
	presents []gate.Request
	admits   []gate.Request
	faults   []gate.Fault
	booked   []gate.Request
	ended    []string
}

func (j *judge) held(r gate.Request) gate.Holder {
	if h := j.holders[r.TicketSecret]; h.Service == cmp.Or(r.TicketOf, r.Service) {
		return h
	}
	return gate.Holder{}
}

func (j *judge) Began(_ context.Context, r gate.Request) (gate.Person, string, error) {
	h := j.held(r)
	return h.Person, h.Ticket.ID, j.err
}

func (j *judge) Present(_ context.Context, r gate.Request) (gate.Holder, error) {
	j.presents = append(j.presents, r)
	return j.held(r), j.err
}

func (j *judge) Admit(_ context.Context, r gate.Request) (gate.Answer, error) {
	j.admits = append(j.admits, r)
	switch {
	case j.err != nil:
		return gate.Answer{}, j.err
	case j.refusal != nil:
		return *j.refusal, nil
	}
	holder := j.held(r)
	if holder.Person.Name == "" || holder.Person.Name != r.User {
		return gate.Answer{}, nil
	}
	return gate.Answer{Outcome: gate.Admitted, Person: holder.Person, Ticket: gate.Ticket{ID: "child", Secret: "child-of-" + gate.Secret(r.TicketSecret)}}, nil
}

func (j *judge) Refuse(_ context.Context, r gate.Request, why gate.Fault) (gate.Answer, error) {
	j.booked, j.faults = append(j.booked, r), append(j.faults, why)
	return gate.Answer{Message: "No. Reference: 7F3K-92QD", Reference: "7F3K-92QD", Reason: string(why)}, j.err
}

func (j *judge) Prompt(_ context.Context, r gate.Request) (gate.Prompt, error) {
	return j.prompts[r.Source.Addr.String()], j.err
}

func (j *judge) Sessions(context.Context, int64) ([]gate.Session, error) { return nil, j.err }

func (j *judge) EndSession(_ context.Context, _ gate.Request, p gate.Person, id string, why gate.Fault) error {
	j.ended = append(j.ended, p.Name+" "+id+" "+string(why))
	return j.err
}

func (j *judge) SignOut(context.Context, gate.Request, gate.Person) (int, error) { return 0, j.err }

func (j *judge) Tunnel(context.Context, gate.Request) (gate.Holder, error) {
	return gate.Holder{}, j.err
}

func (j *judge) Word(context.Context, gate.Request) (gate.Word, error) { return gate.Word{}, j.err }

func (j *judge) MayMakeAppPassword(context.Context, gate.Request, string) (bool, error) {
	return false, j.err
}

func (j *judge) MakeAppPassword(context.Context, gate.Request, gate.Program) (gate.Secret, error) {
	return "", j.err
}

func (j *judge) EndAppPassword(context.Context, gate.Request, gate.Person, string) error {
	return j.err
}

// wantBooked wants exactly these faults in the book, and none besides.
func (j *judge) wantBooked(t *testing.T, faults ...gate.Fault) {
	t.Helper()
	same := len(faults) == len(j.faults)
	for i := 0; same && i < len(faults); i++ {
		same = faults[i] == j.faults[i]
	}
	if !same {
		t.Errorf("booked %v, want %v", j.faults, faults)
	}
}

var errStore = errors.New("the store is gone: secret detail")

func wantNothingTold(t *testing.T, res *http.Response) {
	t.Helper()
	body, _ := io.ReadAll(res.Body)
	if strings.Contains(string(body), "secret detail") {
		t.Errorf("the error reached the wire:\n%s", body)
	}
}
