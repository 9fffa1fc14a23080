package gate

import (
	"time"

	"sekisho/policy"
)

// Prompt is what a door with pages has to ask a person for.
type Prompt struct {
	Zone     string // where the person is seen
	Inside   bool   // not off-campus: the pages say so
	Password bool
	Code     bool
}

// Holder is who holds a presented ticket, and what it is worth to a request.
// The zero Holder is nobody: the ticket is unknown, ended, or its person may
// not be signed in any more.
type Holder struct {
	Person  Person
	Ticket  Ticket // without Secret and Class
	Service string // that the ticket was given for
	Since   time.Time

	Zone    string         // where the request comes from
	Verdict policy.Verdict // of the rules, for the request's service and source
	Proves  []policy.Factor
	Missing Prompt // what would have to be shown besides, if Verdict is Ask
}

// Session is a live ticket as its person sees it.
type Session struct {
	ID      string // public
	Parent  string // public; of the ticket it rests on; "" none
	Door    string
	Service string
	Client  string
	Zone    string
	Factors []policy.Factor
	Since   time.Time
	Used    time.Time
	Until   time.Time
}
