package directory

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

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

// The controls of a response to a bind that tell more than its result code.
const (
	PolicyControl  = "1.3.6.1.4.1.42.2.27.8.5.1" // draft-behera-ldap-password-policy-10 §6.2
	ExpiredControl = "2.16.840.1.113730.3.4.4"   // draft-vchu-ldap-pwd-policy-00 §4: it has expired or was reset
)

// BindVerdict tells what the response to a bind with a name and a password
// says of that password. ppolicy is the value of its PolicyControl, expired
// whether there is an ExpiredControl. ErrName is wrapped where this person
// alone can't be judged; any other error is the directory's.
func BindVerdict(code uint16, diagnostic string, ppolicy []byte, expired bool) (Verdict, error) {
	policy := policyError(ppolicy)
	switch code {
	case ldap.LDAPResultSuccess:
		switch {
		case policy == passwordExpired:
			return Expired, nil
		case policy == accountLocked:
			return Locked, nil
		case policy == changeAfterReset || expired:
			return MustChange, nil
		}
		return Right, nil
	case ldap.LDAPResultInvalidCredentials:
		switch {
		case policy == accountLocked:
			return Locked, nil
		case policy == passwordExpired || expired:
			return Expired, nil
		}
		return activeVerdict(diagnostic), nil
	// There is no such entry any more, or it has no password.
	case ldap.LDAPResultNoSuchObject, ldap.LDAPResultInappropriateAuthentication:
		return Wrong, nil
	// 389-ds says so of a wrong password, too: of accounts that are locked, and
	// of those that are shut.
	case ldap.LDAPResultConstraintViolation, ldap.LDAPResultUnwillingToPerform:
		if policy == accountLocked || strings.Contains(diagnostic, "retry limit") || strings.Contains(diagnostic, "inactivated") {
			return Locked, nil
		}
	case ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultInsufficientAccessRights:
	default:
		return Wrong, fmt.Errorf("the directory answered a bind with %d %.200q", code, diagnostic)
	}
	return Wrong, fmt.Errorf("%w: the directory answered its bind with %d %.200q", ErrName, code, diagnostic)
}

// The errors of a password policy that a bind may have
// (draft-behera-ldap-password-policy-10 §6.2).
const (
	passwordExpired  = 0
	accountLocked    = 1
	changeAfterReset = 2
	noPolicyError    = -1
)

// policyError reads the error, which stands behind a warning, in the value of
// the policy control. What can't be read says nothing.
func policyError(value []byte) int {
	tag, value, rest := element(value)
	if tag != 0x30 || len(rest) > 0 {
		return noPolicyError
	}
	tag, said, rest := element(value)
	if tag == 0xa0 {
		tag, said, rest = element(rest)
	}
	if tag != 0x81 || len(said) != 1 || len(rest) > 0 {
		return noPolicyError
	}
	return int(said[0])
}

// element takes the first one off BER; a tag of 0 means that there is none.
// 389-ds writes a length in four octets, however short it is.
func element(b []byte) (tag byte, value, rest []byte) {
	if len(b) < 2 {
		return 0, nil, nil
	}
	tag, n, rest := b[0], int(b[1]), b[2:]
	if n == 0x84 && len(rest) >= 4 {
		n, rest = int(binary.BigEndian.Uint32(rest)), rest[4:]
	}
	if n > len(rest) {
		return 0, nil, nil
	}
	return tag, rest[:n], rest[n:]
}
