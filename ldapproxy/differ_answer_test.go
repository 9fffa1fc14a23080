//go:build linux

package ldapproxy

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sekisho/ldapproxy/wire"
)

// taken is how a server takes one message.
type taken struct {
	replies []told
	ended   bool // the connection
}

// told is one response, without what each server may say in its own words.
type told struct {
	id      int32
	op      byte
	code    int
	matched string // DN, canonical
	entry   string // DN, canonical
	paged   string // of paged results: "more" or "last"
	value   string // of an extended response
	notice  bool   // of disconnection
}

func (a taken) String() string {
	var b strings.Builder
	for _, r := range a.replies {
		fmt.Fprintf(&b, "%d: %#x code %d", r.id, r.op, r.code)
		for name, text := range map[string]string{"matched": r.matched, "entry": r.entry, "paged": r.paged, "value": r.value} {
			if text != "" {
				fmt.Fprintf(&b, " %s %q", name, text)
			}
		}
		b.WriteString("; ")
	}
	if a.ended {
		b.WriteString("ends")
	}
	return strings.TrimSuffix(b.String(), "; ")
}

// code is that of the only final response, -1 where there is none.
func (a taken) code() int {
	if len(a.replies) == 0 {
		return -1
	}
	return a.replies[len(a.replies)-1].code
}

// settle brings entries into one order, for a server has any. Of a part of
// them only the number tells anything.
func (a *taken) settle() {
	if len(a.replies) == 0 {
		return
	}
	last := a.replies[len(a.replies)-1]
	if entries := a.replies[:len(a.replies)-1]; last.code == wire.ResultSizeLimitExceeded || last.paged != "" {
		for i := range entries {
			entries[i].entry = "one of many"
		}
	} else {
		slices.SortFunc(entries, func(a, b told) int { return strings.Compare(a.entry, b.entry) })
	}
}

// readTold reads one response.
func readTold(frame []byte) (r told, cookie []byte, err error) {
	d := wire.Decoder{Rest: frame}
	in := d.Within(wire.TagSequence)
	for _, b := range in.Take(wire.TagInteger) { // slapd gives back whatever it got
		r.id = r.id<<8 | int32(b)
	}
	var body []byte
	r.op, body = in.Next()
	var controls []wire.Control
	if in.Peek() == wire.TagControls {
		list := in.Within(wire.TagControls)
		for list.More() {
			c := list.Within(wire.TagSequence)
			control := wire.Control{OID: c.Text(wire.TagString)}
			if c.Peek() == wire.TagString {
				control.Value = c.Take(wire.TagString)
			}
			controls = append(controls, control)
		}
	}
	b := wire.Decoder{Rest: body}
	canonical := func() string {
		dn := b.Text(wire.TagString)
		if same, err := canonicalDN(dn); err == nil {
			return same
		}
		return "not a DN: " + dn
	}
	if r.op == wire.OpSearchEntry {
		r.entry = canonical()
		b.Rest = nil
	} else {
		r.code = int(b.Number(wire.TagEnumerated))
		r.matched = canonical()
		b.Take(wire.TagString) // diagnosticMessage
	}
	for b.More() {
		tag, content := b.Next()
		switch tag {
		case wire.TagResponseValue:
			r.value = strings.ToLower(string(content))
		case wire.TagResponseName:
			r.notice = string(content) == wire.OIDNotice
		}
	}
	for _, c := range controls {
		if c.OID == wire.OIDPaged {
			_, cookie, err = wire.ParsePaged(c.Value)
			if r.paged = "last"; len(cookie) > 0 {
				r.paged = "more"
			}
		}
	}
	return r, bytes.Clone(cookie), errors.Join(err, d.Err, in.Err, b.Err)
}

// lastWords reports whether there is nothing, or a Notice of Disconnection.
func (a taken) lastWords() bool {
	return !slices.ContainsFunc(a.replies, func(r told) bool { return r.id != 0 || r.code != wire.ResultProtocolError })
}
