package tree

import (
	"hash/maphash"
	"slices"
)

// fillIndex prepares the equality filters that programs ask for.
func (t *tree) fillIndex() {
	t.index = make([]uint64, 0, 5*len(t.people)+4+2*len(t.services)+2*len(t.groups))
	var key []byte
	add := func(id uint32, a attr, value string) {
		key = prepare(append(key[:0], byte(a)), value, true)
		t.index = append(t.index, t.hash(key)|uint64(id))
	}
	for id := idBase; id < firstID; id++ {
		add(id, attrEntryUUID, t.uuid(id))
	}
	for i := range t.services {
		add(firstID+uint32(i), t.services[i].kind, t.services[i].name)
		add(firstID+uint32(i), attrEntryUUID, t.uuid(firstID+uint32(i)))
	}
	for i := range t.groups {
		add(t.groupsAt+uint32(i), attrCN, t.groups[i].name)
		add(t.groupsAt+uint32(i), attrEntryUUID, t.uuid(t.groupsAt+uint32(i)))
	}
	for i := range t.people {
		id, p := t.peopleAt+uint32(i), &t.people[i]
		add(id, attrUID, p.name)
		add(id, attrCN, p.fullName())
		add(id, attrEntryUUID, t.uuid(id))
		if p.mail != "" {
			add(id, attrMail, p.mail)
		}
		if p.uidNumber != 0 {
			add(id, attrUIDNumber, decimal(p.uidNumber))
		}
	}
	slices.Sort(t.index)
}

func (t *tree) hash(key []byte) uint64 { return maphash.Bytes(t.seed, key) &^ (1<<32 - 1) }

// indexed gives the ids that may have this prepared value, in order, and
// perhaps a few others.
func (t *tree) indexed(a attr, value string) []uint32 {
	var room [64]byte
	hash := t.hash(append(append(room[:0], byte(a)), value...))
	at, _ := slices.BinarySearch(t.index, hash)
	var ids []uint32
	for ; at < len(t.index) && t.index[at]&^(1<<32-1) == hash; at++ {
		ids = append(ids, uint32(t.index[at]))
	}
	return slices.Compact(ids)
}
