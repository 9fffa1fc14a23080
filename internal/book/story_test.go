package book

import (
	"strings"
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
)

func told(t testing.TB, b *Book, reference, lang string) string {
	t.Helper()
	s, err := b.Why(ctx, reference)
	must(t, err)
	var out strings.Builder
	must(t, s.Tell(&out, lang))
	return out.String()
}

// golden compares a story, with R for its reference.
func golden(t testing.TB, b *Book, reference, lang, want string) {
	t.Helper()
	got := strings.ReplaceAll(told(t, b, reference, lang), reference, "R")
	if want = strings.TrimPrefix(want, "\n"); got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", lang, got, want)
	}
}

func TestWhyOfAStaleCode(t *testing.T) {
	b := newBook(t)
	reference := settle(t, b, refused(), "")
	golden(t, b, reference, "en", `
R
  When: Wednesday 1 April 2026, 12:00:00 JST
  Who: alice (typed "Alice")
  Asked by: RADIUS, client vpn1, for the service ssl-vpn
  From: 203.0.113.7, known by calling-station-id, zone off-campus
  Rule: outside
  Outcome: refused (code_stale)
  Why: `+reason.CodeStale.Desk("en")+`
  Detail: It was the code of 4 steps ago. The clock of the device is slow.
  Took: 0.035 s
`)
	golden(t, b, reference, "ja", `
R
  日時：2026年4月1日（水）12:00:00 JST
  利用者：alice（入力は「Alice」）
  入口：RADIUS、クライアント vpn1、サービス ssl-vpn
  接続元：203.0.113.7、判別方法 calling-station-id、ゾーン off-campus
  ルール：outside
  結果：拒否（code_stale）
  理由：`+reason.CodeStale.Desk("ja")+`
  詳細：4つ前のコードでした。端末の時計が遅れています。
  所要時間：0.035秒
`)
	// As it is read over a telephone.
	if spoken := strings.ToLower(strings.ReplaceAll(reference, "-", " ")); told(t, b, spoken, "en") != told(t, b, reference, "en") {
		t.Errorf("%q is not %q", spoken, reference)
	}
}

func TestWhyOfAnAdmission(t *testing.T) {
	b := newBook(t)
	e := refused()
	e.Typed, e.Outcome, e.Reason, e.Detail, e.Factors, e.How, e.Ticket = "alice", "admitted", "admitted", "", "password+otp", "", 3
	reference := settle(t, b, e, "")
	ticket := b.Store.TicketName(3)
	golden(t, b, reference, "en", `
R
  When: Wednesday 1 April 2026, 12:00:00 JST
  Who: alice
  Asked by: RADIUS, client vpn1, for the service ssl-vpn
  From: 203.0.113.7, zone off-campus
  Rule: outside
  Shown: password, one-time code
  Outcome: admitted (admitted)
  Why: `+reason.Admitted.Desk("en")+`
  Ticket: `+ticket+`
  Took: 0.035 s
`)
	golden(t, b, reference, "ja", `
R
  日時：2026年4月1日（水）12:00:00 JST
  利用者：alice
  入口：RADIUS、クライアント vpn1、サービス ssl-vpn
  接続元：203.0.113.7、ゾーン off-campus
  ルール：outside
  確認できた要素：パスワード、ワンタイムコード
  結果：許可（admitted）
  理由：`+reason.Admitted.Desk("ja")+`
  チケット：`+ticket+`
  所要時間：0.035秒
`)
}

func TestWhyOfACommand(t *testing.T) {
	b := newBook(t)
	must(t, b.Store.Book(ctx, store.Event{At: noon, Door: "command", Client: "root", Person: 7, Name: "alice",
		Outcome: "done", Reason: "groups_set", Detail: "groups staff, library"}))
	reference := b.Store.Reference(1)
	golden(t, b, reference, "en", `
R
  When: Wednesday 1 April 2026, 12:00:00 JST
  By: root, by a command on the server
  Who: alice
  Outcome: done (groups_set)
  Why: `+reason.GroupsSet.Desk("en")+`
  Detail: groups: staff, library
`)
	golden(t, b, reference, "ja", `
R
  日時：2026年4月1日（水）12:00:00 JST
  実行者：root（サーバーのコマンド）
  利用者：alice
  結果：実行済み（groups_set）
  理由：`+reason.GroupsSet.Desk("ja")+`
  詳細：グループ：staff, library
`)
}

