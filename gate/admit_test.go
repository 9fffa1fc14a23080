package gate

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"sekisho/internal/directory"
	"sekisho/internal/passwd"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

func TestTruthTable(t *testing.T) {
	const in, out = desk, home
	for _, c := range []struct {
		person, typed, from string
		outcome             Outcome
		why                 reason.Code
	}{
		{"alice", "PASSWORD", in, Admitted, reason.Admitted},
		{"alice", "PASSWORD", "198.51.100.9", Admitted, reason.Admitted},
		{"ALICE", "correct horse", in, Admitted, reason.Admitted},
		{"alice", "PASSWORDCODE", in, Admitted, reason.Admitted},
		{"alice", "PASSWORD000000", in, Refused, reason.WrongPassword},
		{"alice", "PASSWORDCODE", out, Admitted, reason.Admitted},
		{"alice", "PASSWORDCODE+1", out, Admitted, reason.Admitted},
		{"alice", "PASSWORDCODE-1", out, Admitted, reason.Admitted},
		{"alice", "PASSWORDCODE", guests, Admitted, reason.Admitted},
		{"alice", "PASSWORD", out, Refused, reason.CodeMissing},
		{"alice", "PASSWORD", guests, Refused, reason.CodeMissing},
		{"alice", "PASSWORD000000", out, Refused, reason.WrongCode},
		{"alice", "wrong000000", out, Refused, reason.WrongCode},
		{"alice", "wrongCODE", out, Refused, reason.WrongPassword},
		{"alice", "wrong", in, Refused, reason.WrongPassword},
		{"alice", "CODE", out, Refused, reason.EmptyPassword},
		{"alice", "CODE", in, Refused, reason.EmptyPassword},
		{"alice", "", out, Refused, reason.EmptyPassword},
		{"alice", "", in, Refused, reason.EmptyPassword},
		{"alice", strings.Repeat("x", maxPassword+1), in, Refused, reason.BadPassword},
		{"alice", strings.Repeat("x", maxPassword) + "CODE", out, Refused, reason.BadPassword},
		{"alice", strings.Repeat("x", maxPassword), in, Refused, reason.WrongPassword},
		{"alice", "PASSWORD\x00", in, Refused, reason.WrongPassword},
		{"alice", "PASSWORD\x00CODE", out, Refused, reason.WrongPassword},
		{"alice", "PASSWORD１２３４５６", out, Refused, reason.CodeWide},
		{"alice", "PASSWORDCODE-3", out, Refused, reason.CodeStale},
		{"alice", "PASSWORDCODE+10", out, Refused, reason.CodeStale},
		{"alice", "PASSWORDCODE-11", out, Refused, reason.WrongCode},
		{"bob", "PASSWORDCODE", out, Admitted, reason.Admitted},
		{"bob", "PASSWORDCODE", in, Admitted, reason.Admitted},
		{"bob", "PASSWORD", in, Admitted, reason.Admitted},
		{"bob", "PASSWORD123456", out, Refused, reason.CodeMissing},
		{"bob", "PASSWORD12345678", out, Refused, reason.WrongCode},
		{"bob", "PASSWORD１２３４５６７８", out, Refused, reason.CodeWide},
		{"heidi", "PASSWORD", in, Admitted, reason.Admitted},
		{"heidi", "PASSWORDCODE", in, Admitted, reason.Admitted},
		{"heidi", "PASSWORDCODE", out, Admitted, reason.Admitted},
		{"heidi", "PASSWORD", out, Refused, reason.WrongCode},
		{"erin", "PASSWORD", in, Refused, reason.Disabled},
		{"erin", "PASSWORDCODE", out, Refused, reason.Disabled},
		{"erin", "PASSWORD", out, Refused, reason.Disabled},
		{"frank", "PASSWORD", in, Admitted, reason.Admitted},
		{"frank", "PASSWORD", out, Refused, reason.NoDevice},
		{"frank", "PASSWORD123456", out, Refused, reason.NoDevice},
		{"frank", "123456", out, Refused, reason.EmptyPassword},
		{"grace", "PASSWORD", in, Refused, reason.MustChange},
		{"grace", "PASSWORDCODE", out, Refused, reason.MustChange},
		{"grace", "wrongCODE", out, Refused, reason.WrongPassword},
		{"ivan", "PASSWORD", in, Refused, reason.RuleDenies},
		{"ivan", "PASSWORDCODE", out, Refused, reason.RuleDenies},
		{"judy", "PASSWORD", in, Refused, reason.CannotJudge},
		{"nobody", "PASSWORD", in, Refused, reason.UnknownUser},
		{"nobody", "PASSWORD", out, Refused, reason.UnknownUser},
		{"nobody", "PASSWORD123456", out, Refused, reason.UnknownUser},
		{"nobody", "", out, Refused, reason.EmptyPassword},
		{"nobody", "PASSWORD１２３４５６", out, Refused, reason.CodeWide},
		{"", "PASSWORD", in, Refused, reason.BadName},
		{"  ", "PASSWORD", in, Refused, reason.BadName},
		{"al\xffice", "PASSWORD", in, Refused, reason.BadName},
		{"alice\x00", "PASSWORD", in, Refused, reason.BadName},
		{"al\x07ice", "PASSWORD", in, Refused, reason.CannotJudge},
		{strings.Repeat("x", 300), "PASSWORD", in, Refused, reason.CannotJudge},
		{"alice", "PASSWORD", "2001:db8:9::1", Refused, reason.NoRule},
	} {
		t.Run(c.person[:min(8, len(c.person))]+" "+c.typed[:min(20, len(c.typed))]+" "+c.from, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := w.want(w.from(c.from, c.person, c.typed), c.outcome, c.why)
			if a.Reference == "" {
				t.Error("no reference")
			}
			if a.Outcome == Refused && (a.Ticket != Ticket{} || a.Person.ID != 0 || !strings.HasSuffix(a.Message, "Reference: "+a.Reference)) {
				t.Errorf("a refusal gave %+v", a)
			}
			if a.Outcome == Admitted && (a.Ticket.ID == "" || a.Ticket.Secret == "" || a.Ticket.Class == "" || a.Person.Name == "") {
				t.Errorf("an admission gave only %+v", a)
			}
		})
	}
}

