package gate

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/internal/directory"
	"sekisho/internal/keyring"
	"sekisho/internal/otp"
	"sekisho/internal/passwd"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// world is a gate on a real store, with a clock that the test moves.
type world struct {
	*Gate
	t      testing.TB
	file   string
	time   *fakeTime
	people *watched
}

// fakeTime is a wall clock and one that never jumps.
type fakeTime struct {
	mu     sync.Mutex
	wall   time.Time
	steady time.Duration
}

func (f *fakeTime) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.wall
}

func (f *fakeTime) running() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.steady
}

// pass lets time pass; jump sets only the wall clock.
func (f *fakeTime) pass(d time.Duration) { f.move(d, d) }
func (f *fakeTime) jump(d time.Duration) { f.move(d, 0) }

func (f *fakeTime) move(wall, steady time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wall, f.steady = f.wall.Add(wall), f.steady+steady
}

// watched counts what the directory is asked, and fails where it is told to.
type watched struct {
	directory.Directory
	mu      sync.Mutex
	checks  int
	last    directory.Priority
	judged  *store.Account // in the last check
	failing error          // of Find
	busy    error          // of CheckPassword
	backlog time.Duration
	inside  func() // called in each check
}

func (w *watched) Find(ctx context.Context, name string) (*store.Account, error) {
	w.mu.Lock()
	failing := w.failing
	w.mu.Unlock()
	if failing != nil {
		return nil, failing
	}
	return w.Directory.Find(ctx, name)
}

func (w *watched) CheckPassword(ctx context.Context, a *store.Account, password []byte, p directory.Priority) (directory.Verdict, error) {
	w.mu.Lock()
	if p != directory.Idle {
		w.checks++
		w.last, w.judged = p, a
	}
	inside, busy := w.inside, w.busy
	w.mu.Unlock()
	if busy != nil {
		return directory.Wrong, busy
	}
	if inside != nil {
		inside()
	}
	return w.Directory.CheckPassword(ctx, a, password, p)
}

func (w *watched) Backlog() time.Duration { return w.backlog }

func (w *watched) asked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.checks
}

func (w *watched) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failing = err
}

func (w *watched) failCheck(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = err
}

// somebody is a person of the tests; the password is theirs whatever the
// state of the account.
type somebody struct {
	name, password string
	digits         []int // of each code device
	kind           string
	person         store.Person
}

var everybody = []somebody{
	{name: "alice", password: "correct horse", digits: []int{6}},
	{name: "bob", password: "battery staple", digits: []int{8}},
	{name: "carol", password: "two devices", digits: []int{6, 8}},
	{name: "dave", password: "press the button", digits: []int{6}, kind: "hotp"},
	{name: "erin", password: "once upon a time", digits: []int{6}, person: store.Person{Disabled: true}},
	{name: "frank", password: "no device yet"},
	{name: "grace", password: "from the postcard", digits: []int{6}, person: store.Person{MustChange: true}},
	{name: "heidi", password: "remember123456", digits: []int{6}},
	{name: "ivan", password: "left the house", digits: []int{6}, person: store.Person{Groups: []string{"blocked"}}},
	{name: "judy", password: "broken record", digits: []int{6}, person: store.Person{Hash: "no hash at all"}},
}

func who(name string) somebody {
	for _, s := range everybody {
		if s.name == name {
			return s
		}
	}
	return somebody{name: name, password: "anything at all", digits: []int{6}}
}

// device is the n-th code device of a person, as the person holds it.
func (s somebody) device(n int) otp.Token {
	sum := sha1.Sum([]byte(s.name + fmt.Sprint(n)))
	kind, _ := otp.KindOf(s.kind)
	return otp.Token{Kind: kind, Secret: sum[:], Digits: s.digits[n], Last: -1}
}

var cheap = passwd.Params{Memory: 64, Time: 1, Threads: 1}

// hashes are made once: with the race detector each takes a millisecond.
var hashes = sync.OnceValue(func() map[string]string {
	made := make(map[string]string)
	for _, s := range everybody {
		made[s.name] = passwd.Make([]byte(s.password), cheap)
	}
	return made
})

var campusZones = []policy.Zone{
	{Name: "campus", Prefixes: prefixes("192.0.2.0/24")},
	{Name: "vpn", Prefixes: prefixes("198.51.100.0/24")},
	{Name: "nowhere", Prefixes: prefixes("2001:db8:9::/48")},
	{Name: policy.OffCampus, Prefixes: prefixes("192.0.2.128/26"), Shared: true},
}

