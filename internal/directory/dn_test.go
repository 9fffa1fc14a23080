package directory

import (
	"bytes"
	"encoding/hex"
	"runtime"
	"strings"
	"testing"
)

// nestedBER is BER of so many levels around size octets.
func nestedBER(size, depth int) []byte {
	element := func(tag byte, content []byte) []byte {
		n := len(content)
		return append([]byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}, content...)
	}
	inner := element(0x04, make([]byte, size))
	for range depth {
		inner = element(0x30, inner)
	}
	return inner
}

// allocated is how many octets do takes.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A copy for each level would be 57 MiB of one name, before anybody has shown
// anything.
func TestNameThatUnfoldsTakesNoMemory(t *testing.T) {
	for name, typed := range map[string]string{
		"nested":         "cn=#" + hex.EncodeToString(nestedBER(20_000, 900)),
		"nested, short":  "uid=#" + hex.EncodeToString(nestedBER(10, 100)),
		"many parts":     strings.Repeat("a=b,", 1<<18) + "c=d",
		"a length of it": "cn=#04847fffffff",
	} {
		t.Run(name, func(t *testing.T) {
			took := allocated(func() {
				if _, err := ParseDN(typed); err == nil {
					t.Error("taken for a DN")
				}
			})
			if took > 64<<10 {
				t.Errorf("took %d octets", took)
			}
			took = allocated(func() { site.Canonical(typed) })
			if most := uint64(8*len(typed) + 64<<10); took > most { // it is folded
				t.Errorf("the name took %d octets, more than %d", took, most)
			}
		})
	}
}

func TestParseDN(t *testing.T) {
	for _, text := range []string{
		"", " ", "uid=alice,ou=people,dc=example", "uid=#0405616c696365", "UID=#0C05616C696365,dc=jp", `cn=a\2c#\ +uid=b`, `cn=\#30`, "cn= #30",
		"uid=" + strings.Repeat(`\e3\81\82`, maxName/3) + ",ou=people," + site.Base,
		strings.Repeat("dc=x,", maxParts-1) + "dc=x",
	} {
		if _, err := ParseDN(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{
		"nonsense", "uid=a,", "uid=#30", "uid=#3003040161", "cn=x+uid=#2403040161,dc=jp", "a=b,c=#", "=#ff00", "uid=#a003040161", "uid=#0405616c69636500",
		"uid=" + strings.Repeat("x", maxDN), strings.Repeat("dc=x,", maxParts) + "dc=x", strings.Repeat("dc=x+", maxParts) + "dc=x",
	} {
		if dn, err := ParseDN(text); err == nil {
			t.Errorf("%q is read as %v", text, dn)
		}
	}
}

// Whatever is typed, reading it takes memory by its size, and no more.
func FuzzParseDN(f *testing.F) {
	f.Add("uid=alice,ou=people,dc=example,dc=ac,dc=jp")
	f.Add("uid=#0405616c696365+cn=#3003040161")
	f.Add("cn=#" + hex.EncodeToString(nestedBER(10, 20)))
	f.Add("=#24=#0400," + string(bytes.Repeat([]byte("a=b+"), 40)))
	f.Fuzz(func(t *testing.T, text string) {
		var octets, parts int
		dn, err := ParseDN(text)
		if err != nil {
			return
		}
		for _, rdn := range dn.RDNs {
			for _, a := range rdn.Attributes {
				octets += len(a.Type) + len(a.Value)
				parts++
			}
		}
		if octets > 3*maxDN || parts > maxParts {
			t.Errorf("%q has %d octets in %d parts", text, octets, parts)
		}
	})
}
