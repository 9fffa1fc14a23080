package store

import (
	"slices"
	"time"
)

// Person is one account.
type Person struct {
	ID         int64
	Name       string // canonical: lower case, unique
	Display    string
	Mail       string
	Lang       string // "ja", "en" or "": the site's first
	Groups     []string
	Hash       string // of the password, with its parameters; "": none
	Previous   string // the hash before it, to tell a stale password
	Disabled   bool
	MustChange bool      // Hash is of an initial password
	Expires    time.Time // of an initial password; zero: never
	Generation int64     // raised by every change of what is remembered of the person
	Changed    int64     // the generation of the last change that was not of Groups alone
	UIDNumber  int64     // for programs that want a POSIX account; 0: none
	Upstream   string    // id of the entry in the directory behind, for good: entryUUID, objectGUID; "": a local account
	Created    time.Time
}

// Token is a code device. Its secret is sealed; the store never sees it.
type Token struct {
	ID        int64
	Person    int64
	Kind      string // "totp", "hotp"
	Label     string
	Digits    int
	Period    int // seconds
	Algorithm string
	Sealed    []byte
	Version   int64 // of the seal
	Created   time.Time

	Step   int64 // the last step or counter accepted; -1: none
	Drift  int   // steps the device was ahead of us when it was
	Ticket int64 // that this step yielded; 0: none
}

// Account is a person with what a sign-in needs besides. It is shared by all
// who read it: never change one.
type Account struct {
	Person
	Tokens []Token
	Known  Known // sources where the person succeeded

	AppPasswords []AppPassword

	// DN is where the directory behind has the person at present. The store
	// does not keep it.
	DN string
}

// AppPassword is a password of a person for one service, made by us. It is not
// here: only a keyed hash of it.
type AppPassword struct {
	ID      int64
	Person  int64
	Label   string
	Service string
	Network string // a prefix that it is good from; "": anywhere
	Hash    []byte
	Key     uint32 // of the ring, that made Hash
	Created time.Time
	Used    time.Time // when a ticket was last given for it; Created: never
}

// Known is where a person succeeded, and when last; a few sources, so they are
// looked through.
type Known []KnownSource

// KnownSource is one of them.
type KnownSource struct {
	Source string
	At     time.Time
}

// At is when the person last succeeded there, as far as it is written: a
// success is not written again within a day.
func (k Known) At(source string) (at time.Time, ok bool) {
	for i := range k {
		if k[i].Source == source {
			return k[i].At, true
		}
	}
	return time.Time{}, false
}

// with is a copy in which the person succeeded at source.
func (k Known) with(source string, at time.Time) Known {
	out := make(Known, 0, len(k)+1)
	for _, s := range k {
		if s.Source != source {
			out = append(out, s)
		}
	}
	return append(out, KnownSource{source, at})
}

// latest is a copy with the n latest.
func (k Known) latest(n int) Known {
	k = slices.Clone(k)
	slices.SortStableFunc(k, func(a, b KnownSource) int { return a.At.Compare(b.At) })
	return k[len(k)-n:]
}

// Shown is a factor and when it was shown.
type Shown struct {
	Factor string
	At     time.Time
}

// Ticket is proof that a person showed factors at a time, from a zone. Its
// secret is not here, only the SHA-256 of it.
type Ticket struct {
	ID         int64 // given by Settle
	Hash       [32]byte
	Person     int64
	Generation int64 // the person's, when it was made; void under another one
	Parent     int64 // that lent factors; it has to live, and is used by this one. 0: none
	Door       string
	Service    string
	Client     string
	Zone       string
	Rule       string
	Shown      []Shown
	Created    time.Time
	Until      time.Time
	Idle       time.Duration // 0: as long as Until
	Used       time.Time
	Ended      time.Time // zero: lives
	Repeat     []byte    // what an equal attempt hashes to; nil: no repeat
	Answers    int

	AppPassword int64 // that it was given for, and ends with; 0: none
}

// Event is one row of the book. It never holds a secret.
type Event struct {
	ID      int64
	At      time.Time
	Door    string
	Client  string
	Service string
	Typed   string // the name as typed, masked by the caller when unknown
	Person  int64  // 0: nobody known
	Name    string // canonical
	Source  string
	How     string
	Zone    string
	Rule    string
	Factors string // joined by +
	Outcome string
	Reason  string
	Detail  string
	Ticket  int64
	Took    time.Duration
	Count   int   // how many refusals, or admissions that came again, the row stands for; 0 means 1
	Last    int64 // id of the last of them; 0 means ID
}

// Counter is one throttle counter.
type Counter struct {
	Name  string
	Count int // 0 removes the counter
	Since time.Time
	Last  time.Time
	Data  []byte
}

// Burn consumes one step of a token.
type Burn struct {
	Token int64
	Step  int64
	Drift int
}

// Spend takes what may be shown once. Nothing is admitted by what was spent
// before; what admits nothing anyway loses nothing by it. Whoever judges the
// age has to refuse what is good for longer than such a thing can be, too: it
// was made before the clock went back.
type Spend struct {
	Key   []byte
	Until time.Time // when it would be refused for its age
}

// Repeat counts one more answer for a ticket that is presented again.
type Repeat struct {
	Ticket  int64
	Answers int // how many answers the ticket may give in all; 0: unbounded
}

// Settlement is all that one attempt writes. The zero value of a part leaves
// that part out; Event is always booked.
type Settlement struct {
	Person     int64 // 0: nobody; then nothing below is compared
	Generation int64 // the one that was judged

	Spend    *Spend // of a refusal, too; nil for a repeat
	Burn     *Burn
	Ticket   *Ticket // of an app password, that is used by it: what was ended meanwhile puts none
	Repeat   *Repeat
	Counters []Counter
	Known    []string // sources where Person succeeded
	Event    Event

	// What is booked instead of an admission that was lost.
	IfSpent   string // what may be shown once was spent before
	IfRaced   string // the code was taken by another attempt, or the answers are used up
	IfChanged string // the person's generation moved on
	IfLost    string // outcome of the lost event

	// Flood, if not "", counts the event into this minute's row of that name
	// instead of giving it one of its own.
	Flood string
}

// Loss says why a settlement put no ticket.
type Loss int

// The losses; the zero one is none.
const (
	NotLost Loss = iota
	Raced
	ChangedMeanwhile
	Spent
)

// Settled is what became of a [Settlement].
type Settled struct {
	Event     int64
	Reference string
	Ticket    int64 // 0 if none was put
	Lost      Loss
}
