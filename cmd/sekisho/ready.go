package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"sekisho/internal/store"
	"sekisho/ldapproxy/insight"
	"sekisho/radiusd"
)

// keepEvery is how often what was seen of the RADIUS clients and applications
// is written, for `sekisho clients`, `sekisho apps` and the next start.
const keepEvery = 10 * time.Second

// ofApp begins the name under which the store keeps an application; no client
// has such a name.
const ofApp = "ldap\t"

// readiness is what was kept of the clients, by name.
func readiness(ctx context.Context, st *store.Store) (map[string]radiusd.Readiness, error) {
	return seen[radiusd.Readiness](ctx, st, "RADIUS client", func(name string) (string, bool) {
		return name, !strings.HasPrefix(name, ofApp)
	})
}

// insights is what was kept of the applications, by name.
func insights(ctx context.Context, st *store.Store) (map[string]insight.App, error) {
	return seen[insight.App](ctx, st, "application", func(name string) (string, bool) {
		return strings.CutPrefix(name, ofApp)
	})
}

// seen reads what was kept of one kind; of tells which it is, and its name.
func seen[T any](ctx context.Context, st *store.Store, kind string, of func(string) (string, bool)) (map[string]T, error) {
	kept, err := st.Readiness(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what is known of each %s: %w", kind, err)
	}
	known := make(map[string]T)
	for key, text := range kept {
		name, ok := of(key)
		if !ok {
			continue
		}
		var one T
		if err := json.Unmarshal([]byte(text), &one); err != nil {
			return nil, fmt.Errorf("read what is known of the %s %s: %w", kind, name, err)
		}
		known[name] = one
	}
	return known, nil
}

// remember goes on from what was kept before. Nobody is kept out for want of
// it.
func (s *server) remember(ctx context.Context) {
	clients, err := readiness(ctx, s.store)
	if err != nil {
		s.log.Warn("what was seen of the RADIUS clients is counted anew", "error", err)
	}
	s.radius.Remember(slices.Collect(maps.Values(clients)))
	apps, err := insights(ctx, s.store)
	if err != nil {
		s.log.Warn("what was seen of the applications is counted anew", "error", err)
	}
	s.ldap.Remember(slices.Collect(maps.Values(apps)))
}

// keep writes what is known where there is something new.
func (s *server) keep(ctx context.Context) {
	fresh := make(map[string]string)
	for _, r := range s.radius.Readiness() {
		at := r.At
		if r.At = (time.Time{}); reflect.DeepEqual(r, s.kept[r.Client]) {
			continue
		}
		s.kept[r.Client] = r
		r.At = at
		s.freshen(fresh, r.Client, r)
	}
	for _, i := range s.ldap.Insights() {
		at := i.At
		if i.At = (time.Time{}); reflect.DeepEqual(i, s.keptApps[i.Name]) {
			continue
		}
		s.keptApps[i.Name] = i
		i.At = at
		s.freshen(fresh, ofApp+i.Name, i)
	}
	if len(fresh) == 0 {
		return
	}
	if err := s.store.PutReadiness(ctx, fresh); err != nil {
		s.log.Warn("what was seen of the RADIUS clients and applications can't be written", "error", err)
		clear(s.kept) // so that it is tried again
		clear(s.keptApps)
	}
}

func (s *server) freshen(fresh map[string]string, key string, seen any) {
	text, err := json.Marshal(seen)
	if err != nil {
		s.log.Warn("what was seen of a RADIUS client or application can't be written", "name", key, "error", err)
		return
	}
	fresh[key] = string(text)
}
