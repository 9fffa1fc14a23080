package account

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"sekisho/internal/keyring"
	"sekisho/internal/store"
)

func addAppPassword(t testing.TB, r *Registry, p store.AppPassword) string {
	t.Helper()
	made, text, err := r.AddAppPassword(ctx, alice(t, r), p, by("app_password_added"))
	must(t, err)
	if made.ID == "" || made.Service != p.Service {
		t.Errorf("made %+v", made)
	}
	return text
}

func TestAppPassword(t *testing.T) {
	r := withAlice(t)
	text := addAppPassword(t, r, store.AppPassword{Label: "Phone", Service: "webmail", Network: "192.0.2.7"})
	if _, ok := keyring.AppPassword([]byte(text)); !ok {
		t.Fatalf("%q has not the shape of one", text)
	}
	booked(t, r, "app_password_added", "alice", "for webmail: Phone")
	row := alice(t, r).AppPasswords[0]
	if !r.Ring.VerifyMAC(keyring.AppPasswordUse, row.Hash, keyring.AppPasswordParts(alice(t, r).ID, "webmail", []byte(text))...) {
		t.Error("its hash does not fit")
	}
	if strings.Contains(string(row.Hash), text) || row.Key != r.Ring.Current() {
		t.Errorf("kept %+v", row)
	}
	p, err := r.Profile(ctx, "alice")
	must(t, err)
	want := []AppPassword{{ID: row.PublicID(), Label: "Phone", Service: "webmail", Network: "192.0.2.7/32", Created: noon}}
	if !reflect.DeepEqual(p.AppPasswords, want) {
		t.Errorf("shown %+v, want %+v", p.AppPasswords, want)
	}
	if another := addAppPassword(t, r, store.AppPassword{Label: "Phone", Service: "webmail"}); another == text {
		t.Error("the same twice")
	}

	wants(t, r.EndAppPassword(ctx, "alice", "nothing!", by("app_password_ended")), ErrNoAppPassword)
	wants(t, r.EndAppPassword(ctx, "nobody", row.PublicID(), by("app_password_ended")), store.ErrUnknown)
	must(t, r.EndAppPassword(ctx, "alice", row.PublicID(), by("app_password_ended")))
	booked(t, r, "app_password_ended", "alice", "for webmail: Phone")
	wants(t, r.EndAppPassword(ctx, "alice", row.PublicID(), by("app_password_ended")), ErrNoAppPassword)
	if n := len(alice(t, r).AppPasswords); n != 1 {
		t.Errorf("%d are left", n)
	}
}

func TestAppPasswordInTime(t *testing.T) {
	r := withAlice(t)
	addAppPassword(t, r, store.AppPassword{Label: "Phone", Service: "webmail"})
	shown := func() AppPassword {
		t.Helper()
		p, err := r.Profile(ctx, "alice")
		must(t, err)
		return p.AppPasswords[0]
	}
	if p := shown(); p.Idle || !p.Used.IsZero() {
		t.Errorf("%+v", p)
	}
	a, used := alice(t, r), noon.Add(time.Hour)
	_, err := r.Store.Settle(ctx, store.Settlement{
		Person: a.ID, Generation: a.Generation, Event: store.Event{At: used, Name: "alice"},
		Ticket: &store.Ticket{Person: a.ID, Generation: a.Generation, AppPassword: a.AppPasswords[0].ID},
	})
	must(t, err)
	if p := shown(); p.Idle || !p.Used.Equal(used) {
		t.Errorf("%+v", p)
	}
	r.Now = func() time.Time { return used.Add(store.AppPasswordIdle) }
	if p := shown(); !p.Idle {
		t.Errorf("%+v", p)
	}
}

func TestAppPasswordThatCantBe(t *testing.T) {
	r := withAlice(t)
	for what, p := range map[string]store.AppPassword{
		"no label":         {Service: "webmail"},
		"blank label":      {Service: "webmail", Label: " "},
		"control in label": {Service: "webmail", Label: "a\nb"},
		"long label":       {Service: "webmail", Label: strings.Repeat("a", 201)},
		"no service":       {Label: "Phone"},
		"no network":       {Label: "Phone", Service: "webmail", Network: "campus"},
		"host bits":        {Label: "Phone", Service: "webmail", Network: "192.0.2.7/24"},
		"mapped":           {Label: "Phone", Service: "webmail", Network: "::ffff:192.0.2.0/120"},
		"zone":             {Label: "Phone", Service: "webmail", Network: "fe80::1%eth0"},
	} {
		if _, text, err := r.AddAppPassword(ctx, alice(t, r), p, by("app_password_added")); err == nil || text != "" {
			t.Errorf("%s: made", what)
		}
	}
	if n := len(alice(t, r).AppPasswords); n != 0 {
		t.Errorf("%d were made", n)
	}
	_, _, err := r.AddAppPassword(ctx, &store.Account{}, store.AppPassword{Label: "Phone", Service: "webmail"}, by("app_password_added"))
	wants(t, err, store.ErrUnknown)
	for range store.MostAppPasswords {
		addAppPassword(t, r, store.AppPassword{Label: "Phone", Service: "webmail", Network: "2001:db8:1::/48"})
	}
	_, _, err = r.AddAppPassword(ctx, alice(t, r), store.AppPassword{Label: "Phone", Service: "webmail"}, by("app_password_added"))
	wants(t, err, store.ErrTooMany)
}
