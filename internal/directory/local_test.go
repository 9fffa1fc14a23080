package directory

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/internal/passwd"
	"sekisho/internal/store"
)

var (
	begin = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	cheap = passwd.Params{Memory: 64, Time: 1, Threads: 1}
)

// place is a directory with a clock that the test sets.
type place struct {
	*Local
	t   *testing.T
	now time.Time
	log bytes.Buffer
}

const (
	right  = "correct horse"
	before = "battery staple"
)

func newPlace(t *testing.T) *place {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "sekisho.db"), store.Options{})
	p := &place{t: t, now: begin}
	p.must(err)
	t.Cleanup(func() { s.Close() })
	p.Local = &Local{Names: site, Store: s, Pool: &passwd.Pool{Params: cheap},
		Log: slog.New(slog.NewTextHandler(&p.log, nil)), Now: func() time.Time { return p.now }}
	t.Cleanup(func() { p.Local.Close(); p.Pool.Close() })
	_, err = s.AddPeople(t.Context(), []store.Person{
		{Name: "alice", Hash: passwd.Make([]byte(right), cheap), Created: begin},
		{Name: "imported", Hash: ssha(right), Created: begin},
		{Name: "broken", Hash: "{CRYPT}none", Created: begin},
		{Name: "dear", Hash: "$argon2id$v=19$m=1048576,t=99,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", Created: begin},
		{Name: "empty", Created: begin},
	})
	p.must(err)
	return p
}

// ssha is what another directory left (RFC 2307 §5.3).
func ssha(password string) string {
	sum := sha1.Sum([]byte(password + "salt"))
	return "{SSHA}" + base64.StdEncoding.EncodeToString(append(sum[:], "salt"...))
}

func (p *place) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) find(name string) *store.Account {
	p.t.Helper()
	a, err := p.Find(p.t.Context(), name)
	p.must(err)
	return a
}

func (p *place) check(a *store.Account, password string, want bool) {
	p.t.Helper()
	v, err := p.CheckPassword(p.t.Context(), a, []byte(password), Open)
	if v == Right != want || err != nil {
		p.t.Errorf("%q: %v, %v; want %v", password, v, err, want)
	}
}

// nobody is what the gate asks about where nobody may come in.
func nobody(name string) *store.Account { return &store.Account{Person: store.Person{Name: name}} }

// hashes wants the answer to take a hash: the pool is closed and has none.
func (p *place) hashes(a *store.Account, password string) {
	p.t.Helper()
	v, err := p.CheckPassword(p.t.Context(), a, []byte(password), Open)
	if v != Wrong || !errors.Is(err, passwd.ErrBusy) {
		p.t.Errorf("%q: %v, %v; want %v", password, v, err, passwd.ErrBusy)
	}
}

func TestFind(t *testing.T) {
	p := newPlace(t)
	if a := p.find("alice"); a.Name != "alice" {
		t.Errorf("found %+v", a)
	}
	for name, want := range map[string]error{"nobody": ErrUnknown, "Alice": ErrUnknown, "": ErrName, "a\x00b": ErrName} {
		if _, err := p.Find(t.Context(), name); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", name, err, want)
		}
	}
	p.must(p.Store.Close())
	if _, err := p.Find(t.Context(), "nobody"); !errors.Is(err, store.ErrClosed) || errors.Is(err, ErrUnknown) {
		t.Errorf("a closed store: %v", err)
	}
}

func TestCheckPassword(t *testing.T) {
	p := newPlace(t)
	alice := p.find("alice")
	p.check(alice, "guessed", false)
	p.check(alice, right, true)
	p.check(alice, right, true)
	p.check(alice, "guessed", false)
	p.check(alice, "", false)
	p.check(nobody("mallory"), right, false)
	p.check(p.find("empty"), "", false)
}

func TestUnknownNameCostsAHash(t *testing.T) {
	p := newPlace(t)
	p.Pool.Close()
	p.hashes(nobody("mallory"), right)
	p.hashes(p.find("empty"), right)
	p.hashes(p.find("alice"), right)
	p.hashes(p.find("broken"), right)
}

