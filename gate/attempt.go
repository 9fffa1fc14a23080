package gate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sekisho/internal/directory"
	"sekisho/internal/otp"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// attempt is one request on its way through the gate.
type attempt struct {
	gate  *Gate
	r     Request
	rules *rules
	at    time.Time

	name    string         // canonical, whether or not anybody has it
	account *store.Account // nil: nobody has the name
	zone    policy.Zone
	source  string // the source as a key; "": unknown
	browser string // the browser as a key; "": unknown
	shown   map[policy.Factor]time.Time
	parent  *store.Ticket          // presented, lives and is this person's; nil: none
	lent    map[policy.Factor]bool // of shown, what came from parent

	throttled bool
	guess     guess     // reserved in the throttle
	device    *device   // whose code was typed
	match     otp.Match // what the code turned out to be
	repeat    *store.Ticket
	answers   int                // that repeat may give in all; 0: unbounded
	renewed   bool               // the repeat is of a session that lives, and begins no other
	asked     *asked             // the code, in rounds of its own; nil: it is not
	redeemed  *store.Word        // that was typed and fits; nil: none
	app       *store.AppPassword // likewise
	wrong     wrong
	typed     memory // of what was wrong
	proved    bool   // the password was right, and the code of the device if one was needed
	event     store.Event
}

// wrong is which secret was judged and found wrong: that is a guess, and
// counts. What was never judged does not.
type wrong int

const (
	nothingWrong wrong = iota
	wrongCode
	wrongPassword
)

func (g *Gate) begin(r Request) *attempt {
	a := &attempt{gate: g, r: r, rules: g.rules.Load(), at: g.Now(), source: r.Source.key(), browser: r.Source.browser()}
	if r.Came.IsZero() {
		a.r.Came = a.at
	}
	a.event = store.Event{
		At: a.at, Door: r.Door, Client: r.Client, Service: r.Service,
		Source: r.Source.String(), How: r.Source.How,
	}
	a.name = g.Directory.Canonical(r.User)
	a.event.Typed = mask(r.User)
	if r.Zone != "" {
		a.zone, _ = a.rules.zones.Named(r.Zone)
		if a.zone.Name == "" {
			a.zone.Name = policy.OffCampus
		}
		// Wherever they count as being, they share the address.
		a.zone.Shared = a.zone.Shared || a.rules.zones.Of(r.Source.Addr).Shared
	} else {
		a.zone = a.rules.zones.Of(r.Source.Addr)
	}
	a.zone.Shared = a.zone.Shared || r.Source.Shared
	a.event.Zone = a.zone.Name
	return a
}

// facts finds out who this is, what the throttle says and what a presented
// ticket lends. A reason ends the attempt with a refusal.
func (a *attempt) facts(ctx context.Context) (reason.Code, error) {
	if !utf8.ValidString(a.r.User) || strings.IndexByte(a.r.User, 0) >= 0 || a.name == "" {
		return reason.BadName, nil
	}
	if err := a.find(ctx); err != nil {
		return "", err
	}
	if a.r.TicketSecret != "" || a.r.Tunnel {
		if err := a.borrow(ctx); err != nil {
			return "", err
		}
	}
	return "", nil
}

// find looks up who this is; nobody is no error. A DN tells no name before.
func (a *attempt) find(ctx context.Context) error {
	account, err := a.gate.Directory.Find(ctx, a.name)
	if errors.Is(err, directory.ErrUnknown) {
		return nil
	}
	if err == nil {
		a.account, a.name = account, account.Name
		a.event.Person, a.event.Name, a.event.Typed = account.ID, account.Name, a.r.User
	}
	return err
}

// language is the door's or the site's. Only who proved to be the person is
// told anything in the account's own: to anybody else it would tell that there
// is one.
func (a *attempt) language() string {
	if a.proved && a.account != nil {
		return cmp.Or(a.r.Language, a.account.Lang, a.gate.Language)
	}
	return cmp.Or(a.r.Language, a.gate.Language)
}

// decide asks the policy with what is known now.
func (a *attempt) decide() policy.Decision {
	facts := policy.Attempt{
		Door: a.r.Door, Service: a.r.Service, Zone: a.zone.Name, User: a.name, At: a.at, Shown: a.shown,
		Throttled: a.throttled,
	}
	if a.account != nil {
		facts.Groups = a.account.Groups
	}
	d := a.rules.policy.Decide(facts)
	if a.r.Repeat != nil {
		d.Repeat = *a.r.Repeat
	}
	a.event.Rule = d.Rule
	return d
}

// judged is the account whose password is looked at: nobody's, which costs
// the same and is never right, where nobody may come in whatever is typed.
func (a *attempt) judged() *store.Account {
	if a.account == nil || a.account.Disabled {
		return &store.Account{Person: store.Person{Name: a.name}}
	}
	return a.account
}

// show notes a factor as shown now.
func (a *attempt) show(f policy.Factor) {
	if a.shown == nil {
		a.shown = make(map[policy.Factor]time.Time, 2)
	}
	a.shown[f] = a.at
	delete(a.lent, f)
}

// key is what makes two sources the same: an address, of IPv6 its /64, or the
// device as the client names it. "" is unknown.
func (s Source) key() string {
	switch {
	case s.Addr.Is4() || s.Addr.Is4In6():
		return s.Addr.Unmap().String()
	case s.Addr.IsValid():
		return netip.PrefixFrom(s.Addr.WithZone(""), 64).Masked().String()
	case s.Label != "":
		return "device " + strings.ToLower(s.Label)
	}
	return ""
}

// browser is the browser as a key, from which nobody can tell what it keeps.
func (s Source) browser() string {
	if s.Browser == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(s.Browser))
	return "browser " + encoding.EncodeToString(sum[:16])
}

// String is the source as the book has it; "" is unknown.
func (s Source) String() string {
	switch {
	case s.Addr.IsValid():
		return s.Addr.Unmap().String()
	case s.Label != "":
		return s.Label
	}
	return s.browser()
}

// mask keeps the first letter: people type passwords where the name belongs.
// What can't be printed could act on the terminal where the book is read.
func mask(typed string) string {
	if !utf8.ValidString(typed) {
		return "…"
	}
	first, _ := utf8.DecodeRuneInString(typed)
	if typed == "" || !unicode.IsPrint(first) {
		return "…"
	}
	return string(first) + "…"
}
