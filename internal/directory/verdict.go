package directory

// Verdict is what a password turned out to be.
type Verdict int

// The verdicts; the zero one is wrong. Local people know the first two only:
// what becomes of an initial password stands in their account.
const (
	Wrong      Verdict = iota
	Right              // and good for a sign-in
	Expired            // right, but too old: the directory behind takes it no more
	MustChange         // right, but good for changing it alone
	Shut               // right, but the account is shut in the directory behind
	Locked             // not judged: the directory behind judges no password of this person for a while
)

// Proved reports whether the password was the person's, whatever follows.
func (v Verdict) Proved() bool { return v != Wrong && v != Locked }