func TestRightPasswordIsRememberedForAnHour(t *testing.T) {
	p := newPlace(t)
	alice := p.find("alice")
	p.check(alice, right, true)
	p.Pool.Close()
	p.check(alice, right, true)
	p.hashes(alice, "guessed")
	p.now = begin.Add(time.Hour - 1)
	p.check(alice, right, true)
	p.now = begin.Add(time.Hour) // since it was checked, not since it was last asked
	p.hashes(alice, right)
}

func TestWrongPasswordIsNotRemembered(t *testing.T) {
	p := newPlace(t)
	alice := p.find("alice")
	p.check(alice, "guessed", false)
	p.Pool.Close()
	p.hashes(alice, "guessed")
}

func TestAnotherGenerationForgets(t *testing.T) {
	p := newPlace(t)
	p.check(p.find("alice"), right, true)
	p.must(p.Store.ChangePerson(t.Context(), "alice", func(a *store.Person) error { a.Groups = []string{"staff"}; return nil }, store.Event{}))
	p.Pool.Close()
	p.hashes(p.find("alice"), right)
}

func TestAnotherPersonsProofIsNotMine(t *testing.T) {
	p := newPlace(t)
	p.check(p.find("alice"), right, true)
	other := *p.find("alice")
	other.ID++
	p.Pool.Close()
	p.hashes(&other, right)
}

// The gate asks whether a wrong password is the previous one. That it is must
// not make it right.
func TestPreviousPasswordIsNotRememberedAsRight(t *testing.T) {
	p := newPlace(t)
	alice := p.find("alice")
	stale := *alice
	stale.Hash = passwd.Make([]byte(before), cheap)
	p.check(&stale, before, true)
	p.check(alice, before, false)
	p.check(alice, right, true)
	p.check(&stale, right, false)
}

func TestBrokenHashIsThisPersonsOwn(t *testing.T) {
	p := newPlace(t)
	for _, name := range []string{"broken", "dear"} {
		v, err := p.CheckPassword(t.Context(), p.find(name), []byte(right), Open)
		if v != Wrong || !errors.Is(err, ErrName) {
			t.Errorf("%s: %v, %v; want %v", name, v, err, ErrName)
		}
		if err != nil && strings.Contains(err.Error(), "c2FsdHNhbHQ") {
			t.Errorf("the error shows the hash: %v", err)
		}
	}
}

func TestImportedHashIsRenewedAfterSignIn(t *testing.T) {
	p := newPlace(t)
	a := p.find("imported")
	p.check(a, "guessed", false)
	p.Local.Close()
	if p.find("imported").Hash != a.Hash {
		t.Error("a wrong password renewed the hash")
	}
	p.check(a, right, true)
	p.Local.Close()
	renewed := p.find("imported")
	if !strings.HasPrefix(renewed.Hash, "$argon2id$") || renewed.Generation != a.Generation {
		t.Errorf("%s, generation %d after %d", renewed.Hash, renewed.Generation, a.Generation)
	}
	p.check(renewed, right, true)
	p.check(renewed, "guessed", false)
	p.Local.Close()
	if now := p.find("imported").Hash; now != renewed.Hash {
		t.Error("a good hash was renewed again")
	}
}

// Else everybody whose hash was renewed would be hashed once more.
func TestRenewedHashIsRemembered(t *testing.T) {
	p := newPlace(t)
	p.check(p.find("imported"), right, true)
	p.Local.Close()
	renewed := p.find("imported")
	p.Pool.Close()
	p.check(renewed, right, true)
	p.hashes(renewed, "guessed")
	p.now = begin.Add(time.Hour) // since it was shown, not since it was renewed
	p.hashes(renewed, right)
}

// The morning after an import, people sign in by thousands: renewing their
// hashes must leave the processors to those who wait.
func TestRenewalsRestBetween(t *testing.T) {
	p := newPlace(t)
	_, err := p.Store.AddPeople(t.Context(), []store.Person{{Name: "second", Hash: ssha(right), Created: begin}})
	p.must(err)
	var asked atomic.Int64
	p.Now = func() time.Time { // each look at the clock takes a second
		return begin.Add(time.Duration(asked.Add(1)) * time.Second)
	}
	renewed := func(name string) bool { return strings.HasPrefix(p.find(name).Hash, "$argon2id$") }
	p.renew(p.find("imported"), []byte(right), proof{}) // from 1 s to 2 s
	p.Local.Close()
	for range 3 {
		p.renew(p.find("second"), []byte(right), proof{}) // at 3, 4 and 5 s
		p.Local.Close()
	}
	if !renewed("imported") || renewed("second") {
		t.Errorf("imported %v, second %v", renewed("imported"), renewed("second"))
	}
	p.renew(p.find("second"), []byte(right), proof{})
	p.Local.Close()
	if !renewed("second") {
		t.Error("not renewed after the rest")
	}
}

