package account

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/passwd"
	"sekisho/internal/store"
)

func TestAdd(t *testing.T) {
	r := registry(t)
	p := store.Person{Name: "alice", Display: "Alice 例", Mail: "alice@example.ac.jp", Lang: "ja", Groups: []string{"staff", "staff", "library"}, UIDNumber: 1000}
	initial, err := r.Add(ctx, p, Password{Typed: []byte(good)}, by("account_added"))
	must(t, err)
	a := alice(t, r)
	if initial != "" || a.MustChange || !a.Expires.IsZero() || !a.Created.Equal(noon) || a.Generation != 1 {
		t.Errorf("%+v, initial %q", a.Person, initial)
	}
	if !slices.Equal(a.Groups, []string{"staff", "library"}) || a.UIDNumber != 1000 {
		t.Errorf("groups %q, uid number %d", a.Groups, a.UIDNumber)
	}
	if _, err := r.Add(ctx, store.Person{Name: "bob", UIDNumber: 1000}, Password{Typed: []byte(good)}, by("account_added")); !errors.Is(err, store.ErrExists) {
		t.Errorf("one number for two: %v", err)
	}
	if ok, _, err := r.Pool.Check(ctx, a.Hash, []byte(good), passwd.Reserved); !ok || err != nil {
		t.Errorf("the password does not match: %v", err)
	}
	booked(t, r, "account_added", "alice", "")
}

func TestAddInitial(t *testing.T) {
	r := registry(t)
	initial, err := r.Add(ctx, store.Person{Name: "alice"}, Password{Initial: true}, by("account_added"))
	must(t, err)
	a := alice(t, r)
	if !a.MustChange || !a.Expires.Equal(noon.Add(InitialFor)) {
		t.Errorf("%+v", a.Person)
	}
	if ok, _, _ := r.Pool.Check(ctx, a.Hash, []byte(initial), passwd.Reserved); !ok {
		t.Error("the initial password does not match")
	}
	booked(t, r, "account_added", "alice", "initial password")
}

func TestAddWithHash(t *testing.T) {
	r := registry(t)
	const hash = "{SSHA}9F1mmhVSUjKsWjvEzGWLFPpWFHJzYWx0" // not of any password
	_, err := r.Add(ctx, store.Person{Name: "alice"}, Password{Hash: hash}, by("account_added"))
	must(t, err)
	if a := alice(t, r); a.Hash != hash || a.MustChange {
		t.Errorf("%+v", a.Person)
	}
	booked(t, r, "account_added", "alice", "imported hash ssha")
}

func TestAddRefuses(t *testing.T) {
	r := withAlice(t)
	typed := Password{Typed: []byte(good)}
	for name, c := range map[string]struct {
		p    store.Person
		pw   Password
		want error
		text string
	}{
		"taken":                {store.Person{Name: "alice"}, typed, store.ErrExists, ""},
		"bad name":             {store.Person{Name: "a b"}, typed, ErrName, ""},
		"no password":          {store.Person{Name: "bob"}, Password{}, ErrPassword, ""},
		"two passwords":        {store.Person{Name: "bob"}, Password{Typed: []byte(good), Initial: true}, ErrPassword, ""},
		"initial and hash":     {store.Person{Name: "bob"}, Password{Initial: true, Hash: "x"}, ErrPassword, ""},
		"junk for a hash":      {store.Person{Name: "bob"}, Password{Hash: "junk"}, passwd.ErrFormat, ""},
		"short password":       {store.Person{Name: "bob"}, Password{Typed: []byte("tiny")}, nil, "at least 12"},
		"own name":             {store.Person{Name: "barbara"}, Password{Typed: []byte("barbara and the sea")}, nil, "own name"},
		"display controls":     {store.Person{Name: "bob", Display: "a\x1b[2J"}, typed, nil, "control"},
		"display too long":     {store.Person{Name: "bob", Display: strings.Repeat("x", 201)}, typed, nil, "at most"},
		"mail":                 {store.Person{Name: "bob", Mail: "not an address"}, typed, nil, "want an address"},
		"mail with a name":     {store.Person{Name: "bob", Mail: "Bob <bob@example.ac.jp>"}, typed, nil, "want an address"},
		"language":             {store.Person{Name: "bob", Lang: "fr"}, typed, nil, "ja or en"},
		"number of a system":   {store.Person{Name: "bob", UIDNumber: 999}, typed, nil, "choose between 1000 and 2147483647"},
		"number below zero":    {store.Person{Name: "bob", UIDNumber: -1}, typed, nil, "choose between"},
		"number out of bounds": {store.Person{Name: "bob", UIDNumber: 1 << 31}, typed, nil, "choose between"},
		"group of two kind":    {store.Person{Name: "bob", Groups: []string{"+a", "b"}}, typed, ErrGroups, ""},
		"group of a line":      {store.Person{Name: "bob", Groups: []string{"a\nb"}}, typed, nil, "control"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.Add(ctx, c.p, c.pw, by("account_added"))
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v, want %v %q", err, c.want, c.text)
			}
			if err != nil && len(c.pw.Typed) > 0 && strings.Contains(err.Error(), string(c.pw.Typed)) {
				t.Errorf("the error repeats the password: %v", err)
			}
		})
	}
	booked(t, r, "account_added", "alice", "")
}