var campusRules = []policy.Rule{
	{Name: "blocked", Group: []string{"blocked"}, Deny: true},
	{Name: "cards", Service: []string{"cards"}, Need: []policy.Need{policy.ParseNeed("certificate")}},
	{Name: "mail", Service: []string{"mail"}, Zone: []string{policy.OffCampus}, Need: []policy.Need{policy.ParseNeed("password+otp")},
		Repeat: &policy.Repeat{Idle: 2 * time.Minute, Max: 10 * time.Minute}},
	{Name: "inside", Zone: []string{"campus", "vpn"}, Need: []policy.Need{policy.ParseNeed("password")}, Ticket: 12 * time.Hour},
	{Name: "outside", Zone: []string{policy.OffCampus},
		Need:   []policy.Need{policy.ParseNeed("password+otp"), policy.ParseNeed("password+certificate")},
		Ticket: 10 * time.Hour, Idle: time.Hour, Reuse: 8 * time.Hour},
}

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// made is a store with everybody in it, and its keys. It is made once and
// copied for each test.
type made struct {
	content []byte
	ring    *keyring.Ring
}

var (
	begin = time.Date(2026, 4, 1, 9, 0, 10, 0, time.UTC)
	once  sync.Once
	model made
)

func newModel(t testing.TB) made {
	t.Helper()
	once.Do(func() {
		w := &world{t: t, file: filepath.Join(t.TempDir(), "model.db"), time: &fakeTime{wall: begin}}
		s, err := store.Open(w.file, store.Options{})
		w.must(err)
		model.ring = keyring.New(begin)
		w.enrol(s, model.ring)
		w.must(s.Close())
		model.content, err = os.ReadFile(w.file)
		w.must(err)
	})
	return model
}

// newWorld opens a store with everybody in it, and a gate before it.
func newWorld(t testing.TB, change ...func(*Gate)) *world {
	t.Helper()
	w := &world{t: t, file: filepath.Join(t.TempDir(), "sekisho.db"), time: &fakeTime{wall: begin}}
	model := newModel(t)
	w.must(os.WriteFile(w.file, model.content, 0o600))
	s, err := store.Open(w.file, store.Options{})
	w.must(err)
	t.Cleanup(func() { s.Close() })
	ring := model.ring
	pool := &passwd.Pool{Params: cheap, QueueWork: time.Minute, Deadline: time.Minute}
	local := &directory.Local{Store: s, Pool: pool, Log: quiet(), Now: w.time.now}
	t.Cleanup(func() { local.Close(); pool.Close() })
	w.people = &watched{Directory: local}
	w.Gate = &Gate{Store: s, Directory: w.people, Ring: ring, Log: quiet(), Now: w.time.now, Steady: w.time.running}
	for _, c := range change {
		c(w.Gate)
	}
	w.start()
	return w
}

func (w *world) start() {
	w.t.Helper()
	w.rule(campusRules...)
	w.must(w.Start(context.Background()))
	w.t.Cleanup(w.Gate.Close)
}

// rule puts these rules in force.
func (w *world) rule(list ...policy.Rule) {
	w.t.Helper()
	zones, err := policy.NewZones(campusZones)
	w.must(err)
	rules, err := policy.New(zones, nil, list)
	w.must(err)
	w.SetRules(rules, zones)
}

// restart puts a new gate before the same store: what was only remembered is
// gone.
func (w *world) restart() {
	w.t.Helper()
	old := w.Gate
	old.Close()
	w.Gate = &Gate{Store: old.Store, Directory: old.Directory, Ring: old.Ring, Log: old.Log,
		Now: old.Now, Steady: old.Steady, Language: old.Language, Throttle: old.Throttle}
	w.start()
}

func (w *world) enrol(s *store.Store, ring *keyring.Ring) {
	w.t.Helper()
	var people []store.Person
	for _, each := range everybody {
		p := each.person
		p.Name, p.Created = each.name, w.time.now()
		if p.Hash == "" {
			p.Hash = hashes()[each.name]
		}
		people = append(people, p)
	}
	_, err := s.AddPeople(context.Background(), people)
	w.must(err)
	for _, each := range everybody {
		kind := each.kind
		if kind == "" {
			kind = "totp"
		}
		for n, digits := range each.digits {
			a, err := s.Account(context.Background(), each.name)
			w.must(err)
			row := store.Token{Kind: kind, Label: fmt.Sprint("device ", n), Digits: digits, Period: 30, Algorithm: "SHA1",
				Created: w.time.now(), Step: -1}
			_, err = s.AddToken(context.Background(), a.Person, row, false, func(t store.Token) []byte {
				return ring.Seal(otp.Purpose, keyring.Row{Person: t.Person, ID: t.ID, Version: t.Version}, each.device(n).Secret)
			}, w.change(reason.OTPEnrolled))
			w.must(err)
		}
	}
}