func TestSourcesThatAreUnknownAreOutside(t *testing.T) {
	w := newWorld(t)
	r := w.from(desk, "alice", "PASSWORD")
	r.Source = Source{}
	w.refused(r, reason.CodeMissing)
	r.Source = Source{Label: "02-00-5E-10-00-00", How: "calling-station-id"}
	w.refused(r, reason.CodeMissing)
}

func TestFixedZoneGoesBeforeTheAddress(t *testing.T) {
	w := newWorld(t)
	r := w.from(desk, "alice", "PASSWORD")
	r.Zone = policy.OffCampus
	w.refused(r, reason.CodeMissing)
	r.Zone = "no such zone"
	w.refused(r, reason.CodeMissing)
	r = w.from(home, "alice", "PASSWORD")
	r.Zone = "vpn"
	w.admitted(r)
}

func TestEitherOfTwoDevices(t *testing.T) {
	w := newWorld(t)
	for n := range 2 {
		r := w.from(home, "carol", "PASSWORD")
		r.Password = append(r.Password, w.codeOf("carol", n, 0)...)
		w.admitted(r)
	}
}

func TestButtonDevice(t *testing.T) {
	w := newWorld(t)
	button := who("dave").device(0)
	press := func(counter int64) Request {
		button.Last = counter - 1
		r := w.from(home, "dave", "PASSWORD")
		r.Password = append(r.Password, button.Code(time.Time{})...)
		return r
	}
	w.admitted(press(0))
	w.refused(press(0), reason.CodeUsed)
	w.admitted(press(7)) // pressed unseen
	w.refused(press(3), reason.CodeUsed)
	w.refused(press(30), reason.WrongCode)
}

func TestSeparator(t *testing.T) {
	w := newWorld(t)
	r := w.from(home, "alice", "PASSWORDCODE")
	r.Separator = "/"
	w.refused(r, reason.CodeMissing)
	r = w.from(home, "alice", "PASSWORD/CODE")
	w.refused(r, reason.WrongPassword)
	w.time.pass(time.Second)
	r.Separator = "/"
	w.admitted(r)
}

func TestCodeInAFieldOfItsOwn(t *testing.T) {
	w := newWorld(t)
	r := w.from(home, "alice", "PASSWORD")
	r.Code = []byte{}
	w.refused(r, reason.CodeMissing)
	r.Code = []byte("000000")
	w.refused(r, reason.WrongCode)
	w.time.pass(time.Minute)
	r.Code = []byte(wide(w.code("alice", 0)))
	w.admitted(r)
	w.time.pass(time.Minute)
	r.Code = []byte(w.code("alice", 0))
	r.Password = nil
	w.refused(r, reason.EmptyPassword)
	r = w.from(home, "heidi", "PASSWORD")
	r.Code = []byte(w.code("heidi", 0))
	w.admitted(r)
}