func TestOneRenewalAtATime(t *testing.T) {
	p := newPlace(t)
	p.renewing = true
	p.renew(p.find("imported"), []byte(right), proof{})
	p.Local.Close()
	if strings.HasPrefix(p.find("imported").Hash, "$argon2id$") {
		t.Error("renewed beside another")
	}
}

// A password that was set meanwhile must not be replaced by the old one.
func TestRenewalComparesAndSets(t *testing.T) {
	p := newPlace(t)
	imported := p.find("imported")
	fresh := passwd.Make([]byte("set meanwhile"), cheap)
	p.must(p.Store.ChangePerson(t.Context(), "imported", func(a *store.Person) error { a.Hash = fresh; return nil }, store.Event{}))
	p.renew(imported, []byte(right), proof{})
	p.Local.Close()
	if got := p.find("imported").Hash; got != fresh {
		t.Errorf("the hash is %s, want %s", got, fresh)
	}
	if p.log.Len() > 0 {
		t.Errorf("logged %s", &p.log)
	}
}

func TestRenewalThatFails(t *testing.T) {
	p := newPlace(t)
	imported := p.find("imported")
	busy := &passwd.Pool{Params: cheap}
	busy.Close()
	p.Pool = busy
	p.check(p.find("imported"), right, true) // a fast hash needs no queue
	p.Local.Close()
	if p.log.Len() > 0 || p.find("imported").Hash != imported.Hash {
		t.Errorf("a busy pool: logged %s", &p.log)
	}
	p.Pool = &passwd.Pool{Params: cheap}
	p.must(p.Store.Close())
	p.renew(imported, []byte(right), proof{})
	p.Local.Close()
	if text := p.log.String(); !strings.Contains(text, "person=imported") || strings.Contains(text, right) {
		t.Errorf("a closed store: logged %q", text)
	}
}

// held keeps the worker that takes it up: the pool asks Err when a job is
// queued and again when it begins.
type held struct {
	context.Context
	asked          atomic.Int32
	begun, proceed chan struct{}
}

func (h *held) Err() error {
	if h.asked.Add(1) == 2 {
		close(h.begun)
		<-h.proceed
	}
	return nil
}

func TestBacklog(t *testing.T) {
	p := newPlace(t)
	p.Pool = &passwd.Pool{Params: cheap, Workers: 1, QueueWork: 100 * time.Millisecond, Deadline: time.Minute}
	if b := p.Backlog(); b != 0 {
		t.Errorf("%v with nobody waiting", b)
	}
	h := &held{Context: context.Background(), begun: make(chan struct{}), proceed: make(chan struct{})}
	var done sync.WaitGroup
	done.Go(func() { p.CheckPassword(h, p.find("alice"), []byte(right), Reserved) })
	<-h.begun
	for waiting := 1; waiting <= 2; waiting++ { // 30 ms each
		done.Go(func() { p.CheckPassword(context.Background(), p.find("alice"), []byte(right), Reserved) })
		for p.Pool.Wait() < time.Duration(waiting)*30*time.Millisecond {
			runtime.Gosched()
		}
		want := time.Duration(0)
		if waiting == 2 {
			want = 60 * time.Millisecond // more than half of the queue
		}
		if b := p.Backlog(); b != want {
			t.Errorf("%v with %d waiting, want %v", b, waiting, want)
		}
	}
	close(h.proceed)
	done.Wait()
}

func TestManyAtOnce(t *testing.T) {
	p := newPlace(t)
	p.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	p.Pool = &passwd.Pool{Params: cheap, QueueWork: time.Minute, Deadline: time.Minute}
	alice := p.find("alice")
	var done sync.WaitGroup
	for i := range 32 {
		done.Go(func() {
			if i%2 == 0 {
				p.check(alice, right, true)
			} else {
				p.check(alice, "guessed", false)
			}
		})
	}
	done.Wait()
}
