package config

import "time"

// OTP is how one-time codes are made and matched (RFC 6238).
type OTP struct {
	Window int // steps before and after now that still match; 0: only now
	Digits int
	Period time.Duration
	Issuer string // as the authenticator shows it
}

func readOTP(t *table, site string) OTP {
	o := OTP{
		Window: t.number("window", 1, 0, 5),
		Digits: t.number("digits", 6, 6, 8),
		Period: t.between("period", 30*time.Second, 15*time.Second, 2*time.Minute),
		Issuer: t.text("issuer", ""),
	}
	if o.Issuer == "" {
		o.Issuer = site
	}
	if o.Digits == 7 {
		t.fault("digits", "7 is not what authenticators show; write 6 or 8")
	}
	if o.Period%time.Second != 0 {
		t.fault("period", `%v is not a whole number of seconds; write "30s"`, o.Period)
	}
	t.close()
	return o
}
