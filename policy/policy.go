// Package policy is the rules: who may come in, from where, with what.
//
// One request, told: a door names itself, the service and the source; the
// gate looks up the person and the zone and hands over an [Attempt], facts
// without a secret. [Policy.Decide] walks the rules in order; the first one
// that matches decides. It denies, or it allows because the factors already
// shown suffice, or it asks and lists the alternatives that are still open.
// The gate proves one of them, puts what was shown into the Attempt and asks
// again. Nothing here reads a clock, a file or a secret, so a decision can be
// repeated and explained at any time: [Policy.Explain].
package policy

import "time"

// The doors a request can come in by.
const (
	DoorRADIUS = "radius"
	DoorLDAP   = "ldap"
	DoorWeb    = "web"
)

// OffCampus is the zone of every address that lies in no configured prefix,
// and of an unknown address.
const OffCampus = "off-campus"

// Factor is one thing a person can show. A network is never a factor.
type Factor string

// The factors, as they are spelled in the configuration.
const (
	Password    Factor = "password"
	OTP         Factor = "otp"
	Certificate Factor = "certificate"
	Passkey     Factor = "passkey"
	Recovery    Factor = "recovery"
	AppPassword Factor = "app-password" // made here for one service and one program; never with another factor
)

// Need is one alternative of a rule: factors that must all be shown.
type Need []Factor

// Rule is one line of the policy. An empty list of a condition matches
// anything; a list matches when one of its entries does. User and Group
// entries may be globs as [path.Match] reads them; User entries are written
// in lower case, as canonical names are.
type Rule struct {
	Name    string
	Door    []string
	Service []string
	Zone    []string
	User    []string
	Group   []string

	Need []Need // alternatives; empty only when Deny
	Deny bool

	Ticket time.Duration // how long the ticket lives; 0: 12 h
	Idle   time.Duration // how long it lives unused; 0: 1 h if the zone may be off-campus, else as Ticket
	Reuse  time.Duration // how old a factor lent by a ticket may be; 0: as Ticket
	Repeat *Repeat       // nil: the default of the door
}

// Repeat says how far one code may be presented again by the same person,
// service, client and source. The zero value: never.
type Repeat struct {
	Idle    time.Duration // since the last answer
	Max     time.Duration // since the first answer
	Answers int           // answers in all, the first included; 0: unbounded
	Session bool          // as long as the VPN session's accounting lives; the rest is the default of the door
}

// Attempt is what is known of a sign-in: facts, never a secret, so it can be
// logged whole.
type Attempt struct {
	Door    string
	Service string
	Zone    string
	User    string // canonical name
	Groups  []string
	At      time.Time
	Shown   map[Factor]time.Time // what was shown, and when

	Throttled bool
}

// Verdict is what the policy says.
type Verdict int

// The verdicts; the zero one denies.
const (
	Deny Verdict = iota
	Ask
	Allow
)

// Decision is the policy's answer to one [Attempt]. Need and Proves are
// shared between decisions and must not be changed. Ticket, Idle and Repeat
// are set for Ask and Allow; an Idle equal to Ticket sets no limit of its own.
type Decision struct {
	Verdict Verdict
	Need    []Need   // Ask: the alternatives still open, each reduced to what is missing
	Proves  []Factor // Allow: every factor that was shown and is still fresh
	Ticket  time.Duration
	Idle    time.Duration
	Repeat  Repeat
	Rule    string // name of the rule that decided; "" when none matched
	Why     Why
}

// Why says why a decision was not Allow.
type Why string

// The reasons a policy can give.
const (
	WhyNone      Why = ""
	WhyNoRule    Why = "no_rule"     // no rule matched
	WhyDenied    Why = "rule_denies" // the rule says deny
	WhyThrottled Why = "throttled"
	WhyMissing   Why = "factor_missing" // Ask
)
