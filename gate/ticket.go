package gate

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"sekisho/internal/store"
	"sekisho/policy"
)

const (
	classUse    = "class"
	classPrefix = "sk1."
	classMAC    = 8 // octets
	secretSize  = 32
	knownAgain  = 24 * time.Hour // how often a known source is written anew
)

var encoding = base64.RawURLEncoding

// issue makes the ticket that the decision grants. Its secret is told once,
// in the answer; the store keeps its SHA-256.
func (a *attempt) issue(d policy.Decision) (*store.Ticket, [secretSize]byte) {
	var secret [secretSize]byte
	rand.Read(secret[:])
	t := &store.Ticket{
		Hash: sha256.Sum256(secret[:]), Person: a.account.ID, Generation: a.account.Generation,
		Door: a.r.Door, Service: cmp.Or(a.r.Opens, a.r.Service), Client: a.r.Client, Zone: a.zone.Name, Rule: d.Rule,
		Created: a.at, Until: a.at.Add(d.Ticket), Idle: d.Idle, Used: a.at,
		Repeat: a.repeatMAC(d.Repeat), Answers: 1,
	}
	if a.app != nil {
		t.AppPassword = a.app.ID
	}
	for _, f := range d.Proves {
		t.Shown = append(t.Shown, store.Shown{Factor: string(f), At: a.shown[f]})
		if a.lent[f] {
			// What rests on another ticket ends with it.
			t.Parent, t.Until = a.parent.ID, earlier(a.parent.Until, a.at.Add(d.Ticket))
		}
	}
	return t, secret
}

// handOver is what the door gets of a ticket.
func (g *Gate) handOver(id int64, t *store.Ticket, client string, secret []byte) Ticket {
	name := g.Store.TicketName(id)
	out := Ticket{ID: name, Class: g.class(id, name, client), Until: t.Until, Idle: t.Idle}
	if secret != nil {
		out.Secret = Secret(encoding.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(id))) + encoding.EncodeToString(secret))
	}
	return out
}

// class is the ticket's name for RADIUS: no one else can make one that fits
// this client.
func (g *Gate) class(id int64, name, client string) string {
	mac := g.Ring.MAC(classUse, classParts(id, client)...)
	return classPrefix + strings.ReplaceAll(name, "-", "") + "." + encoding.EncodeToString(mac[:classMAC])
}

// borrow takes the factors of the ticket that the person presents, else those
// of the one by which they are in a tunnel. A ticket that is not theirs, or
// lives no longer, lends nothing; that is no refusal, since the person can
// still show the factors.
func (a *attempt) borrow(ctx context.Context) error {
	if a.account == nil {
		return nil
	}
	h, err := a.gate.held(ctx, a.r)
	if err != nil || h != nil && a.lend(h) || !a.r.Tunnel {
		return err
	}
	return a.borrowByAddress(ctx)
}

// lend counts the ticket's factors as shown, and the ticket as used. It
// reports whether this is the person's own ticket, with something to tell.
//
// One that was not used for too long lends no password, and nothing at all
// where nothing would be left to show. What is then signed in to rests on it,
// so it lives on.
func (a *attempt) lend(h *store.Held) bool {
	lapsed := h.Lapsed(a.at)
	if !owns(a.account, h) || !lapsed && !h.Live(a.at) {
		return false
	}
	a.take(h, !lapsed)
	if !lapsed {
		a.gate.Store.Use(*h, a.at)
	}
	return true
}

// take counts the ticket's factors as shown: the whole of them, or all but the
// password, and then none where nothing would be left to show. An application
// password is for one service, whatever other rules list it.
func (a *attempt) take(h *store.Held, whole bool) {
	a.parent = &h.Ticket
	a.shown = make(map[policy.Factor]time.Time, len(h.Shown))
	a.lent = make(map[policy.Factor]bool, len(h.Shown))
	for _, s := range h.Shown {
		f := policy.Factor(s.Factor)
		if f == policy.AppPassword && (h.Service != a.r.Service || a.r.Door == policy.DoorWeb) {
			continue
		}
		if whole || f != policy.Password {
			a.shown[f], a.lent[f] = s.At, true
		}
	}
	if !whole && a.decide().Verdict == policy.Allow {
		a.parent, a.shown, a.lent = nil, nil, nil
	}
}

// owns reports whether the ticket is the person's, and nothing happened since
// that ended all of them.
func owns(account *store.Account, h *store.Held) bool {
	return account.ID != 0 && h.Person == account.ID && h.Generation == account.Generation && !account.Disabled
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func parseSecret(text string) (id int64, secret []byte, ok bool) {
	const idSize = 11 // of 8 octets in base64
	if len(text) != idSize+encoding.EncodedLen(secretSize) {
		return 0, nil, false
	}
	raw, err := encoding.DecodeString(text[:idSize])
	if err != nil {
		return 0, nil, false
	}
	secret, err = encoding.DecodeString(text[idSize:])
	if err != nil {
		return 0, nil, false
	}
	return int64(binary.BigEndian.Uint64(raw)), secret, true
}

// newlyKnown are the sources to remember as where the person succeeded: the
// address and the browser, if they are not remembered already.
func (a *attempt) newlyKnown() (list []string) {
	if a.app != nil { // whoever has found a telephone is not the person
		return nil
	}
	for _, source := range []string{a.source, a.browser} {
		if seen, ok := a.account.Known.At(source); source != "" && (!ok || a.at.Sub(seen) >= knownAgain) {
			list = append(list, source)
		}
	}
	return list
}
