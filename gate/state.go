package gate

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"time"

	"sekisho/internal/keyring"
	"sekisho/internal/reason"
	"sekisho/internal/store"
)

// asked is what the rounds of one sign-in know of each other. The server
// keeps none of it: it travels, sealed, in the State, so any node that has
// the keys can go on.
type asked struct {
	times      int       // that a code was asked for
	since      time.Time // the first round
	password   []byte    // as it was typed there
	generation int64     // of the person when it was last asked; 0: nobody
	nonce      []byte    // by which the State that came back is known; nil: none did
}

const (
	stateUse     = "radius state"
	stateVersion = 1
	stateFor     = 5 * time.Minute // from the first round on
	askedMost    = 3
	keptMost     = 128 // octets: no more fit a User-Password (RFC 2865 §5.2)
	nonceSize    = 16
	bindingSize  = 12
	stateSize    = 1 + 1 + 4 + 8 + bindingSize + 1 + keptMost

	// apart is how far the clocks of two nodes may differ.
	apart = time.Minute
)

// state seals what the next round needs. As text it has 251 octets, whatever
// is in it: a State holds 253 (RFC 2865 §5.24), and its length must not tell
// that of the password. It is text because ocserv keeps a State as a C string,
// which ends at a NUL.
func (a *attempt) state() []byte {
	k, b := a.asked, make([]byte, 0, stateSize)
	b = append(b, stateVersion, byte(k.times+1))
	b = binary.BigEndian.AppendUint32(b, uint32(k.since.Unix()))
	b = binary.BigEndian.AppendUint64(b, uint64(a.generation()))
	b = append(b, a.binding()...)
	b = append(b, byte(len(k.password)))
	b = append(b, k.password...)
	defer clear(b)
	return encoding.AppendEncode(nil, a.gate.Ring.Seal(stateUse, keyring.Row{}, b[:stateSize]))
}

// opened reads the State that came back. A reason refuses it; it is no guess.
func (a *attempt) opened() (*asked, reason.Code) {
	sealed, err := encoding.Strict().AppendDecode(nil, a.r.State)
	if err != nil || encoding.EncodedLen(len(sealed)) != len(a.r.State) { // it passes over line ends
		return nil, reason.ForeignState
	}
	b, err := a.gate.Ring.Open(stateUse, keyring.Row{}, sealed)
	if err != nil || len(b) != stateSize || b[0] != stateVersion {
		return nil, reason.ForeignState
	}
	// Each is sealed with a random nonce of its own, so no two are alike.
	sum := sha256.Sum256(sealed)
	k := &asked{times: int(b[1]), nonce: sum[:nonceSize]}
	b = b[2:]
	k.since, b = time.Unix(int64(binary.BigEndian.Uint32(b)), 0), b[4:]
	k.generation, b = int64(binary.BigEndian.Uint64(b)), b[8:]
	binding, b := b[:bindingSize], b[bindingSize:]
	k.password = b[1 : 1+min(int(b[0]), keptMost)]
	why := reason.Code("")
	switch age := a.at.Sub(k.since); {
	case subtle.ConstantTimeCompare(binding, a.binding()) != 1:
		why = reason.ForeignState
	case age >= stateFor, age < -apart:
		why = reason.StateExpired
	}
	if why != "" {
		clear(k.password)
		return nil, why
	}
	return k, ""
}

// binding is what all rounds must have in common: who asks, for whom, from
// where. Sealed with it, the State of one is nothing to another. A name is as
// long as it likes, so it is not there itself.
func (a *attempt) binding() []byte {
	h := sha256.New()
	for _, part := range []string{a.r.Door, a.r.Client, a.r.Service, a.name, a.source, a.zone.Name} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write([]byte(part))
	}
	return h.Sum(nil)[:bindingSize]
}

// generation is the person's; 0: nobody has the name.
func (a *attempt) generation() int64 {
	if a.account == nil {
		return 0
	}
	return a.account.Generation
}

// spend takes the State that came back, whatever becomes of the
// attempt: else the State could be answered again until one answer fits.
func (k *asked) spend() *store.Spend {
	if k == nil || k.nonce == nil {
		return nil
	}
	return &store.Spend{Key: k.nonce, Until: k.since.Add(stateFor + apart)}
}