func TestSetPasswordKeepsTheOneBefore(t *testing.T) {
	r := withAlice(t)
	before := alice(t, r)
	_, err := r.SetPassword(ctx, "alice", Password{Typed: []byte("another long one here")}, by("password_set"))
	must(t, err)
	a := alice(t, r)
	if a.Previous != before.Hash || a.Hash == before.Hash || a.Generation != before.Generation+1 {
		t.Errorf("%+v", a.Person)
	}
	booked(t, r, "password_set", "alice", "")

	initial, err := r.SetPassword(ctx, "alice", Password{Initial: true}, by("password_set"))
	must(t, err)
	if b := alice(t, r); initial == "" || !b.MustChange || b.Previous != a.Hash {
		t.Errorf("%+v", b.Person)
	}
	_, err = r.SetPassword(ctx, "alice", Password{Typed: []byte(good)}, by("password_set"))
	must(t, err)
	if b := alice(t, r); b.MustChange || !b.Expires.IsZero() {
		t.Errorf("still initial: %+v", b.Person)
	}
}

func TestSetPasswordRefuses(t *testing.T) {
	r := withAlice(t)
	_, err := r.SetPassword(ctx, "nobody", Password{Initial: true}, by("password_set"))
	wants(t, err, store.ErrUnknown)
	_, err = r.SetPassword(ctx, "alice", Password{}, by("password_set"))
	wants(t, err, ErrPassword)
	r.Pool.Close()
	_, err = r.SetPassword(ctx, "alice", Password{Initial: true}, by("password_set"))
	wants(t, err, passwd.ErrBusy)
	booked(t, r, "account_added", "alice", "")
}

func TestDisable(t *testing.T) {
	r := withAlice(t)
	wants(t, r.Enable(ctx, "alice", by("account_enabled")), ErrNoChange)
	must(t, r.Disable(ctx, "alice", by("account_disabled")))
	if a := alice(t, r); !a.Disabled || a.Generation != 2 {
		t.Errorf("%+v", a.Person)
	}
	booked(t, r, "account_disabled", "alice", "")
	wants(t, r.Disable(ctx, "alice", by("account_disabled")), ErrNoChange)
	must(t, r.Enable(ctx, "alice", by("account_enabled")))
	booked(t, r, "account_enabled", "alice", "")
	wants(t, r.Disable(ctx, "nobody", by("account_disabled")), store.ErrUnknown)
}

func TestSetGroups(t *testing.T) {
	r := withAlice(t)
	groups, err := r.SetGroups(ctx, "alice", []string{"+library", "-staff"}, by("groups_set"))
	must(t, err)
	if !slices.Equal(groups, []string{"library"}) || !slices.Equal(alice(t, r).Groups, groups) {
		t.Errorf("groups %q", groups)
	}
	booked(t, r, "groups_set", "alice", "groups library")
	_, err = r.SetGroups(ctx, "alice", []string{"library"}, by("groups_set"))
	wants(t, err, ErrNoChange)
	_, err = r.SetGroups(ctx, "alice", []string{"-staff"}, by("groups_set"))
	wants(t, err, ErrGroups)
	_, err = r.SetGroups(ctx, "nobody", []string{"a"}, by("groups_set"))
	wants(t, err, store.ErrUnknown)
	if a := alice(t, r); a.Generation != 2 {
		t.Errorf("generation %d after one change", a.Generation)
	}
}

