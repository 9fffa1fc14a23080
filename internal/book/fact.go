package book

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/reason"
)

// Fact is one thing to say about an event, in one language.
type Fact struct{ Label, Text string }

// Facts tells the line in plain words, the most important things first. lang
// is "ja"; everything else is English.
func (l Line) Facts(lang string) []Fact {
	t := teller{l, japanese(lang)}
	var facts []Fact
	for _, f := range []struct{ ja, en, text string }{
		{"件数", "Summary", t.summary()},
		{"日時", "When", t.when()},
		{"実行者", "By", t.actor()},
		{"利用者", "Who", t.who()},
		{"入口", "Asked by", t.door()},
		{"接続元", "From", t.source()},
		{"ルール", "Rule", t.rule()},
		{"確認できた要素", "Shown", t.factors()},
		{"結果", "Outcome", t.outcome()},
		{"理由", "Why", reason.Code(l.Reason).Desk(lang)},
		{"詳細", "Detail", t.detail()},
		{"チケット", "Ticket", l.Ticket},
		{"所要時間", "Took", t.took()},
	} {
		if f.text != "" {
			facts = append(facts, Fact{t.say(f.ja, f.en), clean(f.text)})
		}
	}
	return facts
}

// command is the door of what an administrator does at the command line.
const command = "command"

// teller words the parts of one line.
type teller struct {
	Line
	ja bool
}

func (t teller) say(ja, en string) string {
	if t.ja {
		return ja
	}
	return en
}

func (t teller) sayf(ja, en string, args ...any) string { return fmt.Sprintf(t.say(ja, en), args...) }

func (t teller) summary() string {
	switch {
	case t.Count <= 1:
		return ""
	case t.Last == "": // no other reference is counted
		return t.sayf("%s から1分間に%d回%sしました。以下は最初の1回の内容です。",
			"%[3]s %[2]d times in the minute from %[1]s; what follows is of the first.", t.At.Format("15:04:05"), t.Count, t.word())
	}
	return t.sayf(
		"%s から %s までの拒否%d件をまとめた1行です。以下は最初の1件の内容です。",
		"one row for the refusals from %s to %s, %d in all; what follows is of the first.", t.Reference, t.Last, t.Count)
}

func (t teller) when() string {
	if !t.ja {
		return t.At.Format("Monday 2 January 2006, 15:04:05 MST")
	}
	day := []string{"日", "月", "火", "水", "木", "金", "土"}[t.At.Weekday()]
	return t.At.Format("2006年1月2日") + "（" + day + "）" + t.At.Format("15:04:05 MST")
}

func (t teller) actor() string {
	if t.Door != command {
		return ""
	}
	return t.sayf("%s（サーバーのコマンド）", "%s, by a command on the server", t.Client)
}

func (t teller) who() string {
	switch {
	case t.Door == command:
		return t.User
	case t.User == "" && t.Typed == "":
		return t.say("該当者なし（名前の入力なし）", "nobody known (no name was typed)")
	case t.User == "":
		return t.sayf("該当者なし（入力は「%s」。先頭の1文字だけを記録しています）",
			"nobody known (typed %q; only the first letter is kept)", t.Typed)
	case t.Typed != "" && t.Typed != t.User:
		return t.sayf("%s（入力は「%s」）", "%s (typed %q)", t.User, t.Typed)
	}
	return t.User
}

var doors = map[string]struct{ ja, en string }{
	"radius": {"RADIUS", "RADIUS"},
	"ldap":   {"LDAP", "LDAP"},
	"web":    {"ウェブ", "web"},
}

func (t teller) door() string {
	if t.Door == command {
		return ""
	}
	parts := []string{cmp.Or(t.say(doors[t.Door].ja, doors[t.Door].en), t.Door)}
	if t.Client != "" {
		parts = append(parts, t.say("クライアント ", "client ")+t.Client)
	}
	if t.Service != "" {
		parts = append(parts, t.say("サービス ", "for the service ")+t.Service)
	}
	return strings.Join(parts, t.say("、", ", "))
}

func (t teller) source() string {
	if t.Door == command {
		return ""
	}
	parts := []string{cmp.Or(t.Source, t.say("不明なアドレス", "an unknown address"))}
	if t.How != "" {
		parts = append(parts, t.sayf("判別方法 %s", "known by %s", t.How))
	}
	if t.Zone != "" {
		parts = append(parts, t.sayf("ゾーン %s", "zone %s", t.Zone))
	}
	return strings.Join(parts, t.say("、", ", "))
}

func (t teller) rule() string {
	if t.Rule == "" && t.Reason == string(reason.NoRule) {
		return t.say("該当なし", "none matches")
	}
	return t.Rule
}

var factorWords = map[string]struct{ ja, en string }{
	"password":     {"パスワード", "password"},
	"otp":          {"ワンタイムコード", "one-time code"},
	"certificate":  {"電子証明書", "certificate"},
	"passkey":      {"パスキー", "passkey"},
	"recovery":     {"リカバリーコード", "recovery code"},
	"app-password": {"アプリ用パスワード", "application password"},
}

func (t teller) factors() string {
	if t.Factors == "" {
		return ""
	}
	words := strings.Split(t.Factors, "+")
	for i, f := range words {
		words[i] = cmp.Or(t.say(factorWords[f].ja, factorWords[f].en), f)
	}
	return strings.Join(words, t.say("、", ", "))
}

var outcomes = map[string]struct{ ja, en string }{
	"admitted":   {"許可", "admitted"},
	"refused":    {"拒否", "refused"},
	"challenged": {"追加の入力を要求", "asked for more"},
	"noticed":    {"気づいたことの記録", "noticed"},
	"done":       {"実行済み", "done"},
	"observed":   {"確認のみ", "only observed"},
}

func (t teller) outcome() string { return t.sayf("%s（%s）", "%s (%s)", t.word(), t.Reason) }

func (t teller) word() string {
	return cmp.Or(t.say(outcomes[t.Outcome].ja, outcomes[t.Outcome].en), t.Outcome)
}

func (t teller) took() string {
	if t.TookMS == 0 {
		return ""
	}
	took := time.Duration(t.TookMS * float64(time.Millisecond))
	if t.ja {
		return strconv.FormatFloat(took.Seconds(), 'f', 3, 64) + "秒"
	}
	return strconv.FormatFloat(took.Seconds(), 'f', 3, 64) + " s"
}
