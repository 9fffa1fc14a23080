package recent

import "testing"

func TestKeepsWhatIsUsed(t *testing.T) {
	m := Map[int, string]{Bound: 10}
	m.Put(0, "kept")
	for i := 1; i < 1000; i++ {
		m.Put(i, "new")
		if v, ok := m.Get(0); !ok || v != "kept" {
			t.Fatalf("after %d others: %q %v", i, v, ok)
		}
		if m.Len() > 10 {
			t.Fatalf("%d entries, bound is 10", m.Len())
		}
	}
	if _, ok := m.Get(5); ok {
		t.Error("an entry that nobody used is still there")
	}
	if _, ok := m.Get(999); !ok {
		t.Error("the newest entry is gone")
	}
}

func TestDeleteAndClear(t *testing.T) {
	m := Map[string, int]{Bound: 2}
	m.Put("a", 1)
	m.Put("b", 2) // moves a to the old half
	m.Delete("a")
	m.Delete("b")
	if m.Len() != 0 {
		t.Errorf("%d entries after Delete", m.Len())
	}
	m.Put("c", 3)
	m.Clear()
	if _, ok := m.Get("c"); ok {
		t.Error("found after Clear")
	}
}

func TestNegativeBoundKeepsNothing(t *testing.T) {
	m := Map[string, int]{Bound: -1}
	m.Put("a", 1)
	if _, ok := m.Get("a"); ok {
		t.Error("found")
	}
}
