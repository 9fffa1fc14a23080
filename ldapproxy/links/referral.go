package links

import "sekisho/ldapproxy/wire"

// referredElsewhere appends a response without its referral: a client chases
// one with the password and the code that it has, to a server where no code
// is asked for. One that was nothing but a referral gets the code that is
// given.
func referredElsewhere(dst, frame []byte, code int) ([]byte, error) {
	r, err := wire.ParseResponse(frame)
	if err != nil {
		return dst, err
	}
	if r.Code == wire.ResultReferral {
		r.Code, r.Diagnostic = code, []byte("the directory refers elsewhere")
	}
	return r.Append(dst), nil
}
