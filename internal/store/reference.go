package store

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"strings"
)

// A reference is the event's id, shuffled: 40 bits as eight characters. The
// shuffle is a keyed Feistel network, so references are unique, tell nothing
// of how many there are, and are found again without an index.

// referenceAlphabet leaves out I, L, O and U (Crockford's base 32): what is
// read over a telephone must not be mistaken.
const referenceAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const (
	referenceBits = 40
	halfBits      = referenceBits / 2
	halfMask      = 1<<halfBits - 1
	rounds        = 4
)

// ErrReference means that the text can't be a reference.
var ErrReference = errors.New("not a reference: want eight letters and digits like 7F3K-92QD")

// shuffle is a permutation of the numbers below 2^40, keyed by AES-128.
type shuffle struct{ block cipher.Block }

const shuffleKey = 16 // octets

func newShuffle(key []byte) (shuffle, error) {
	block, err := aes.NewCipher(key)
	if err != nil || len(key) != shuffleKey {
		return shuffle{}, errors.New("the key of the references is damaged: restore the store")
	}
	return shuffle{block}, nil
}

// round mixes one half with its place; room is what the cipher works in.
func (k shuffle) round(room *[aes.BlockSize]byte, i int, half uint64) uint64 {
	binary.BigEndian.PutUint64(room[:], uint64(i))
	binary.BigEndian.PutUint64(room[8:], half)
	k.block.Encrypt(room[:], room[:])
	return binary.BigEndian.Uint64(room[:]) & halfMask
}

func (k shuffle) forward(n uint64) uint64 {
	room := new([aes.BlockSize]byte)
	left, right := n>>halfBits&halfMask, n&halfMask
	for i := range rounds {
		left, right = right, left^k.round(room, i, right)
	}
	return left<<halfBits | right
}

func (k shuffle) back(n uint64) uint64 {
	room := new([aes.BlockSize]byte)
	left, right := n>>halfBits&halfMask, n&halfMask
	for i := rounds - 1; i >= 0; i-- {
		left, right = right^k.round(room, i, left), left
	}
	return left<<halfBits | right
}

func (k shuffle) text(id int64) string {
	n := k.forward(uint64(id))
	var out [9]byte
	for i := 8; i >= 0; i-- {
		if i == 4 {
			out[i] = '-'
			continue
		}
		out[i] = referenceAlphabet[n&31]
		n >>= 5
	}
	return string(out[:])
}

func (k shuffle) parse(text string) (int64, error) {
	var n uint64
	digits := 0
	for _, r := range strings.ToUpper(strings.TrimSpace(text)) {
		switch r {
		case '-', ' ':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		i := strings.IndexRune(referenceAlphabet, r)
		if i < 0 {
			return 0, ErrReference
		}
		n = n<<5 | uint64(i)
		digits++
	}
	if digits != 8 {
		return 0, ErrReference
	}
	return int64(k.back(n)), nil
}
