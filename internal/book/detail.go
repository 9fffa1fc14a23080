package book

import (
	"regexp"
	"strings"

	"sekisho/internal/reason"
)

// phrase is a form in which a detail is booked. $1 and so on stand for what
// the form leaves open.
type phrase struct {
	form   *regexp.Regexp
	ja, en string
}

var phrases = []phrase{
	{regexp.MustCompile(`^would have been delayed *`),
		"試行モード（dry_run）でなければ、遅延の対象でした。",
		"Were it not for dry_run, this one would have been delayed."},
	{regexp.MustCompile(`^code of this step`),
		"その時刻のコードでした。",
		"It was the code of this moment."},
	{regexp.MustCompile(`^code of 1 steps ago`),
		"1つ前のコードでした。",
		"It was the code of one step ago."},
	{regexp.MustCompile(`^code of 1 steps ahead`),
		"1つ先のコードでした。",
		"It was the code of one step ahead."},
	{regexp.MustCompile(`^code of (\d+) steps ago`),
		"${1}つ前のコードでした。",
		"It was the code of ${1} steps ago."},
	{regexp.MustCompile(`^code of (\d+) steps ahead`),
		"${1}つ先のコードでした。",
		"It was the code of ${1} steps ahead."},
	{regexp.MustCompile(`^app password (\w+) *`), "アプリ用パスワード ${1}。", "Application password ${1}."},
	{regexp.MustCompile(`^from the directory behind$`), "ディレクトリーにある人です。", "The directory has the person."},
	{regexp.MustCompile(`^passed by the directory behind *`), "ディレクトリーはパスワードを受け入れました。", "The directory took the password."},
	{regexp.MustCompile(`^refused by the directory behind *`), "ディレクトリーは拒否しました。", "The directory refused."},
	{regexp.MustCompile(`^not shown to the directory behind *`), "ディレクトリーには送りませんでした。", "The directory was not asked."},
	{regexp.MustCompile(`^and a code behind the password *`), "パスワードの後に本人のコードがありました。", "A code of the person stood behind the password."},
	{regexp.MustCompile(`^references (.+)`), "照会番号の例：${1}", "For example ${1}."},
	{regexp.MustCompile(`^initial password$`), "初期パスワード", "initial password"},
	{regexp.MustCompile(`^imported hash (.+)`), "他のシステムから移したハッシュ（${1}）", "hash of another system (${1})"},
	{regexp.MustCompile(`^groups $`), "所属グループなし", "no groups"},
	{regexp.MustCompile(`^groups (.+)`), "グループ：${1}", "groups: ${1}"},
	{regexp.MustCompile(`^devices (\d+)$`), "端末 ${1}台", "devices: ${1}"},
	{regexp.MustCompile(`^device (.+)`), "端末：${1}", "device: ${1}"},
	{regexp.MustCompile(`^tickets (\d+)$`), "チケット ${1}件", "tickets: ${1}"},
	{regexp.MustCompile(`^by the tunnel's ticket (\S+) *`), "VPNのチケット ${1} によります。", "By the tunnel's ticket ${1}."},
	{regexp.MustCompile(`^status (\d+) *`), "通知の種類 ${1}。", "Status ${1}."},
	{regexp.MustCompile(`^on\b *`), "起動の通知。", "It starts."},
	{regexp.MustCompile(`^off\b *`), "停止の通知。", "It stops."},
	{regexp.MustCompile(`^at (\S+) *`), "アドレス ${1}。", "Address ${1}."},
	{regexp.MustCompile(`^nas (\S+) *`), "装置 ${1}。", "Appliance ${1}."},
	{regexp.MustCompile(`^session (.+)$`), "セッション ${1}。", "Session ${1}."},
	{regexp.MustCompile(`^answer ack, *`), "応答は承諾（ack）。", "It obeyed."},
	{regexp.MustCompile(`^answer silent, *`), "応答なし。", "It did not answer."},
	{regexp.MustCompile(`^answer ([^,]+), *`), "応答は ${1}。", "Answer: ${1}."},
	{regexp.MustCompile(`^key (\w+) current, (\d+) devices sealed again$`),
		"新しい鍵 ${1}、再暗号化した端末 ${2}台", "new key ${1}; devices sealed again: ${2}"},
	{regexp.MustCompile(`^key (\w+) retired$`), "鍵 ${1} を廃棄", "key ${1} was retired"},
}

// detail words the detail. What has no form known here stays as it is.
func (t teller) detail() string {
	var told []string
	rest := t.Detail
	for rest != "" {
		found := false
		for _, p := range phrases {
			m := p.form.FindStringSubmatchIndex(rest)
			if m == nil {
				continue
			}
			told = append(told, string(p.form.ExpandString(nil, t.say(p.ja, p.en), rest, m)))
			rest, found = rest[m[1]:], true
			break
		}
		if !found {
			told = append(told, rest)
			break
		}
	}
	if t.Reason == string(reason.CodeStale) {
		switch {
		case strings.HasSuffix(t.Detail, " ago"):
			told = append(told, t.say("端末の時計が遅れています。", "The clock of the device is slow."))
		case strings.HasSuffix(t.Detail, " ahead"):
			told = append(told, t.say("端末の時計が進んでいます。", "The clock of the device is fast."))
		}
	}
	return strings.Join(told, t.say("", " "))
}
