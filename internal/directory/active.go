package directory

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// activeVerdict reads what Active Directory says of a refused bind: a Windows
// error in hexadecimal behind "data ". All but 775 (locked), 525 (no such
// person) and 52e (wrong) are told behind a right password alone.
func activeVerdict(diagnostic string) Verdict {
	_, data, ok := strings.Cut(diagnostic, "AcceptSecurityContext error, data ")
	if !ok {
		return Wrong
	}
	data, _, _ = strings.Cut(data, ",")
	switch strings.ToLower(strings.TrimSpace(data)) {
	case "532":
		return Expired
	case "773":
		return MustChange
	case "530", "531", "533", "701": // not at this hour, not from here, disabled, expired
		return Shut
	case "775":
		return Locked
	}
	return Wrong
}

// activeGUID is an objectGUID as it is written: the first three numbers of it
// are little-endian ([MS-DTYP] §2.3.4.2).
func activeGUID(b []byte) (string, bool) {
	if len(b) != 16 {
		return "", false
	}
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint16(b[4:]),
		binary.LittleEndian.Uint16(b[6:]), b[8:10], b[10:]), true
}

// What else is read of a person: whether the account is shut.
var (
	activeAttributes = []string{"userAccountControl", "accountExpires", "primaryGroupID", "objectSid"}
	otherAttributes  = []string{"nsAccountLock", "pwdAccountLockedTime", "pwdEndTime", "shadowExpire"}
)

const (
	accountDisable = 2               // in userAccountControl
	lockedForGood  = "000001010000Z" // pwdAccountLockedTime, where no time brings it back
)

// shut reports whether the directory says so of the entry itself. It is not
// the last word where a password is checked: that is the answer to a bind.
func (u *Upstream) shut(e *ldap.Entry) (bool, error) {
	if !u.ActiveDirectory {
		return u.shutElsewhere(e)
	}
	flags, err := strconv.ParseInt(e.GetEqualFoldAttributeValue("userAccountControl"), 10, 64)
	if err != nil {
		return false, faulty("%q has no userAccountControl: may the service account read it?", e.DN)
	}
	expires, err := strconv.ParseInt(e.GetEqualFoldAttributeValue("accountExpires"), 10, 64)
	return flags&accountDisable != 0 || err == nil && expires > 0 && expires < math.MaxInt64 && !activeTime(expires).After(u.Now()), nil
}

// shutElsewhere reads what is set where an account is, and is absent elsewhere.
func (u *Upstream) shutElsewhere(e *ldap.Entry) (bool, error) {
	if strings.EqualFold(e.GetEqualFoldAttributeValue("nsAccountLock"), "true") ||
		e.GetEqualFoldAttributeValue("pwdAccountLockedTime") == lockedForGood {
		return true, nil
	}
	// The day, counted from 1970 on, from which on the account is shut; 0 and -1
	// are none (shadow(5)).
	if day, err := strconv.ParseInt(e.GetEqualFoldAttributeValue("shadowExpire"), 10, 64); err == nil && day > 0 && u.Now().Unix()/86400 >= day {
		return true, nil
	}
	text := e.GetEqualFoldAttributeValue("pwdEndTime") // draft-behera-ldap-password-policy-10 §5.3.10
	if text == "" {
		return false, nil
	}
	for _, layout := range []string{"20060102150405Z0700", "200601021504Z0700"} { // RFC 4517 §3.3.13
		if end, err := time.Parse(layout, text); err == nil {
			return !end.After(u.Now()), nil
		}
	}
	return false, faulty("pwdEndTime of %q is no time", e.DN)
}

// activeTime is a number of 100 ns since 1601 ([MS-DTYP] §2.3.3).
func activeTime(n int64) time.Time {
	const seconds = 10_000_000
	return time.Unix(n/seconds-11_644_473_600, n%seconds*100)
}

// primaryGroup is a filter for the group that a person of Active Directory is
// in without being a member of it; "" where there is none.
func primaryGroup(e *ldap.Entry) string {
	sid := e.GetEqualFoldRawAttributeValue("objectSid")
	id, err := strconv.ParseUint(e.GetEqualFoldAttributeValue("primaryGroupID"), 10, 32)
	if err != nil || len(sid) < 12 {
		return ""
	}
	// It is in the person's domain: the SID differs in the last number.
	group := binary.LittleEndian.AppendUint32(append([]byte(nil), sid[:len(sid)-4]...), uint32(id))
	var filter strings.Builder
	filter.WriteString("(objectSid=")
	for _, c := range group {
		fmt.Fprintf(&filter, `\%02x`, c)
	}
	filter.WriteString(")")
	return filter.String()
}