// wide is how a Japanese keyboard types digits.
func wide(code string) string {
	return strings.Map(func(r rune) rune { return r - '0' + '０' }, code)
}

func TestCodeAppendedInsideIsUsedUp(t *testing.T) {
	w := newWorld(t)
	r := w.from(desk, "alice", "PASSWORDCODE")
	a := w.admitted(r)
	if f := w.event(a.Reference).Factors; f != "password+otp" {
		t.Errorf("the book has the factors %q", f)
	}
	a = w.admitted(r) // programs append it everywhere: it counts for nothing
	if f := w.event(a.Reference).Factors; f != "password" {
		t.Errorf("the book has the factors %q for a used code", f)
	}
	w.refused(w.from(home, "alice", "PASSWORDCODE"), reason.CodeUsed)
}

func TestRuleThatThisDoorCantProve(t *testing.T) {
	w := newWorld(t)
	r := w.from(desk, "alice", "PASSWORD")
	r.Service = "cards"
	w.refused(r, reason.NoMeans)
	if n := w.people.asked(); n != 0 {
		t.Errorf("the password was looked at %d times", n)
	}
}

// Whoever has not shown password and device is told the same, whatever was
// wrong.
func TestRefusalsLookAlike(t *testing.T) {
	w := newWorld(t)
	var same string
	for _, c := range []struct{ person, typed, from string }{
		{"alice", "PASSWORD000000", home}, {"bob", "wrong00000000", home}, {"frank", "PASSWORD000000", home},
		{"nobody", "PASSWORD000000", home}, {"erin", "PASSWORDCODE", home}, {"heidi", "wrongCODE", home},
		{"carol", "wrong", desk}, {"nobody", "wrong", desk}, {"erin", "PASSWORD", desk}, {"ivan", "PASSWORD", desk},
		{"judy", "PASSWORD", desk}, {"alice", "PASSWORD", home}, {"", "x", desk},
		{"carol", "PASSWORD", desk}, {"nobody", "another", desk}, // delayed
	} {
		a := w.admit(w.from(c.from, c.person, c.typed))
		text := strings.ReplaceAll(a.Message, a.Reference, "")
		if same == "" {
			same = text
		}
		if a.Outcome != Refused || text != same {
			t.Errorf("%s %s: %v, %q; want refused, %q", c.person, c.typed, a.Outcome, text, same)
		}
	}
}

func TestWrongCodeNeverLetsThePasswordBeTried(t *testing.T) {
	w := newWorld(t)
	right := w.refused(w.from(home, "alice", "PASSWORD000000"), reason.WrongCode)
	w.time.pass(time.Minute)
	wrong := w.refused(w.from(home, "alice", "guessed000000"), reason.WrongCode)
	if n := w.people.asked(); n != 0 {
		t.Errorf("the password was looked at %d times", n)
	}
	if cut(right) != cut(wrong) {
		t.Errorf("told %q and %q", right.Message, wrong.Message)
	}
}

// cut takes the reference out of the message.
func cut(a Answer) string { return strings.ReplaceAll(a.Message, a.Reference, "") }

func TestPriorities(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		from, person, typed string
		want                directory.Priority
	}{
		{desk, "alice", "PASSWORD", directory.Reserved},
		{desk, "alice", "PASSWORDCODE", directory.Matched},
		{home, "alice", "wrongCODE", directory.Matched},
		{home, "bob", "wrongCODE-4", directory.Matched}, // only the device can have shown it
	} {
		w.admit(w.from(c.from, c.person, c.typed))
		if w.people.last != c.want {
			t.Errorf("%s from %s is hashed with priority %v, want %v", c.typed, c.from, w.people.last, c.want)
		}
	}
}

func TestRefusalWaitsForTheHashQueue(t *testing.T) {
	w := newWorld(t)
	w.people.backlog = 300 * time.Millisecond
	for _, c := range []struct{ from, person, typed string }{
		{home, "alice", "PASSWORD000000"}, // refused without hashing
		{desk, "alice", "wrong"},
		{desk, "nobody", "wrong"},
		{desk, "alice", "delayed"},
		{desk, "ivan", "PASSWORD"}, // by a rule
		{home, "bob", "PASSWORDCODE-4"},
	} {
		r := w.from(c.from, c.person, c.typed)
		r.Came = w.time.now().Add(-40 * time.Millisecond)
		if a := w.admit(r); a.Outcome != Refused || !a.Ready.Equal(r.Came.Add(300*time.Millisecond)) {
			t.Errorf("%s %s: %v, ready %v after it came", c.person, c.typed, a.Outcome, a.Ready.Sub(r.Came))
		}
	}
	if a := w.admitted(w.from(desk, "carol", "PASSWORD")); !a.Ready.IsZero() {
		t.Errorf("an admission is held until %v", a.Ready)
	}
}

