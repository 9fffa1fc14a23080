package gate

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// A word is easy to type on a telephone: in one piece, no digits, no case,
// nothing that looks like something else. Without vowels no words come about.
// Of 20 letters 12 make 2^51, and each guess counts.
const (
	wordUse     = "vpn word"
	wordPrefix  = "vpn-"
	wordLetters = "bcdfghjkmnpqrstvwxyz"
	wordLength  = 12 // letters behind the prefix
	wordFor     = 5 * time.Minute
	wordRepeat  = 10 * time.Minute // at most, whatever a rule or an application allows
)

// Word is typed in place of a password.
type Word struct {
	Text  Secret
	Until time.Time
}

// Word makes the one word that r's person, whose ticket r presents, may type
// in place of password and code to sign in to r.Opens, once and for a short
// time. It lends what that ticket does. A word that was made before is void.
// The zero Word means that the ticket lends not enough for a sign-in from
// outside at r.OpensAt, or is nobody's.
func (g *Gate) Word(ctx context.Context, r Request) (Word, error) {
	w, err := g.makeWord(ctx, r)
	if err != nil {
		g.Metrics.Error(r.Door)
		return Word{}, fmt.Errorf("make a word by %s: %w", r.Client, err)
	}
	return w, nil
}

func (g *Gate) makeWord(ctx context.Context, r Request) (Word, error) {
	a, h, err := g.present(ctx, r)
	if err != nil || h == nil {
		return Word{}, err
	}
	if ok, err := a.stillThere(ctx); !ok || err != nil || a.account.MustChange {
		return Word{}, err
	}
	// Whoever has the tunnel's address has proved nothing of their own.
	if borrowed, err := g.borrowedByAddress(ctx, h); err != nil || borrowed {
		return Word{}, err
	}
	d := a.rules.policy.Decide(policy.Attempt{
		Door: cmp.Or(r.OpensAt, policy.DoorRADIUS), Service: r.Opens, Zone: policy.OffCampus, User: a.name, Groups: a.account.Groups,
		At: a.at, Shown: a.shown,
	})
	if d.Verdict != policy.Allow {
		return Word{}, nil
	}
	text := newWord()
	w := store.Word{
		Person: a.account.ID, Hash: g.Ring.MAC(wordUse, wordParts(a.account.ID, r.Opens, text)...),
		Service: r.Opens, Ticket: h.ID, Until: earlier(h.Until, a.at.Add(wordFor)),
	}
	e := g.done(r, personOf(a.account), reason.WordMade)
	e.Person, e.Name, e.Ticket, e.Detail = a.account.ID, a.account.Name, h.ID, "for "+r.Opens
	if err := g.Store.PutWord(ctx, w, e); err != nil {
		return Word{}, err
	}
	return Word{Secret(text), w.Until}, nil
}

// newWord draws a word, each letter with equal chances.
func newWord() []byte {
	word := []byte(wordPrefix)
	const fair = 256 - 256%len(wordLetters)
	for b := make([]byte, 1); len(word) < len(wordPrefix)+wordLength; {
		if rand.Read(b); int(b[0]) < fair {
			word = append(word, wordLetters[int(b[0])%len(wordLetters)])
		}
	}
	return word
}

// wordParts bind a word to its person and service.
func wordParts(person int64, service string, word []byte) [][]byte {
	return [][]byte{binary.BigEndian.AppendUint64(nil, uint64(person)), []byte(service), word}
}

// word is the one that was typed. What has the shape of one is never taken
// for a password: it is neither split nor hashed nor sent anywhere.
func (a *attempt) word() (word []byte, ok bool) {
	if !a.takesMade() {
		return nil, false
	}
	return wordOf(a.r.Password)
}

func wordOf(typed []byte) (word []byte, ok bool) {
	const n = len(wordPrefix) // telephones like to begin with a capital
	if len(typed) != n+wordLength || !bytes.EqualFold(typed[:n], []byte(wordPrefix)) {
		return nil, false
	}
	word = bytes.ToLower(typed)
	ok = len(word) == len(typed) // what is no ASCII may have got shorter
	for _, c := range word[n:] {
		ok = ok && strings.IndexByte(wordLetters, c) >= 0
	}
	return word, ok
}

