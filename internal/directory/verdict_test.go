package directory

import (
	"errors"
	"testing"
)

func TestBindVerdict(t *testing.T) {
	active := func(data string) string {
		return "80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data " + data + ", v3839\x00"
	}
	policy := func(b ...byte) []byte { return append([]byte{0x30, byte(len(b))}, b...) }
	fails := errors.New("not judged")
	for _, test := range []struct {
		code       uint16
		diagnostic string
		policy     []byte
		expired    bool
		want       Verdict
		err        error
	}{
		{code: 0, want: Right},
		{code: 49, want: Wrong},
		{code: 49, diagnostic: active("52e"), want: Wrong},
		{code: 49, diagnostic: active("525"), want: Wrong},
		{code: 49, diagnostic: active("530"), want: Shut},
		{code: 49, diagnostic: active("531"), want: Shut},
		{code: 49, diagnostic: active("532"), want: Expired},
		{code: 49, diagnostic: active("533"), want: Shut},
		{code: 49, diagnostic: active("701"), want: Shut},
		{code: 49, diagnostic: active("773"), want: MustChange},
		{code: 49, diagnostic: active("775"), want: Locked},
		{code: 49, diagnostic: active("7730"), want: Wrong},
		{code: 49, diagnostic: "data 773", want: Wrong},
		{code: 0, diagnostic: active("775"), want: Right},

		{code: 0, policy: policy(), want: Right},
		{code: 0, policy: policy(0xa0, 3, 0x80, 1, 60), want: Right}, // expires in a minute
		{code: 0, policy: policy(0xa0, 3, 0x81, 1, 2), want: Right},  // two grace logins
		{code: 0, policy: policy(0x81, 1, 0), want: Expired},
		{code: 0, policy: policy(0x81, 1, 1), want: Locked},
		{code: 0, policy: policy(0x81, 1, 2), want: MustChange},
		{code: 0, policy: policy(0xa0, 3, 0x80, 1, 60, 0x81, 1, 2), want: MustChange},
		{code: 0, policy: policy(0x81, 1, 3), want: Right}, // about another operation
		{code: 49, policy: policy(0x81, 1, 0), want: Expired},
		{code: 49, policy: policy(0x81, 1, 1), want: Locked},
		{code: 49, policy: policy(0x81, 1, 2), want: Wrong}, // no such bind succeeds
		{code: 49, policy: policy(0xa0, 3, 0x80, 1, 60), want: Wrong},
		{code: 0, expired: true, want: MustChange},
		{code: 49, expired: true, want: Expired},
		{code: 49, expired: true, policy: policy(0x81, 1, 1), want: Locked},

		// As 389-ds writes them.
		{code: 0, policy: []byte("\x30\x84\x00\x00\x00\x0c\xa0\x84\x00\x00\x00\x03\x80\x01\x00\x81\x01\x02"), expired: true, want: MustChange},
		{code: 49, policy: []byte("\x30\x84\x00\x00\x00\x03\x81\x01\x00"), diagnostic: "password expired!", want: Expired},

		// What is no policy response says nothing.
		{code: 0, policy: []byte{}, want: Right},
		{code: 0, policy: []byte{0x30}, want: Right},
		{code: 0, policy: []byte{0x30, 9, 0x81, 1, 2}, want: Right},
		{code: 0, policy: policy(0xa0, 99, 0x81, 1, 2), want: Right},
		{code: 0, policy: policy(0xa0), want: Right},
		{code: 0, policy: policy(0x81, 2, 0, 2), want: Right},
		{code: 0, policy: policy(0x81, 1), want: Right},
		{code: 0, policy: append(policy(0x81, 1, 2), 0), want: Right},
		{code: 0, policy: []byte("\x30\x84\xff\xff\xff\xff\x81\x01\x02"), want: Right},
		{code: 0, policy: []byte("\x30\x84\x00"), want: Right},

		{code: 32, want: Wrong},
		{code: 48, want: Wrong},
		{code: 19, diagnostic: "Exceed password retry limit. Please try later.", want: Locked},
		{code: 53, diagnostic: "Account inactivated. Contact system administrator.", want: Locked},
		{code: 53, policy: policy(0x81, 1, 1), want: Locked},
		{code: 53, diagnostic: "no", err: ErrName},
		{code: 19, diagnostic: "no", err: ErrName},
		{code: 50, err: ErrName},
		{code: 34, err: ErrName},
		{code: 10, err: fails}, {code: 1, err: fails}, {code: 2, err: fails}, {code: 8, err: fails}, {code: 13, err: fails},
		{code: 14, err: fails}, {code: 51, err: fails}, {code: 52, err: fails}, {code: 80, err: fails}, {code: 118, err: fails},
	} {
		got, err := BindVerdict(test.code, test.diagnostic, test.policy, test.expired)
		if got != test.want || (err != nil) != (test.err != nil) || errors.Is(err, ErrName) != errors.Is(test.err, ErrName) {
			t.Errorf("%d %q %x %v: %v, %v; want %v, %v", test.code, test.diagnostic, test.policy, test.expired, got, err, test.want, test.err)
		}
	}
}

func TestProved(t *testing.T) {
	for v, want := range map[Verdict]bool{Wrong: false, Right: true, Expired: true, MustChange: true, Shut: true, Locked: false} {
		if v.Proved() != want {
			t.Errorf("%d: %v", v, v.Proved())
		}
	}
}
