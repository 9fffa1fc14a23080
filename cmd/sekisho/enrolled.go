package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
	"rsc.io/qr"

	"sekisho/internal/otp"
)

// enrolled is a new code device as it is shown, this once.
type enrolled struct {
	User   string `json:"user"`
	Label  string `json:"label"`
	URL    string `json:"url"`
	Secret string `json:"secret"` // base32
	Digits int    `json:"digits"`
	Period int    `json:"period"` // seconds; 0: HOTP
}

func newEnrolled(user, label, issuer string, t otp.Token) enrolled {
	e := enrolled{
		User: user, Label: label, URL: t.URL(issuer, user), Digits: t.Digits, Period: t.Period,
		Secret: secretText.EncodeToString(t.Secret),
	}
	if t.Kind == otp.HOTP {
		e.Period = 0
	}
	return e
}

func (e enrolled) print(w io.Writer, drawn bool) error {
	fmt.Fprintf(w, "%s: code device %q enrolled. What follows is a secret and is not shown again.\n", e.User, e.Label)
	if drawn {
		code, err := qr.Encode(e.URL, qr.M)
		if err != nil {
			return fmt.Errorf("draw the QR code: %w", err)
		}
		fmt.Fprintln(w)
		drawQR(w, code, w == os.Stdout && term.IsTerminal(int(os.Stdout.Fd())))
	}
	fmt.Fprintf(w, "\n%s\nsecret %s\n", e.URL, grouped(e.Secret))
	return nil
}

const quiet = 4 // light modules around a QR code (ISO/IEC 18004 §6.3.8)

// drawQR draws two rows of modules a line. Light is drawn and dark left out;
// with colours it is white on black whatever the terminal prefers.
func drawQR(w io.Writer, code *qr.Code, colours bool) {
	before, after := "", ""
	if colours {
		before, after = "\x1b[97;40m", "\x1b[0m"
	}
	for y := -quiet; y < code.Size+quiet; y += 2 {
		var line strings.Builder
		for x := -quiet; x < code.Size+quiet; x++ {
			// Black is false outside; below the last row nothing is drawn.
			upper, lower := !code.Black(x, y), !code.Black(x, y+1) && y+1 < code.Size+quiet
			switch {
			case upper && lower:
				line.WriteString("█")
			case upper:
				line.WriteString("▀")
			case lower:
				line.WriteString("▄")
			default:
				line.WriteByte(' ')
			}
		}
		fmt.Fprintln(w, before+line.String()+after)
	}
}

// grouped writes a secret in fours, for those who type it.
func grouped(secret string) string {
	var b strings.Builder
	for i, c := range secret {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}