// An imported hash takes microseconds. When the queue is full, its wrong
// password must not be the only one with an answer.
func TestFullQueueTellsNoImportedHash(t *testing.T) {
	w := newWorld(t)
	sum := sha1.Sum([]byte("pressed" + "salt"))
	w.changePerson("frank", func(p *store.Person) {
		p.Hash = "{SSHA}" + base64.StdEncoding.EncodeToString(append(sum[:], "salt"...))
	})
	full := &passwd.Pool{Params: cheap}
	full.Close()
	w.people.Directory.(*directory.Local).Pool = full
	for _, name := range []string{"frank", "alice", "nobody"} {
		w.fails(w.from(desk, name, "wrong"), passwd.ErrBusy)
	}
	w.admitted(w.from(desk, "frank", "pressed")) // the right one is judged, whatever the queue
}

// People type passwords where the name belongs, and errors reach the log.
func TestErrorsDoNotRepeatTheTypedName(t *testing.T) {
	w := newWorld(t)
	w.must(w.Store.Close())
	_, err := w.Admit(context.Background(), w.from(desk, "Hunter2-as-a-name", "x"))
	if !errors.Is(err, store.ErrClosed) || strings.Contains(err.Error(), "unter2") {
		t.Error(err)
	}
}

func TestErrorsAreNoRefusals(t *testing.T) {
	t.Run("directory", func(t *testing.T) {
		w := newWorld(t)
		down := errors.New("the directory is down")
		w.people.fail(down)
		for range 20 {
			w.fails(w.from(desk, "alice", "PASSWORD"), down)
		}
		w.people.fail(nil)
		w.admitted(w.from(desk, "alice", "PASSWORD"))
		if n := len(w.events(store.Search{Outcome: "refused"})); n != 0 {
			t.Errorf("%d refusals were booked", n)
		}
	})
	t.Run("hash queue", func(t *testing.T) {
		w := newWorld(t)
		busy := &passwd.Pool{Params: cheap}
		busy.Close()
		open := w.people.Directory.(*directory.Local).Pool
		w.people.Directory.(*directory.Local).Pool = busy
		for range 20 {
			w.fails(w.from(desk, "alice", "wrong"), passwd.ErrBusy)
			w.fails(w.from(desk, "nobody", "wrong"), passwd.ErrBusy)
		}
		w.people.Directory.(*directory.Local).Pool = open
		if n := len(w.throttle.people) + w.throttle.strangers.Len(); n != 0 {
			t.Errorf("%d counters", n)
		}
		w.admitted(w.from(desk, "alice", "PASSWORD"))
	})
	t.Run("context", func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if a, err := w.Admit(ctx, w.from(desk, "bob", "PASSWORD")); err == nil {
			t.Errorf("judged: %v", a)
		}
	})
	t.Run("store", func(t *testing.T) {
		w := newWorld(t)
		w.admitted(w.from(desk, "alice", "PASSWORD"))
		w.Store.Close()
		w.fails(w.from(desk, "alice", "PASSWORD"), store.ErrClosed)
		w.fails(w.from(desk, "alice", "wrong"), store.ErrClosed)
		w.fails(w.from(desk, "bob", "PASSWORD"), store.ErrClosed)
		if _, err := w.Refuse(context.Background(), w.from(desk, "alice", "x"), FaultCHAP); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Refuse: %v", err)
		}
		if w.Alive() {
			t.Error("alive with a closed store")
		}
	})
	t.Run("no rules", func(t *testing.T) {
		if new(Gate).Start(context.Background()) == nil {
			t.Error("started without rules")
		}
	})
}

// What only this name or this record caused must not look like a server that
// is down: a NAS would leave it.
func TestPoisonedNameIsARefusal(t *testing.T) {
	w := newWorld(t)
	for range 5 {
		w.refused(w.from(desk, "judy", "PASSWORD"), reason.CannotJudge)
		w.refused(w.from(desk, "a\tb", "PASSWORD"), reason.CannotJudge)
	}
	if n := len(w.throttle.people) + w.throttle.strangers.Len(); n != 0 {
		t.Errorf("%d counters", n)
	}
}

