package otp

import (
	"net/url"
	"strconv"
	"strings"
)

// URL is what the QR code of an enrolment holds: otpauth://, in the Key URI
// Format that authenticator apps read. It contains the secret. It is "" when
// the token can't make codes.
//
// It is put together here because apps disagree about what url.Values and
// url.URL leave open: a blank must be %20, never +, and an & in the name of a
// university must not end the parameter. A colon divides issuer from account
// and may stand in neither, so it becomes a blank.
func (t Token) URL(issuer, account string) string {
	d, ok := t.device()
	if !ok {
		return ""
	}
	issuer = strings.ReplaceAll(issuer, ":", " ")
	account = strings.ReplaceAll(account, ":", " ")

	label := escape(account)
	if issuer != "" {
		label = escape(issuer) + ":" + label
	}
	kind, moving := "totp", "&period="+strconv.FormatInt(d.period, 10)
	if t.Kind == HOTP {
		kind, moving = "hotp", "&counter="+strconv.FormatInt(d.last+1, 10)
	}
	u := "otpauth://" + kind + "/" + label + "?secret=" + d.secret
	if issuer != "" {
		u += "&issuer=" + escape(issuer)
	}
	return u + "&algorithm=" + d.opts.Algorithm.String() + "&digits=" + d.opts.Digits.String() + moving
}

func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
