package otp

import (
	"strings"
	"testing"

	pquerna "github.com/pquerna/otp"
)

func TestURL(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for _, tt := range []struct {
		name string
		Token
		issuer, account string
		want            string
	}{
		{"plain", Token{}, "Example", "alice",
			"otpauth://totp/Example:alice?secret=" + secret + "&issuer=Example&algorithm=SHA1&digits=6&period=30"},
		{"blank and mark", Token{}, "R&D = 1+1?", "alice@example.ac.jp",
			"otpauth://totp/R%26D%20%3D%201%2B1%3F:alice%40example.ac.jp?secret=" + secret +
				"&issuer=R%26D%20%3D%201%2B1%3F&algorithm=SHA1&digits=6&period=30"},
		{"japanese", Token{}, "見本大学", "alice",
			"otpauth://totp/%E8%A6%8B%E6%9C%AC%E5%A4%A7%E5%AD%A6:alice?secret=" + secret +
				"&issuer=%E8%A6%8B%E6%9C%AC%E5%A4%A7%E5%AD%A6&algorithm=SHA1&digits=6&period=30"},
		{"colons and slash", Token{}, "a:b/c", "x:y",
			"otpauth://totp/a%20b%2Fc:x%20y?secret=" + secret + "&issuer=a%20b%2Fc&algorithm=SHA1&digits=6&period=30"},
		{"no issuer", Token{}, "", "alice",
			"otpauth://totp/alice?secret=" + secret + "&algorithm=SHA1&digits=6&period=30"},
		{"everything else", Token{Digits: 8, Period: 60, Algorithm: SHA512}, "E", "a",
			"otpauth://totp/E:a?secret=" + secret + "&issuer=E&algorithm=SHA512&digits=8&period=60"},
		{"counter", Token{Kind: HOTP, Algorithm: SHA256, Last: 41}, "E", "a",
			"otpauth://hotp/E:a?secret=" + secret + "&issuer=E&algorithm=SHA256&digits=6&counter=42"},
		{"new counter", Token{Kind: HOTP, Last: -1}, "E", "a",
			"otpauth://hotp/E:a?secret=" + secret + "&issuer=E&algorithm=SHA1&digits=6&counter=0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.Secret = seed20
			got := tt.URL(tt.issuer, tt.account)
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			key, err := pquerna.NewKeyFromURL(got)
			if err != nil {
				t.Fatal(err)
			}
			plain := strings.NewReplacer(":", " ")
			if key.Secret() != secret || key.Issuer() != plain.Replace(tt.issuer) || key.AccountName() != plain.Replace(tt.account) {
				t.Errorf("read back: %q %q", key.Issuer(), key.AccountName())
			}
		})
	}
}