func TestBrokenSealIsARefusal(t *testing.T) {
	w := newWorld(t)
	_, err := w.Store.AddToken(context.Background(), w.account("alice").Person, store.Token{Kind: "totp", Digits: 6, Period: 30, Algorithm: "SHA1",
		Created: w.time.now()}, true, func(store.Token) []byte { return []byte("not sealed") }, w.change(reason.OTPEnrolled))
	w.must(err)
	a := w.refused(w.from(home, "alice", "PASSWORD123456"), reason.CannotJudge)
	if e := w.event(a.Reference); e.Detail == "" {
		t.Error("the book does not say why")
	}
	w.admitted(w.from(desk, "alice", "PASSWORD"))
	w.admitted(w.from(home, "bob", "PASSWORDCODE"))
}

func TestRefuse(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		fault Fault
		want  reason.Code
	}{
		{FaultCHAP, reason.MethodCHAP}, {FaultBadName, reason.BadName}, {"made up", reason.CannotJudge}, {"", reason.CannotJudge},
	} {
		a, err := w.Refuse(context.Background(), w.from(home, "alice", "PASSWORD"), c.fault)
		w.must(err)
		if a.Outcome != Refused || a.Reason != string(c.want) {
			t.Errorf("%q: %v, %s", c.fault, a.Outcome, a.Reason)
		}
		if want := c.want.Person("en") + " Reference: " + a.Reference; a.Message != want {
			t.Errorf("%q is told as %q, want %q", c.fault, a.Message, want)
		}
	}
	// A fault of the set-up must not hide in a row of unknown names.
	w.refused(w.from(home, "nobody", "PASSWORD000000"), reason.UnknownUser)
	for _, why := range []reason.Code{reason.MethodCHAP, reason.BadName, reason.CannotJudge, reason.UnknownUser} {
		if found := w.events(store.Search{Reason: string(why)}); len(found) != 1 || found[0].Typed == "alice" {
			t.Errorf("%s is booked as %+v", why, found)
		}
	}
}

func TestJapanese(t *testing.T) {
	w := newWorld(t, func(g *Gate) { g.Language = "ja" })
	a := w.refused(w.from(desk, "alice", "wrong"), reason.WrongPassword)
	if want := reason.Generic("ja") + "（照会番号 " + a.Reference + "）"; a.Message != want {
		t.Errorf("told %q, want %q", a.Message, want)
	}
}

// A page in English asks for English, whatever the site's first language.
func TestLanguageOfTheRequest(t *testing.T) {
	for site, asked := range map[string]string{"ja": "en", "en": "ja", "": "ja"} {
		w := newWorld(t, func(g *Gate) { g.Language = site })
		r := w.from(desk, "alice", "wrong")
		r.Language = asked
		a := w.refused(r, reason.WrongPassword)
		if want := told(asked, reason.Generic(asked), a.Reference); a.Message != want {
			t.Errorf("told %q, want %q", a.Message, want)
		}
		b, err := w.Refuse(t.Context(), r, FaultHandshake)
		w.must(err)
		if want := told(asked, reason.Handshake.Person(asked), b.Reference); b.Message != want {
			t.Errorf("told %q, want %q", b.Message, want)
		}
	}
}

