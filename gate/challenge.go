package gate

// Challenge is when a code is asked for in a round of its own.
type Challenge int

// The ways; the zero one never asks.
const (
	ChallengeNever  Challenge = iota // the code stands behind the password
	ChallengeAlways                  // wherever a code is needed
	ChallengeBoth                    // where none stands behind the password
)
