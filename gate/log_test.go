package gate

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// logged is what the gate logs from now on.
type logged struct{ bytes.Buffer }

func (w *world) logged() *logged {
	l := new(logged)
	w.Log = slog.New(slog.NewTextHandler(l, nil))
	return l
}

func (l *logged) wants(t *testing.T, lines int, parts ...string) {
	t.Helper()
	if n := strings.Count(l.String(), "\n"); n != lines {
		t.Errorf("logged %d lines, want %d:\n%s", n, lines, l)
	}
	for _, part := range parts {
		if strings.Count(l.String(), part) != lines {
			t.Errorf("logged without %q:\n%s", part, l)
		}
	}
}