// change is the event of an administrator's change.
func (w *world) change(why reason.Code) store.Event {
	return store.Event{At: w.time.now(), Outcome: "done", Reason: string(why)}
}

func (w *world) changePerson(name string, change func(*store.Person)) {
	w.t.Helper()
	w.must(w.Store.ChangePerson(context.Background(), name, func(p *store.Person) error { change(p); return nil }, w.change(reason.PasswordSet)))
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// code is what the person's first device shows, steps from now.
func (w *world) code(name string, steps int) string { return w.codeOf(name, 0, steps) }

func (w *world) codeOf(name string, n, steps int) string {
	return who(name).device(n).Code(w.time.now().Add(time.Duration(steps) * 30 * time.Second))
}

// typed replaces what a test table can't know: PASSWORD, CODE, CODE+n.
func (w *world) typed(name, text string) string {
	p := who(name)
	if strings.Contains(text, "CODE") {
		for n := 130; n >= 0; n-- { // CODE+10 before CODE+1
			text = strings.ReplaceAll(text, fmt.Sprintf("CODE+%d", n), w.code(name, n))
			text = strings.ReplaceAll(text, fmt.Sprintf("CODE-%d", n), w.code(name, -n))
		}
		text = strings.ReplaceAll(text, "CODE", w.code(name, 0))
	}
	return strings.ReplaceAll(text, "PASSWORD", p.password)
}

// The places that requests come from.
const (
	home   = "203.0.113.7"
	cafe   = "203.0.113.99"
	desk   = "192.0.2.10"
	guests = "192.0.2.130" // off-campus, shared
)

// from is a request at the web's door; text is as typed reads it.
func (w *world) from(address, user, text string) Request {
	return Request{Door: policy.DoorWeb, Service: "portal", Client: "web1", User: user, Password: []byte(w.typed(user, text)),
		Source: Source{Addr: netip.MustParseAddr(address), How: "socket"}}
}

// at is a source of its own for each n, all of them off-campus and in
// networks of their own.
func stranger(n int) string { return fmt.Sprintf("10.%d.%d.1", n>>8&255, n&255) }

func (w *world) admit(r Request) Answer {
	w.t.Helper()
	a, err := w.Admit(context.Background(), r)
	w.must(err)
	return a
}

// want admits and compares the outcome.
func (w *world) want(r Request, outcome Outcome, why reason.Code) Answer {
	w.t.Helper()
	a := w.admit(r)
	if a.Outcome != outcome || a.Reason != string(why) {
		w.t.Errorf("%s at %v from %v: %v, %s; want %v, %s", r.User, r.Service, r.Source, a.Outcome, a.Reason, outcome, why)
	}
	return a
}

func (w *world) admitted(r Request) Answer {
	w.t.Helper()
	return w.want(r, Admitted, reason.Admitted)
}

func (w *world) refused(r Request, why reason.Code) Answer {
	w.t.Helper()
	return w.want(r, Refused, why)
}

// fails wants no judgement at all.
func (w *world) fails(r Request, want error) {
	w.t.Helper()
	a, err := w.Admit(context.Background(), r)
	if !errors.Is(err, want) {
		w.t.Errorf("%s: %v, %v; want the error %v", r.User, a.Outcome, err, want)
	}
}

func (w *world) events(q store.Search) []store.Event {
	w.t.Helper()
	var found []store.Event
	w.must(w.Store.Events(context.Background(), q, func(e store.Event) error { found = append(found, e); return nil }))
	return found
}

// event is the row of a reference.
func (w *world) event(reference string) store.Event {
	w.t.Helper()
	found, exact, err := w.Store.Lookup(context.Background(), reference)
	w.must(err)
	if !exact {
		w.t.Fatalf("%s has no row of its own", reference)
	}
	return found[0]
}

func (w *world) account(name string) *store.Account {
	w.t.Helper()
	a, err := w.Store.Account(context.Background(), name)
	w.must(err)
	return a
}

// together runs n calls at once.
func together(n int, do func(i int)) {
	var done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		done.Go(func() { <-start; do(i) })
	}
	close(start)
	done.Wait()
}

// counts lists how often each reason came.
type counts struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counts) add(a Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = make(map[string]int)
	}
	c.of[a.Reason]++
}