// redeem admits by a word. A wrong one is a guess like a wrong code, and looks
// like one. The person's own looks like one, too, when it is late or spent, but
// is none: a NAS that sends it again must not keep them out.
func (a *attempt) redeem(ctx context.Context, word []byte) (Answer, error) {
	if !a.reserve() {
		return a.refuse(ctx, denials[a.decide().Why])
	}
	d, why, err := a.lendByWord(ctx, word)
	if err != nil {
		return Answer{}, err
	}
	switch {
	case why != "":
		if a.redeemed == nil {
			a.wrong, a.typed = wrongCode, a.memory("word", word)
		}
		return a.refuse(ctx, why)
	case a.account.MustChange:
		a.proved = true
		return a.refuse(ctx, reason.MustChange)
	case a.repeat != nil:
		return a.admit(ctx, d, reason.Repeated)
	}
	return a.admit(ctx, d, reason.Reused)
}

// lendByWord takes the factors of the ticket that the word was made from, and
// asks the policy whether they suffice. Whether the word is spent the
// settlement will tell.
func (a *attempt) lendByWord(ctx context.Context, word []byte) (d policy.Decision, why reason.Code, err error) {
	var person int64 // 0: nobody, who has no word, and costs the same
	if a.account != nil {
		person = a.account.ID
	}
	w, err := a.gate.Store.Word(ctx, person)
	if err != nil && !errors.Is(err, store.ErrUnknown) {
		return d, "", err
	}
	fits := a.gate.Ring.VerifyMAC(wordUse, w.Hash, wordParts(person, a.r.Service, word)...)
	switch {
	case a.account == nil:
		return d, reason.UnknownUser, nil
	case a.account.Disabled:
		return d, reason.Disabled, nil
	case !fits:
		return d, reason.WrongWord, nil
	}
	a.redeemed = &w
	h, err := a.gate.Store.Held(ctx, w.Ticket)
	if errors.Is(err, store.ErrUnknown) || err == nil && !a.lend(&h) {
		return d, reason.WordLate, nil
	}
	if err != nil {
		return d, "", err
	}
	switch d = a.decide(); d.Verdict {
	case policy.Deny:
		return d, denials[d.Why], nil
	case policy.Ask:
		return d, reason.WordLate, nil
	}
	if err := a.findWordRepeat(ctx, d.Repeat); err != nil {
		return d, "", err
	}
	// One that is good for longer was made before the clock went back.
	if left := w.Until.Sub(a.at); a.repeat == nil && (left <= 0 || left > wordFor+apart) {
		return d, reason.WordLate, nil
	}
	return d, "", nil
}

// findWordRepeat looks whether the word is presented again, as a NAS does
// whose first answer was lost. A word is good for minutes and is no password,
// so it never holds as long as the session that began with it.
func (a *attempt) findWordRepeat(ctx context.Context, allowed policy.Repeat) error {
	allowed.Session, allowed.Max = false, min(allowed.Max, wordRepeat)
	var yielded int64
	parts := a.repeatParts()
	err := a.gate.Store.Tickets(ctx, a.account.ID, a.at, func(t store.Ticket, _ string) error {
		if a.gate.Ring.VerifyMAC(repeatUse, t.Repeat, parts...) {
			yielded = t.ID
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.repeats(ctx, yielded, allowed)
}

// borrowedByAddress reports whether the ticket rests on one that was given at
// the RADIUS door: it was lent to whoever has the tunnel's address.
func (g *Gate) borrowedByAddress(ctx context.Context, h *store.Held) (bool, error) {
	for parent := h.Parent; parent != 0; {
		above, err := g.Store.Held(ctx, parent)
		if err != nil {
			return false, err
		}
		if above.Door == policy.DoorRADIUS {
			return true, nil
		}
		parent = above.Parent
	}
	return false, nil
}
