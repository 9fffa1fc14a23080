package links

import (
	"bytes"
	"fmt"
	"time"

	"sekisho/internal/directory"
	"sekisho/ldapproxy/wire"
)

// fate is what becomes of a message.
type fate int

const (
	dropped fate = iota
	passed
	rewritten
)

// judge says what becomes of a message, of which b has all unless it is a large
// one; only entries may be. An error ends the link: what is not an answer to
// what was asked may belong to somebody else. mu is held.
func (l *Link) judge(h wire.Head, b []byte) (fate, error) {
	switch {
	case h.ID == 0:
		return dropped, unsolicited(h, b)
	case h.ID == l.binding:
		return dropped, l.bound(h, b)
	case h.Op == wire.OpBindResponse:
		return dropped, fmt.Errorf("%w: an answer to no bind", errGarbage)
	}
	i := l.find(h.ID)
	if i < 0 { // late, of an operation that was abandoned
		return dropped, nil
	}
	op := l.ops[i]
	switch {
	// So Samba answers a critical control that it has not, whatever the
	// request was.
	case h.Op == op.response, h.Op == wire.OpExtendedResponse:
		l.remove(i)
		return l.result(op, b)
	case h.Op == wire.OpIntermediate:
		return passed, nil
	case op.response != wire.OpSearchDone:
	case h.Op == wire.OpSearchEntry:
		return passed, nil
	case h.Op == wire.OpSearchReference && l.rules.PassReferrals:
		return passed, nil
	case h.Op == wire.OpSearchReference:
		return dropped, nil
	}
	return dropped, fmt.Errorf("%w: %#x to what %#x ends", errGarbage, h.Op, op.response)
}

// result is of a message that ends an operation. mu is held.
func (l *Link) result(op operation, b []byte) (fate, error) {
	r, err := wire.ParseResponse(b)
	if err != nil {
		return dropped, fmt.Errorf("%w: a result that can't be read", errGarbage)
	}
	if op.paged != notPaged {
		l.turn(op.paged, r)
	}
	if !l.rules.PassReferrals && (r.Code == wire.ResultReferral || r.Referral != nil) {
		return rewritten, nil
	}
	return passed, nil
}

// turn counts the paged searches that could go on. mu is held.
func (l *Link) turn(kind pagedKind, r wire.Response) {
	controls, err := r.Controls()
	if err != nil {
		l.tainted = true
		return
	}
	for _, c := range controls {
		if c.OID != wire.OIDPaged {
			continue
		}
		_, cookie, err := wire.ParsePaged(c.Value)
		switch {
		case err != nil:
			l.tainted = true
		case kind == firstPage && len(cookie) > 0:
			l.pages++
		case kind == laterPage && len(cookie) == 0 && l.pages > 0:
			l.pages--
		}
	}
}

// bound gives the answer to a bind to whoever waits for it. mu is held.
func (l *Link) bound(h wire.Head, b []byte) error {
	if h.Op != wire.OpBindResponse && h.Op != wire.OpExtendedResponse { // see judge
		return fmt.Errorf("%w: %#x to a bind", errGarbage, h.Op)
	}
	frame := bytes.Clone(b)
	r, err := wire.ParseResponse(frame)
	if err != nil || h.Op != wire.OpBindResponse && r.Code == wire.ResultSuccess {
		return fmt.Errorf("%w: to a bind", errGarbage)
	}
	a := BindAnswer{Frame: frame, Code: r.Code, Diagnostic: string(r.Diagnostic)}
	controls, err := r.Controls()
	if err != nil {
		return fmt.Errorf("%w: to a bind", errGarbage)
	}
	for _, c := range controls {
		if c.OID == wire.OIDPasswordPolicy {
			a.Policy = c.Value
		}
		a.Expired = a.Expired || c.OID == directory.ExpiredControl
	}
	l.binding = 0
	l.setUntil(time.Time{})
	l.answer <- a
	return nil
}

// unsolicited is of a message with the id 0 (RFC 4511 §4.4). A Notice of
// Disconnection ends the link; of others a client was told nothing, and they
// are dropped.
func unsolicited(h wire.Head, b []byte) error {
	if h.Op != wire.OpExtendedResponse {
		return fmt.Errorf("%w: %#x with the id 0", errGarbage, h.Op)
	}
	r, err := wire.ParseResponse(b)
	if err != nil {
		return fmt.Errorf("%w: a notice that can't be read", errGarbage)
	}
	if r.Name() == wire.OIDNotice {
		return fmt.Errorf("%w: it said good-bye with %d, %q", ErrAway, r.Code, r.Diagnostic)
	}
	return nil
}
