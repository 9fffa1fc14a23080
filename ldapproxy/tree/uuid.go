package tree

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
)

// uuid is an entry's UUID of version 5 (RFC 9562 §5.5): it follows from the
// base and the name alone, so it is the same on every server and after a
// restore; a name that is given to somebody else keeps it.
func (t *tree) uuid(id uint32) string {
	var name string
	switch {
	case id == idBase:
	case id < firstID:
		name = containers[id-idPeople]
	case id < t.groupsAt:
		name = "services/" + t.service(id).kind.name() + "=" + t.service(id).name
	case id < t.peopleAt:
		name = "groups/" + t.group(id).name
	default:
		name = "people/" + t.person(id).name
	}
	raw := uuid5(t.space, name)
	var text [36]byte
	hex.Encode(text[0:8], raw[0:4])
	hex.Encode(text[9:13], raw[4:6])
	hex.Encode(text[14:18], raw[6:8])
	hex.Encode(text[19:23], raw[8:10])
	hex.Encode(text[24:36], raw[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// uuidSpace is the name space of a base, itself in the one that RFC 9562 §6.6
// has for DNs.
func uuidSpace(base [][]string) [16]byte {
	dns := [16]byte{0x6b, 0xa7, 0xb8, 0x14, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	var name []byte
	for _, rdn := range base {
		name = append(append(name, strings.Join(rdn, "+")...), ',')
	}
	return uuid5(dns, string(name))
}

func uuid5(space [16]byte, name string) (id [16]byte) {
	var room [128]byte
	sum := sha1.Sum(append(append(room[:0], space[:]...), name...))
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}
