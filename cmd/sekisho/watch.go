package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"sekisho/gate"
	"sekisho/internal/config"
	"sekisho/internal/metrics"
)

// listenWatch opens /metrics and /healthz, for those who watch the server.
func (s *server) listenWatch() error {
	if s.cfg.Metrics.Listen == "" {
		return nil
	}
	var err error
	if s.socket, err = net.Listen("tcp", s.cfg.Metrics.Listen); err != nil {
		return fmt.Errorf("listen for metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics.Handler(s.registry))
	mux.HandleFunc("GET /healthz", s.health)
	s.watch = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)}
	metrics.Gauge(s.registry, "sekisho_alive", "1 while sign-ins can be settled.", func() float64 {
		if s.gate.Alive() {
			return 1
		}
		return 0
	})
	metrics.Gauge(s.registry, "sekisho_hash_queue", "How much of the password hash queue is taken, 1 is full.", s.pool.Load)
	return nil
}

// health is 200 while sign-ins can be judged, else 503.
func (s *server) health(w http.ResponseWriter, _ *http.Request) {
	clock := s.gate.Clock()
	state := struct {
		Alive  bool       `json:"alive"`
		Clock  gate.Clock `json:"clock"`
		Hashes float64    `json:"hash_queue"`
	}{s.gate.Alive(), clock, s.pool.Load()}
	w.Header().Set("Content-Type", "application/json")
	if !state.Alive || !clock.Steady {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	json.NewEncoder(w).Encode(state)
}

func newLog(cfg config.Log, to io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: cfg.Level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(to, o))
	}
	return slog.New(slog.NewTextHandler(to, o))
}
