package passwd

import (
	"crypto/rand"
	"math/big"
	"strings"
)

// randomAlphabet leaves out what is misread on paper (0 o, 1 l i) and the
// vowels, so that no word can appear. A symbol carries log2(28) = 4.8 bits.
const randomAlphabet = "bcdfghjkmnpqrstvwxyz23456789"

// Random returns an initial password of n random symbols in groups of four,
// kftm-7xwp-q3hd-29vz. 0 means 16 symbols, 76 bits; fewer than 13, which have
// 62 bits, are never given.
func Random(n int) string {
	if n == 0 {
		n = 16
	}
	n = max(n, 13)
	var b strings.Builder
	size := big.NewInt(int64(len(randomAlphabet)))
	for i := range n {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		k, err := rand.Int(rand.Reader, size)
		if err != nil {
			panic(err) // the reader of crypto/rand never fails
		}
		b.WriteByte(randomAlphabet[k.Int64()])
	}
	return b.String()
}
