package gate

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
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
		Door: a.r.Door, Service: a.r.Service, Client: a.r.Client, Zone: a.zone.Name, Rule: d.Rule,
		Created: a.at, Until: a.at.Add(d.Ticket), Idle: d.Idle, Used: a.at,
		Repeat: a.repeatMAC(d.Repeat), Answers: 1,
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
	mac := g.Ring.MAC(classUse, binary.BigEndian.AppendUint64(nil, uint64(id)), []byte(client))
	return classPrefix + strings.ReplaceAll(name, "-", "") + "." + encoding.EncodeToString(mac[:classMAC])
}

// borrow takes the factors of the ticket that the person presents. A ticket
// that is not theirs, or lives no longer, lends nothing; that is no refusal,
// since the person can still show the factors.
func (a *attempt) borrow(ctx context.Context) error {
	id, secret, ok := parseSecret(a.r.TicketSecret)
	if !ok || a.account == nil || a.account.Disabled {
		return nil
	}
	t, err := a.gate.Store.Ticket(ctx, id)
	if errors.Is(err, store.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	hash := sha256.Sum256(secret)
	if subtle.ConstantTimeCompare(hash[:], t.Hash[:]) != 1 ||
		t.Person != a.account.ID || t.Generation != a.account.Generation || !live(&t, a.at) {
		return nil
	}
	a.parent = &t
	a.shown = make(map[policy.Factor]time.Time, len(t.Shown))
	a.lent = make(map[policy.Factor]bool, len(t.Shown))
	for _, s := range t.Shown {
		f := policy.Factor(s.Factor)
		a.shown[f], a.lent[f] = s.At, true
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func live(t *store.Ticket, at time.Time) bool {
	return t.Ended.IsZero() && at.Before(t.Until) && (t.Idle == 0 || at.Sub(t.Used) < t.Idle)
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

// newlyKnown is the source to remember as one where the person succeeded; ""
// where it is remembered already, or unknown.
func (a *attempt) newlyKnown() string {
	if a.source == "" {
		return ""
	}
	if seen, ok := a.account.Known.At(a.source); ok && a.at.Sub(seen) < knownAgain {
		return ""
	}
	return a.source
}