func TestAnswerTellsWhoItIs(t *testing.T) {
	w := newWorld(t)
	w.changePerson("alice", func(p *store.Person) {
		p.Display, p.Mail, p.Lang, p.Groups = "Alice Liddell", "alice@example.ac.jp", "ja", []string{"staff"}
	})
	want := Person{ID: w.account("alice").ID, Name: "alice", Display: "Alice Liddell", Mail: "alice@example.ac.jp", Language: "ja",
		Groups: []string{"staff"}}
	if got := w.admitted(w.from(desk, "alice", "PASSWORD")).Person; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestTheBookHasEveryField(t *testing.T) {
	w := newWorld(t)
	r := w.from(home, " Alice", "correct horse"+w.code("alice", 0))
	r.Came = w.time.now().Add(-7 * time.Millisecond)
	a := w.admitted(r)
	got := w.event(a.Reference)
	want := store.Event{
		ID: got.ID, At: w.time.now(), Door: "web", Client: "web1", Service: "portal", Typed: " Alice",
		Person: w.account("alice").ID, Name: "alice", Source: home, How: "socket", Zone: policy.OffCampus, Rule: "outside",
		Factors: "password+otp", Outcome: "admitted", Reason: "admitted", Ticket: got.Ticket, Took: 7 * time.Millisecond,
		Count: 1, Last: got.ID,
	}
	if got != want || got.Ticket == 0 {
		t.Errorf("booked\n%+v, want\n%+v", got, want)
	}
	b := w.refused(w.from(desk, "hunter2", "x"), reason.UnknownUser)
	if e := w.event(b.Reference); e.Typed != "h…" || e.Name != "" || e.Person != 0 || e.Zone != "campus" || e.Rule != "inside" {
		t.Errorf("an unknown name is booked as %+v", e)
	}
}

func TestNoSecretReachesTheDisk(t *testing.T) {
	w := newWorld(t)
	var secrets []string
	use := func(r Request) {
		secrets = append(secrets, string(r.Password), string(r.Code))
		a := w.admit(r)
		secrets = append(secrets, string(a.Ticket.Secret))
	}
	use(w.from(home, "alice", "PASSWORDCODE"))
	use(w.from(home, "alice", "PASSWORDCODE"))
	use(w.from(desk, "bob", "PASSWORD"))
	use(w.from(desk, "bob", "mistyped secret"))
	use(w.from(cafe, "carol", "PASSWORD918273"))
	use(w.from(cafe, "nobody", "other people's password918274"))
	use(w.from(desk, "my password for a name", "x1y2z3"))
	secrets = append(secrets, "my password for a name", who("alice").password, w.code("alice", 0), who("bob").password,
		who("carol").password, "918273", "918274", string(who("alice").device(0).Secret))
	w.Gate.Close()
	w.must(w.Store.Close())
	for _, name := range []string{w.file, w.file + "-wal"} {
		content, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		w.must(err)
		for _, s := range secrets {
			if s != "" && bytes.Contains(content, []byte(s)) {
				t.Errorf("%q is on the disk", s)
			}
		}
	}
}

func TestSecretsHideFromLogs(t *testing.T) {
	w := newWorld(t)
	a := w.admitted(w.from(desk, "alice", "PASSWORD"))
	if got := a.Ticket.Secret.String(); got != "[secret]" {
		t.Errorf("a ticket's secret prints as %q", got)
	}
}

func TestSourceKeys(t *testing.T) {
	for _, c := range []struct {
		source    Source
		key, text string
	}{
		{Source{}, "", ""},
		{Source{Addr: netip.MustParseAddr("192.0.2.1")}, "192.0.2.1", "192.0.2.1"},
		{Source{Addr: netip.MustParseAddr("::ffff:192.0.2.1")}, "192.0.2.1", "192.0.2.1"},
		{Source{Addr: netip.MustParseAddr("2001:db8:1:2:3::4")}, "2001:db8:1:2::/64", "2001:db8:1:2:3::4"},
		{Source{Addr: netip.MustParseAddr("fe80::1%eth0")}, "fe80::/64", "fe80::1%eth0"},
		{Source{Label: "AA-BB"}, "device aa-bb", "AA-BB"},
	} {
		if key, text := c.source.key(), c.source.String(); key != c.key || text != c.text {
			t.Errorf("%+v: %q, %q; want %q, %q", c.source, key, text, c.key, c.text)
		}
	}
}

func TestMask(t *testing.T) {
	for typed, want := range map[string]string{"alice": "a…", "": "…", "日本": "日…", "\xff": "…", "\ta": "…",
		"\u009b31m": "…", "\u202eabc": "…", "\x7fabc": "…"} {
		if got := mask(typed); got != want {
			t.Errorf("%q is masked as %q, want %q", typed, got, want)
		}
	}
}

func TestOutcomes(t *testing.T) {
	for o, want := range map[Outcome]string{Refused: "refused", Challenged: "challenged", Admitted: "admitted", 9: "refused"} {
		if o.String() != want {
			t.Errorf("%d is %q", o, o)
		}
	}
}

func BenchmarkAdmit(b *testing.B) {
	w := newWorld(b)
	for b.Loop() {
		w.time.pass(30 * time.Second)
		w.admitted(w.from(home, "alice", "PASSWORDCODE"))
	}
}

func BenchmarkWrongCode(b *testing.B) {
	w := newWorld(b, func(g *Gate) { g.Throttle.Off = true })
	r := w.from(home, "alice", "PASSWORD000000")
	for b.Loop() {
		w.refused(r, reason.WrongCode)
	}
}