func TestWhyOfAFlood(t *testing.T) {
	b := newBook(t)
	var references []string
	for range 12 {
		e := store.Event{At: noon, Door: "radius", Client: "vpn1", Typed: "a…", Zone: "off-campus", Outcome: "refused", Reason: "unknown_user"}
		references = append(references, settle(t, b, e, "unknown radius vpn1"))
	}
	first, last := references[0], references[11]
	s, err := b.Why(ctx, last)
	must(t, err)
	if s.Exact || len(s.Lines) != 1 || s.Reference != last || s.Lines[0].Count != 12 {
		t.Fatalf("%+v", s)
	}
	en := told(t, b, last, "en")
	for _, want := range []string{
		last + " has no row of its own: refusals of names that nobody has, and those that come in a flood, are kept as one row a minute. It is counted in this summary:\n",
		"Summary: one row for the refusals from " + first + " to " + last + ", 12 in all; what follows is of the first.\n",
		`Who: nobody known (typed "a…"; only the first letter is kept)`,
		"From: an unknown address, zone off-campus\n",
		"Detail: For example " + first + " " + references[1],
	} {
		if !strings.Contains(en, want) {
			t.Errorf("lacks %q:\n%s", want, en)
		}
	}
	ja := told(t, b, last, "ja")
	for _, want := range []string{
		"照会番号 " + last + " には個別の記録がありません。", last + " は次の要約に含まれます。\n",
		"件数：" + first + " から " + last + " までの拒否12件をまとめた1行です。以下は最初の1件の内容です。\n",
		"利用者：該当者なし（入力は「a…」。先頭の1文字だけを記録しています）\n",
		"接続元：不明なアドレス、ゾーン off-campus\n", "詳細：照会番号の例：" + first,
	} {
		if !strings.Contains(ja, want) {
			t.Errorf("lacks %q:\n%s", want, ja)
		}
	}
	if exact, err := b.Why(ctx, first); err != nil || !exact.Exact {
		t.Errorf("the first has the row: %+v, %v", exact, err)
	}

	several := Story{Reference: "R", Lines: make([]Line, 2)}
	var out strings.Builder
	must(t, several.Tell(&out, "en"))
	must(t, several.Tell(&out, "ja"))
	if text := out.String(); !strings.Contains(text, "one of these summaries") || !strings.Contains(text, "次の要約のいずれかに") {
		t.Error(text)
	}
}

