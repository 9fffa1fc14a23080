package gate

import (
	"context"
	"net/netip"
	"time"

	"sekisho/internal/directory"
	"sekisho/policy"
)

// Request is one attempt as a door saw it. The door owns Password and Code
// and clears them when Admit has returned.
type Request struct {
	Door    string // policy.DoorRADIUS, …
	Service string
	Client  string // name of the NAS, application or web listener that asks
	Zone    string // fixed by the listener or client; "" judges Source.Addr
	Source  Source
	User    string // as typed

	Password  []byte // with the code behind it where the door has one field
	Code      []byte // a field of its own; nil where the door has none
	Separator string // what stands between password and code in one field

	// Challenge is when the code is asked for in a round of its own. State is
	// what the round before handed out, nil in the first; Password then holds
	// what was typed as the code.
	Challenge Challenge
	State     []byte

	TicketSecret string // presented by the person; "" none
	// Tunnel takes the ticket of whoever has Source.Addr in a tunnel for
	// presented, if that is User.
	Tunnel bool
	// TicketOf is the service that the presented ticket has to be for, and
	// Opens the one that a ticket of this attempt is for, where that is
	// another one than Service, by whose rules it is judged; "" it is not.
	TicketOf, Opens string
	// OpensAt is the door at which a word for Opens is typed; "": RADIUS.
	OpensAt string

	Language string // of what the person is told: "en", "ja"; "": the site's

	// Verify checks the password in place of the directory, if it is not nil: at
	// most once, of a person that is found, and only when the code is right. dn
	// is where the directory behind has the person. Its verdict and its error
	// are as of [directory.Directory.CheckPassword]. It is not called where
	// something else than a password was typed, or lets the person in.
	Verify func(ctx context.Context, dn string, password []byte) (directory.Verdict, error)

	// Repeat goes before that of the rule, where it is not nil.
	Repeat *policy.Repeat

	// Recurs tells that the client signs the same person in again and again:
	// equal admissions within a minute share one ticket and one row of the
	// book, which counts them. The password is checked each time.
	Recurs bool

	Came time.Time // when the request arrived; zero: when Admit was called
}

// Source is where the person sits, as best known. The zero Source is unknown
// and therefore outside.
type Source struct {
	Addr  netip.Addr // the person's own address; zero: unknown
	Label string     // what else the client told of the device: a MAC, a line number
	How   string     // how it is known: "socket", "calling-station-id", …

	// Browser is what a browser keeps to be told from others. It proves
	// nothing; only a hash of it is remembered. "": none is known.
	Browser string

	// Shared tells that many people come from Addr: it is an application
	// server, and what one of them fails is not counted against the others.
	Shared bool
}

// Outcome is what became of an attempt.
type Outcome int

// The outcomes; the zero one refuses.
const (
	Refused Outcome = iota
	Challenged
	Admitted
)

// Answer is what a door tells its client. An error beside it means that the
// gate could not judge: the door then says nothing that counts as a refusal.
type Answer struct {
	Outcome   Outcome
	Person    Person
	Ticket    Ticket // only if Admitted
	State     []byte // only if Challenged
	Message   string // for the person; has the reference in it where something was refused
	Reference string // as the help desk looks it up: 7F3K-92QD
	Reason    string // closed list; for counters and logs, never for a wire
	Rule      string // that decided; "": none did

	// Ready is when a refusal that waits for hashing would be ready: as long
	// after Request.Came as the hash queue takes at present, whether or not
	// this one had to wait. The door lets a refusal leave at the next multiple
	// of its delay after now and after Ready, counted from Request.Came. Zero
	// if nothing was refused; a refusal may be Challenged, to be asked again.
	Ready time.Time
}

// Person is who was admitted, or holds a ticket.
type Person struct {
	ID       int64
	Name     string // canonical
	Display  string
	Mail     string
	Language string // "ja", "en" or ""
	Groups   []string
	DN       string // where the directory behind has the person; "": there is none
}

// Ticket is what an admission yields.
type Ticket struct {
	ID     string // public, for display and revocation; opens nothing
	Secret Secret // opens: for a cookie, never for a log
	Class  string // for RADIUS: the ID bound to the client by a MAC
	Until  time.Time
	Idle   time.Duration
}

// Secret is a value that must not be logged; its String hides it.
type Secret string

// String returns a placeholder, so that a secret can't slip into a log.
func (Secret) String() string { return "[secret]" }
