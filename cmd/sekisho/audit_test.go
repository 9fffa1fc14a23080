package main

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestParseWhen(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*3600)
	now := time.Date(2026, 4, 1, 12, 30, 0, 0, tokyo)
	for text, want := range map[string]time.Time{
		"":                     {},
		"24h":                  now.Add(-24 * time.Hour),
		"90m":                  now.Add(-90 * time.Minute),
		"7d":                   time.Date(2026, 3, 25, 12, 30, 0, 0, tokyo),
		"2026-03-01":           time.Date(2026, 3, 1, 0, 0, 0, 0, tokyo),
		"2026-03-01T08:30":     time.Date(2026, 3, 1, 8, 30, 0, 0, tokyo),
		"2026-03-01 08:30":     time.Date(2026, 3, 1, 8, 30, 0, 0, tokyo),
		"2026-03-01 08:30:15":  time.Date(2026, 3, 1, 8, 30, 15, 0, tokyo),
		"2026-03-01T08:30:15":  time.Date(2026, 3, 1, 8, 30, 15, 0, tokyo),
		"2026-03-01T08:30:15Z": time.Date(2026, 3, 1, 8, 30, 15, 0, time.UTC),
	} {
		if got, err := parseWhen(text, now, 0); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	if got, _ := parseWhen("2026-03-31", now, 1); !got.Equal(time.Date(2026, 4, 1, 0, 0, 0, 0, tokyo)) {
		t.Errorf("the end of a day: %v", got)
	}
	for _, text := range []string{"yesterday", "-3h", "-3d", "2026-13-01", "2026-02-30", "8:30", "d"} {
		if got, err := parseWhen(text, now, 0); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestFollowsUntilInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(context.Background())
	tick := make(chan time.Time, 3)
	for range 3 {
		tick <- time.Time{}
	}
	looks := 0
	err := follows(ctx, tick, func() error {
		if looks++; looks == 3 {
			interrupt()
			return context.Canceled // as the store says it
		}
		return nil
	})
	if err != nil || looks != 3 {
		t.Errorf("%d looks, %v", looks, err)
	}
	failed := errors.New("the pipe is closed")
	tick <- time.Time{}
	if err := follows(context.Background(), tick, func() error { return failed }); !errors.Is(err, failed) {
		t.Errorf("error %v", err)
	}
}
