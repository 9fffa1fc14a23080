// Package otp knows one-time codes: it makes a secret, hands it to a device,
// finds the code in what was typed and says which step it belongs to.
//
// One sign-in, told: a VPN client has one field, so [Split] cuts the code off
// the end of it. [Token.Match] computes the codes of the steps around now and
// compares each of them. It answers not only whether a code fits but which
// step it is, because a code is used once: the caller burns that step in the
// store, conditionally, together with everything else the sign-in changes,
// and only then admits. Match itself changes nothing, so that a mistyped
// password costs no code. A code that is burnt already, or that belongs to a
// step outside the window, is told apart from one that fits nothing: only the
// holder of the device can have made it.
//
// Nothing here reads a clock, a file or a store. RFC 4226 is the counter
// token (HOTP), RFC 6238 the one that counts time (TOTP).
package otp

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"time"

	pquerna "github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// Kind is what a device counts.
type Kind int

// The kinds of device; the zero one counts time.
const (
	TOTP Kind = iota // steps of Period seconds since 1970 (RFC 6238)
	HOTP             // presses of a button (RFC 4226)
)

// Algorithm is the hash below the HMAC (RFC 6238 §1.2).
type Algorithm int

// The algorithms; the zero one is what every device can do.
const (
	SHA1 Algorithm = iota
	SHA256
	SHA512
)

// Token is one enrolled device. A Token without a secret, or with a field
// outside its range, matches nothing.
type Token struct {
	Kind      Kind
	Secret    []byte // raw octets, not base32
	Digits    int    // 6 or 8; 0: 6
	Period    int    // seconds a code lives; 0: 30
	Algorithm Algorithm

	// Window is how many steps before and after now a code is accepted.
	// 0: 1. Negative: none, only the step of now. At most 10. A counter
	// token has a look-ahead instead.
	Window int

	// Last is the newest step or counter that is burnt; it and everything
	// before it are refused. A counter token starts at -1, since its first
	// counter is 0.
	Last int64

	// Drift is how many steps the device was ahead of now when it was last
	// seen. It is tried first. Beyond what Resync measures it is ignored.
	Drift int
}

const (
	nearby         = 10   // steps around now in which a code still shows its holder
	lookAhead      = 10   // counters a button may have been pressed unseen (RFC 4226 §7.4)
	searchSteps    = 100  // steps to either side that Resync searches
	searchCounters = 1000 // counters ahead that Resync searches
)

// NewSecret makes the secret of a new device: 160 random bits, the length
// RFC 4226 §4 (R6) recommends.
func NewSecret() []byte {
	secret := make([]byte, 20)
	rand.Read(secret) // never fails: it ends the program rather than return less
	return secret
}

// Code returns the code a device with a right clock shows now. For a counter
// token it is the next one. It is "" when the token can't make one.
func (t Token) Code(now time.Time) string {
	d, ok := t.device()
	if !ok {
		return ""
	}
	if t.Kind == HOTP {
		return d.code(d.last + 1)
	}
	return d.code(d.step(now))
}

// Left is how long the code of now lives, and so how long a person has to
// wait for the next one: more than zero, at most the period. A counter token
// needs no waiting: 0.
func (t Token) Left(now time.Time) time.Duration {
	d, ok := t.device()
	if !ok || t.Kind == HOTP {
		return 0
	}
	return time.Unix((d.step(now)+1)*d.period, 0).Sub(now)
}

// String names the kind and hides the secret.
func (t Token) String() string {
	if t.Kind == HOTP {
		return "[hotp token]"
	}
	return "[totp token]"
}

// GoString hides the secret from %#v, too.
func (t Token) GoString() string { return t.String() }

// device is a Token that was found sound, with the defaults filled in and the
// secret encoded once for all the codes that one call computes.
type device struct {
	secret string
	opts   hotp.ValidateOpts
	period int64
	window int64
	last   int64
	drift  int64
}

var base32NoPadding = base32.StdEncoding.WithPadding(base32.NoPadding)

func (t Token) device() (device, bool) {
	d := device{period: 30, window: 1, last: max(t.Last, -1)}
	// Anybody can compute the codes of an empty secret.
	if len(t.Secret) == 0 || t.Kind < TOTP || t.Kind > HOTP || t.Period < 0 {
		return device{}, false
	}
	switch t.Digits {
	case 0, 6:
		d.opts.Digits = pquerna.DigitsSix
	case 8:
		d.opts.Digits = pquerna.DigitsEight
	default:
		return device{}, false
	}
	switch t.Algorithm {
	case SHA1:
		d.opts.Algorithm = pquerna.AlgorithmSHA1
	case SHA256:
		d.opts.Algorithm = pquerna.AlgorithmSHA256
	case SHA512:
		d.opts.Algorithm = pquerna.AlgorithmSHA512
	default:
		return device{}, false
	}
	if t.Period > 0 {
		d.period = int64(t.Period)
	}
	if t.Window != 0 {
		d.window = int64(min(max(t.Window, 0), nearby))
	}
	if t.Drift >= -searchSteps && t.Drift <= searchSteps {
		d.drift = int64(t.Drift)
	}
	d.secret = base32NoPadding.EncodeToString(t.Secret)
	return d, true
}

// step is the number of the step in which now lies (RFC 6238 §4.2).
func (d device) step(now time.Time) int64 {
	unix := now.Unix()
	step := unix / d.period
	if unix%d.period < 0 {
		step--
	}
	return step
}

func (d device) code(step int64) string {
	code, err := hotp.GenerateCodeCustom(d.secret, uint64(step), d.opts)
	if err != nil {
		// It fails for a secret that is not base32, and this one was encoded here.
		panic(fmt.Sprintf("otp: code of step %d: %v", step, err))
	}
	return code
}
