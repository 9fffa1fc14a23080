package gate

import "sekisho/internal/reason"

// Stale reports whether a person is refused who has proved what was asked,
// because the directory behind takes the password for nothing but changing it.
// The directory's own words may then be passed on.
func (a Answer) Stale() bool {
	return a.Outcome == Refused && (a.Reason == string(reason.PasswordExpired) || a.Reason == string(reason.MustChange))
}
