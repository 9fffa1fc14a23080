package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"sekisho/internal/store"
	"sekisho/radiusd"
)

// keepEvery is how often what was seen of the RADIUS clients is written, for
// `sekisho clients` and for the next start.
const keepEvery = 10 * time.Second

// readiness is what was kept of the clients, by name.
func readiness(ctx context.Context, st *store.Store) (map[string]radiusd.Readiness, error) {
	kept, err := st.Readiness(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what is known of the RADIUS clients: %w", err)
	}
	known := make(map[string]radiusd.Readiness)
	for name, text := range kept {
		var r radiusd.Readiness
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return nil, fmt.Errorf("read what is known of the RADIUS client %s: %w", name, err)
		}
		known[name] = r
	}
	return known, nil
}

// remember goes on from what was kept before. Nobody is kept out for want of
// it.
func (s *server) remember(ctx context.Context) {
	known, err := readiness(ctx, s.store)
	if err != nil {
		s.log.Warn("what was seen of the RADIUS clients is counted anew", "error", err)
		return
	}
	var list []radiusd.Readiness
	for _, r := range known {
		list = append(list, r)
	}
	s.radius.Remember(list)
}

// keep writes what is known of the clients where there is something new.
func (s *server) keep(ctx context.Context) {
	fresh := make(map[string]string)
	for _, r := range s.radius.Readiness() {
		at := r.At
		if r.At = (time.Time{}); reflect.DeepEqual(r, s.kept[r.Client]) {
			continue
		}
		s.kept[r.Client] = r
		r.At = at
		text, err := json.Marshal(r)
		if err != nil {
			s.log.Warn("what was seen of a RADIUS client can't be written", "client", r.Client, "error", err)
			continue
		}
		fresh[r.Client] = string(text)
	}
	if len(fresh) == 0 {
		return
	}
	if err := s.store.PutReadiness(ctx, fresh); err != nil {
		s.log.Warn("what was seen of the RADIUS clients can't be written", "error", err)
		clear(s.kept) // so that it is tried again
	}
}
