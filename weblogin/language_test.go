package weblogin

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestLanguageOfAPage(t *testing.T) {
	for _, tt := range []struct{ path, accept, want string }{
		{"/login", "ja", "ja"},
		{"/login", "ja-JP,ja;q=0.9,en;q=0.8", "ja"},
		{"/login", "en-GB,en;q=0.9", "en"},
		{"/login", "de,fr;q=0.5", "en"}, // the site's first
		{"/login", "", "en"},
		{"/login", ";;;,*", "en"},
		{"/login", "en;q=0.1,ja;q=0.9", "ja"},
		{"/login?ui_locales=fr+ja-JP+en", "en", "ja"},
		{"/login?ui_locales=fr", "ja", "ja"},
		{"/login?lang=ja", "en", "ja"},
		{"/login?lang=de", "ja", "ja"},
	} {
		b := newPages(t).browser(homeAddr)
		b.header.Set("Accept-Language", tt.accept)
		b.get(tt.path).status(200).has(`<html lang="` + tt.want + `">`)
	}
}

func TestLanguageIsSwitchedWithinAFlowAndKept(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	page := b.begin("alice", "service", "wiki")
	id := b.id()
	b.get(page).has(`lang="ja"`, "日本語", strings.Replace(page, "?", "?", 1)[:len("/login/password?flow=")])
	s := b.get(page+"&lang=ja").status(200).has("パスワード", "alice", "Wiki", "学外からのアクセスです")
	b.get(page).has("パスワード") // without being asked again
	if b.id() != id {
		t.Error("the browser is another now")
	}
	code := b.post("/login/password", append(s.hidden(), "password", testPassword)...).goesTo("/login/code")
	password := b.fill(code, "000000").goesTo("/login/password")
	if r.gate.asked[0].Language != "ja" {
		t.Errorf("the gate was asked in %q", r.gate.asked[0].Language)
	}
	b.get(password).has("サインインできませんでした。", "あと2回")
	b.get(password+"&lang=en").has("2 more failures", `<p lang="ja">`) // the sentence of before says its language
}

func TestLinkToTheOtherLanguageKeepsThePage(t *testing.T) {
	r := newPages(t)
	b := r.browser(homeAddr)
	page := b.begin("alice", "service", "wiki")
	want := strings.Replace(page, "&service", "&lang=ja&service", 1)
	b.get(page).has(`href="` + want + `"`)
	b.post("/login/password", append(b.get(page).hidden(), "password", "")...).status(http.StatusUnprocessableEntity).has(`href="` + want + `"`)
	b.get(want).status(200).has("パスワード")
}

func TestBothLanguagesSayEverything(t *testing.T) {
	var check func(path string, ja, en reflect.Value)
	check = func(path string, ja, en reflect.Value) {
		switch ja.Kind() {
		case reflect.String:
			if (ja.String() == "") != (en.String() == "") || strings.Count(ja.String(), "%") != strings.Count(en.String(), "%") {
				t.Errorf("%s: %q, %q", path, ja, en)
			}
		case reflect.Struct:
			for i := range ja.NumField() {
				check(path+"."+ja.Type().Field(i).Name, ja.Field(i), en.Field(i))
			}
		case reflect.Slice:
			if ja.Len() != en.Len() || ja.Len() == 0 {
				t.Errorf("%s: %d and %d sentences", path, ja.Len(), en.Len())
				return
			}
			for i := range ja.Len() {
				check(path, ja.Index(i), en.Index(i))
			}
		case reflect.Map:
			if ja.Len() != en.Len() || ja.Len() == 0 {
				t.Errorf("%s: %d and %d", path, ja.Len(), en.Len())
			}
			for _, key := range ja.MapKeys() {
				if !en.MapIndex(key).IsValid() {
					t.Errorf("%s: %s is missing", path, key)
					continue
				}
				check(path+"."+key.String(), ja.MapIndex(key), en.MapIndex(key))
			}
		}
	}
	check("words", reflect.ValueOf(japanese), reflect.ValueOf(english))
	for i := range reflect.TypeFor[words]().NumField() {
		if f := reflect.ValueOf(english).Field(i); f.Kind() == reflect.String && f.String() == "" {
			t.Errorf("%s is empty", reflect.TypeFor[words]().Field(i).Name)
		}
	}
}

// Every message that the code can show has its words.
func TestEveryMessageHasWords(t *testing.T) {
	for _, w := range texts {
		for code, said := range w.Messages {
			if said.Title == "" || said.Text == "" {
				t.Errorf("%s: %+v", code, said)
			}
		}
		for _, code := range []string{"page-expired", "our-side", "cookies-needed", "not-found", "too-large", "bad-request", "cross-origin",
			"sign-in-failed", "not-allowed", "handshake", "not-let-in", "no-word", "no-app-password", "many-passwords", "signed-out-here"} {
			if _, ok := w.Messages[code]; !ok {
				t.Errorf("%s has no words", code)
			}
		}
	}
}

// Each tag takes work, and a header may have thousands.
func TestLongWishForLanguagesIsCut(t *testing.T) {
	for tags, want := range map[int]string{20: "ja", 100: "en", 5000: "en"} {
		b := newPages(t).browser(homeAddr)
		list := strings.Repeat("fr,", tags) + "ja"
		b.header.Set("Accept-Language", list)
		b.get("/login").has(`<html lang="` + want + `">`)
		b.header.Set("Accept-Language", "en")
		b.get("/login?ui_locales=" + list).has(`<html lang="` + want + `">`)
	}
	if got := first(strings.Repeat("x", 300), maxLanguages) + first("ja,en", 4) + first("ja,en", 2); got != "jaja" {
		t.Errorf("cut to %q", got)
	}
}
