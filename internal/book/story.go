package book

import (
	"fmt"
	"io"
	"strings"
)

// Story is what there is to say about a reference.
type Story struct {
	Reference string `json:"reference"`
	// Exact: the reference has a row of its own, Lines[0]. Otherwise it was
	// counted into a summary, which is one of Lines.
	Exact bool   `json:"exact"`
	Lines []Line `json:"lines"`
}

// Tell writes the story in plain words. lang is "ja"; everything else is
// English.
func (s Story) Tell(w io.Writer, lang string) error {
	var b strings.Builder
	if s.Exact {
		fmt.Fprintf(&b, "%s\n", s.Reference)
	} else {
		b.WriteString(s.summed(lang))
	}
	colon := ": "
	if japanese(lang) {
		colon = "："
	}
	for i, l := range s.Lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, f := range l.Facts(lang) {
			fmt.Fprintf(&b, "  %s%s%s\n", f.Label, colon, f.Text)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// summed says why there is no row of its own.
func (s Story) summed(lang string) string {
	several := len(s.Lines) > 1
	if japanese(lang) {
		which := "次の要約に含まれます。"
		if several {
			which = "次の要約のいずれかに含まれます。"
		}
		return fmt.Sprintf("照会番号 %s には個別の記録がありません。存在しないユーザー名による拒否や、短時間に集中した拒否は、"+
			"1分ごとに1行の要約として記録されます。%s は%s\n", clean(s.Reference), clean(s.Reference), which)
	}
	which := "this summary"
	if several {
		which = "one of these summaries"
	}
	return fmt.Sprintf("%s has no row of its own: refusals of names that nobody has, and those that come in a flood, "+
		"are kept as one row a minute. It is counted in %s:\n", clean(s.Reference), which)
}

func japanese(lang string) bool { return lang == "ja" || strings.HasPrefix(lang, "ja-") }