func TestChangeGroups(t *testing.T) {
	for _, c := range []struct {
		have, words, want string
		fault             bool
	}{
		{"", "", "", false},
		{"a b", "", "", false},
		{"a b", "c", "c", false},
		{"a b", "c c d", "c d", false},
		{"a b", "+c", "a b c", false},
		{"a b", "+a", "a b", false},
		{"a b", "-a", "b", false},
		{"a b", "-a +c -b", "c", false},
		{"a b", "-c", "", true},
		{"a b", "+c d", "", true},
		{"a b", "-c file", "", true},
		{"a b", "+", "", true},
		{"a b", "--config=x", "", true},
		{"a b", "-+a", "", true},
	} {
		have := strings.Fields(c.have)
		got, err := ChangeGroups(have, strings.Fields(c.words))
		if (err != nil) != c.fault || !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%q and %q: %q, %v; want %q", c.have, c.words, got, err, c.want)
		}
		if !slices.Equal(have, strings.Fields(c.have)) {
			t.Errorf("%q and %q: changed what was there", c.have, c.words)
		}
	}
}

func TestSignOut(t *testing.T) {
	r := withAlice(t)
	a := alice(t, r)
	for range 2 {
		_, err := r.Store.Settle(ctx, store.Settlement{Person: a.ID, Generation: a.Generation,
			Ticket: &store.Ticket{Person: a.ID, Generation: a.Generation, Created: noon, Until: noon.Add(InitialFor), Used: noon},
			Event:  store.Event{At: noon, Person: a.ID, Name: a.Name, Outcome: "admitted", Reason: "admitted"}})
		must(t, err)
	}
	_, _, err := r.AddAppPassword(ctx, a, store.AppPassword{Label: "Phone", Service: "webmail"}, by("app_password_added"))
	must(t, err)
	n, err := r.SignOut(ctx, "alice", by("ticket_revoked"))
	must(t, err)
	if left := alice(t, r).AppPasswords; len(left) > 0 {
		t.Errorf("left: %+v", left)
	}
	if n != 2 {
		t.Errorf("%d ended, want 2", n)
	}
	booked(t, r, "ticket_revoked", "alice", "tickets 2")
	if n, err = r.SignOut(ctx, "alice", by("ticket_revoked")); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	_, err = r.SignOut(ctx, "nobody", by("ticket_revoked"))
	wants(t, err, store.ErrUnknown)
}

func TestCheckName(t *testing.T) {
	for _, name := range []string{"alice", "a", "alice.b-c_d", "s1234567", "2026a", "山田太郎", "がくせい", "josé", strings.Repeat("x", 63)} {
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{
		"", "Alice", "alice@example.ac.jp", `EXAMPLE\alice`, `a\b`, "a b", "a\tb", "a\x00", "a\n", "\xff", "-alice", ".alice", "_a",
		"a/b", "a:b", "a'b", "ａｌｉｃｅ", "alice１", "jose\u0301", "a\u202eb", "a\u200bb", "*", "ﬁ", strings.Repeat("x", 64),
	} {
		if err := CheckName(name); !errors.Is(err, ErrName) {
			t.Errorf("%q: error %v, want ErrName", name, err)
		}
	}
}

func TestNoPasswordIsPrinted(t *testing.T) {
	p := Password{Typed: []byte(good), Hash: good}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, p); strings.Contains(text, good) {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

func TestAStoreThatIsClosedIsAnError(t *testing.T) {
	r := withAlice(t)
	r.Store.Close()
	var errs []error
	collect := func(_ any, err error) { errs = append(errs, err) }
	collect(nil, r.Free(ctx, "bob"))
	_, err := r.Add(ctx, store.Person{Name: "bob"}, Password{Initial: true}, by(""))
	collect(nil, err)
	collect(nil, r.Disable(ctx, "alice", by("")))
	collect(r.SignOut(ctx, "alice", by("")))
	collect(r.Reset(ctx, "alice", by("")))
	collect(r.Profile(ctx, "alice"))
	collect(r.Reseal(ctx))
	collect(r.SealedBy(ctx))
	for i, err := range errs {
		// Alice may be remembered; then the write fails.
		if err == nil || errors.Is(err, ErrNoDevice) && i != 4 {
			t.Errorf("call %d: error %v", i, err)
		}
	}
}
