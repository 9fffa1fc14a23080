package otp

// Purpose is what the secret of a device is sealed for, by whoever enrols it
// and whoever opens it.
const Purpose = "otp"

// String is the kind as the store and otpauth URLs spell it.
func (k Kind) String() string {
	if k == HOTP {
		return "hotp"
	}
	return "totp"
}

// KindOf reads what [Kind.String] writes.
func KindOf(name string) (Kind, bool) {
	for _, k := range []Kind{TOTP, HOTP} {
		if k.String() == name {
			return k, true
		}
	}
	return TOTP, false
}

// String is the algorithm as the store and otpauth URLs spell it.
func (a Algorithm) String() string {
	switch a {
	case SHA256:
		return "SHA256"
	case SHA512:
		return "SHA512"
	}
	return "SHA1"
}

// AlgorithmOf reads what [Algorithm.String] writes.
func AlgorithmOf(name string) (Algorithm, bool) {
	for _, a := range []Algorithm{SHA1, SHA256, SHA512} {
		if a.String() == name {
			return a, true
		}
	}
	return SHA1, false
}