func TestWhyOfAnAdmissionThatCameAgain(t *testing.T) {
	b := newBook(t)
	e := refused()
	e.Outcome, e.Reason, e.Detail = "admitted", "admitted", ""
	settled, err := b.Store.Settle(ctx, store.Settlement{Event: e})
	must(t, err)
	must(t, b.Store.Recount(ctx, map[int64]int{settled.Event: 37}))
	for lang, want := range map[string]string{
		"en": "  Summary: admitted 37 times in the minute from 12:00:00; what follows is of the first.\n",
		"ja": "  件数：12:00:00 から1分間に37回許可しました。以下は最初の1回の内容です。\n",
	} {
		if text := told(t, b, settled.Reference, lang); !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	must(t, b.Search(ctx, store.Search{}, func(l Line) error {
		if text := l.String(); !strings.Contains(text, " count=37") || strings.Contains(text, "last=") || l.Last != "" {
			t.Error(text)
		}
		return nil
	}))
}

func TestDetails(t *testing.T) {
	for _, c := range []struct{ reason, detail, en, ja string }{
		{"code_stale", "code of 4 steps ahead", "It was the code of 4 steps ahead. The clock of the device is fast.", "4つ先のコードでした。端末の時計が進んでいます。"},
		{"code_used", "code of 1 steps ago", "It was the code of one step ago.", "1つ前のコードでした。"},
		{"code_used", "code of 1 steps ahead", "It was the code of one step ahead.", "1つ先のコードでした。"},
		{"code_used", "code of 2 steps ago", "It was the code of 2 steps ago.", "2つ前のコードでした。"},
		{"code_used", "code of this step", "It was the code of this moment.", "その時刻のコードでした。"},
		{"wrong_password", "would have been delayed", "Were it not for dry_run, this one would have been delayed.", "試行モード（dry_run）でなければ、遅延の対象でした。"},
		{"code_used", "would have been delayed code of this step", "Were it not for dry_run, this one would have been delayed. It was the code of this moment.",
			"試行モード（dry_run）でなければ、遅延の対象でした。その時刻のコードでした。"},
		{"account_added", "initial password", "initial password", "初期パスワード"},
		{"account_added", "imported hash ssha", "hash of another system (ssha)", "他のシステムから移したハッシュ（ssha）"},
		{"groups_set", "groups ", "no groups", "所属グループなし"},
		{"otp_enrolled", "device phone", "device: phone", "端末：phone"},
		{"otp_fenced", "devices 12", "devices: 12", "端末 12台"},
		{"ticket_revoked", "tickets 3", "tickets: 3", "チケット 3件"},
		{"keys_rotated", "key 0a1b2c3d current, 4 devices sealed again", "new key 0a1b2c3d; devices sealed again: 4", "新しい鍵 0a1b2c3d、再暗号化した端末 4台"},
		{"keys_rotated", "key 0a1b2c3d retired", "key 0a1b2c3d was retired", "鍵 0a1b2c3d を廃棄"},
		{"cannot_judge", "open otp: sealed value", "open otp: sealed value", "open otp: sealed value"},
		{"admitted", "", "", ""},
		{"ticket_reused", "by the tunnel's ticket T7F3K-92QD", "By the tunnel's ticket T7F3K-92QD.", "VPNのチケット T7F3K-92QD によります。"},
		{"admitted", "app password 3f would have been delayed", "Application password 3f. Were it not for dry_run, this one would have been delayed.",
			"アプリ用パスワード 3f。試行モード（dry_run）でなければ、遅延の対象でした。"},
		{"account_added", "from the directory behind", "The directory has the person.", "ディレクトリーにある人です。"},
		{"code_missing", "passed by the directory behind references 7F3K-92QD", "The directory took the password. For example 7F3K-92QD.",
			"ディレクトリーはパスワードを受け入れました。照会番号の例：7F3K-92QD"},
		{"cannot_judge", "refused by the directory behind and a code behind the password", "The directory refused. A code of the person stood behind the password.",
			"ディレクトリーは拒否しました。パスワードの後に本人のコードがありました。"},
		{"admitted", "not shown to the directory behind", "The directory was not asked.", "ディレクトリーには送りませんでした。"},
		{"session_stopped", "at 198.51.100.7 nas nas1 session a b", "Address 198.51.100.7. Appliance nas1. Session a b.",
			"アドレス 198.51.100.7。装置 nas1。セッション a b。"},
		{"accounting_other", "status 15 session 1", "Status 15. Session 1.", "通知の種類 15。セッション 1。"},
		{"nas_restarted", "on nas nas1", "It starts. Appliance nas1.", "起動の通知。装置 nas1。"},
		{"nas_restarted", "off", "It stops.", "停止の通知。"},
		{"disconnect_done", "answer ack, session 1", "It obeyed. Session 1.", "応答は承諾（ack）。セッション 1。"},
		{"disconnect_failed", "answer silent, session 1", "It did not answer. Session 1.", "応答なし。セッション 1。"},
		{"disconnect_failed", "answer nak 504 Session-Context-Not-Removable, session 1", "Answer: nak 504 Session-Context-Not-Removable. Session 1.",
			"応答は nak 504 Session-Context-Not-Removable。セッション 1。"},
	} {
		l := Line{Reason: c.reason, Detail: c.detail}
		if got := (teller{l, false}).detail(); got != c.en {
			t.Errorf("%q: %q, want %q", c.detail, got, c.en)
		}
		if got := (teller{l, true}).detail(); got != c.ja {
			t.Errorf("%q: %q, want %q", c.detail, got, c.ja)
		}
	}
}

func TestUnusualParts(t *testing.T) {
	l := Line{At: noon, Door: "ldap", Reason: "no_rule", Outcome: "refused", Factors: "password+smell", Source: "AA-BB"}
	for lang, want := range map[string][]string{
		"en":    {"Rule: none matches", "Shown: password, smell", "Who: nobody known (no name was typed)", "Asked by: LDAP"},
		"ja":    {"ルール：該当なし", "確認できた要素：パスワード、smell", "利用者：該当者なし（名前の入力なし）", "入口：LDAP"},
		"ja-JP": {"結果：拒否（no_rule）"},
		"fr":    {"Outcome: refused (no_rule)"},
	} {
		var out strings.Builder
		must(t, Story{Reference: "R", Exact: true, Lines: []Line{l}}.Tell(&out, lang))
		for _, w := range want {
			if !strings.Contains(out.String(), w+"\n") {
				t.Errorf("lacks %q:\n%s", w, out.String())
			}
		}
	}
}

// Every reason, at every door, is told in both languages.
func TestEveryReasonIsTold(t *testing.T) {
	for _, code := range reason.All() {
		l := Line{At: noon.Add(time.Hour), Door: "radius", Outcome: "noticed", Reason: string(code)}
		for _, lang := range []string{"en", "ja"} {
			found := false
			for _, f := range l.Facts(lang) {
				found = found || f.Text == code.Desk(lang)
			}
			if !found {
				t.Errorf("%s is not told in %s", code, lang)
			}
		}
	}
}
