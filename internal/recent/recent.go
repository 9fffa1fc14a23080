// Package recent is a bounded map that forgets what was not used lately.
//
// It keeps two halves. What is read or written moves to the young half; when
// that is full it becomes the old half, and what was left in the old one is
// forgotten. A flood of new keys therefore costs a bounded amount of memory
// and no bookkeeping on each access.
package recent

// Map holds at least Bound/2 and at most Bound entries. A Bound of 0 means
// 65,536; below 0 nothing is kept. It is not safe for concurrent use: its
// owner has a lock already.
type Map[K comparable, V any] struct {
	Bound int

	young, old map[K]V
}

// Get returns the value of k.
func (m *Map[K, V]) Get(k K) (V, bool) {
	if v, ok := m.young[k]; ok {
		return v, true
	}
	v, ok := m.old[k]
	if ok {
		m.Put(k, v)
	}
	return v, ok
}

// Put sets the value of k.
func (m *Map[K, V]) Put(k K, v V) {
	bound := m.Bound
	switch {
	case bound < 0:
		return
	case bound == 0:
		bound = 65536
	}
	if _, there := m.young[k]; !there && (m.young == nil || len(m.young) >= max(bound/2, 1)) {
		m.old, m.young = m.young, make(map[K]V)
	}
	m.young[k] = v
}

// Delete forgets k.
func (m *Map[K, V]) Delete(k K) {
	delete(m.young, k)
	delete(m.old, k)
}

// Clear forgets everything.
func (m *Map[K, V]) Clear() { m.young, m.old = nil, nil }

// Len is how many entries are kept; one that was used lately may count twice.
func (m *Map[K, V]) Len() int { return len(m.young) + len(m.old) }
