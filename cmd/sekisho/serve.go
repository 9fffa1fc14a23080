package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"sekisho/gate"
	"sekisho/internal/config"
	"sekisho/internal/directory"
	"sekisho/internal/metrics"
	"sekisho/internal/store"
	"sekisho/radiusd"
)

const drainFor = 10 * time.Second

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "serve",
		GroupID: "run",
		Short:   "Serve until SIGTERM; SIGHUP reloads rules, zones, clients and secrets",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := open(cmd.Context(), configFile(cmd), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			for _, line := range s.listeners() {
				fmt.Fprintln(cmd.OutOrStdout(), line)
			}
			return s.run(cmd.Context())
		},
	}
}

// server is the house with its doors open.
type server struct {
	*house
	file   string
	log    *slog.Logger
	people *directory.Local
	gate   *gate.Gate
	radius *radiusd.Server
	watch  *http.Server
	socket net.Listener // of watch; nil: off
	failed chan error
}

// open puts the house together and binds every listener; nothing is answered
// before run.
func open(ctx context.Context, file string, logTo io.Writer) (*server, error) {
	h, err := openHouse(ctx, file, store.Options{Exclusive: true})
	if err != nil {
		return nil, err
	}
	log := newLog(h.cfg.Log, logTo)
	registry := metrics.New()
	people := h.directory()
	people.Log = log
	s := &server{house: h, file: file, log: log, people: people, failed: make(chan error, 2)}
	s.gate = &gate.Gate{
		Store: h.store, Directory: people, Ring: h.ring, Log: log, Now: h.now,
		Metrics: metrics.NewDecisions(registry), Language: h.cfg.Site.Languages[0],
		Window: window(h.cfg.OTP), Throttle: throttle(h.cfg.Throttle),
	}
	s.radius = &radiusd.Server{
		Gate: s.gate, Log: log, Metrics: registry, Workers: h.cfg.Radius.Workers,
	}
	if err := errors.Join(s.apply(h.cfg), s.gate.Start(ctx), s.listen(registry)); err != nil {
		s.gate.Close()
		h.close()
		return nil, err
	}
	for _, w := range h.cfg.Warnings {
		log.Warn(w.Error())
	}
	return s, nil
}

// apply puts what a reload may change into force.
func (s *server) apply(cfg *config.Config) error {
	clients := make([]radiusd.Client, len(cfg.Radius.Clients))
	for i, c := range cfg.Radius.Clients {
		clients[i] = radiusd.Client{
			Name: c.Name, Prefix: c.Prefix, Secrets: c.Secrets, Service: c.Service, Zone: c.Zone, Separator: c.Separator,
			AllowMissingMA: c.AllowMissingMA, Proxy: c.Proxy, NoClass: c.NoClass, RejectDelay: c.RejectDelay,
		}
	}
	list, err := radiusd.NewClients(clients)
	if err != nil {
		return err
	}
	s.gate.SetRules(cfg.Policy(), cfg.Zones())
	s.radius.SetClients(list)
	return nil
}

func (s *server) listen(registry *prometheus.Registry) error {
	if err := s.radius.Listen(s.cfg.Radius.Auth); err != nil {
		return err
	}
	if err := s.listenWatch(registry); err != nil {
		s.radius.Shutdown(context.Background())
		return err
	}
	return nil
}

// listeners tells what is open, a line each.
func (s *server) listeners() []string {
	var lines []string
	for _, addr := range s.radius.Addrs() {
		lines = append(lines, fmt.Sprintf("radius  udp %s", addr))
	}
	if s.socket != nil {
		lines = append(lines, fmt.Sprintf("metrics tcp %s", s.socket.Addr()))
	}
	return lines
}

// run serves until the context ends, then drains.
func (s *server) run(ctx context.Context) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	go func() { s.failed <- s.radius.Serve() }()
	if s.watch != nil {
		go func() {
			if err := s.watch.Serve(s.socket); !errors.Is(err, http.ErrServerClosed) {
				s.failed <- fmt.Errorf("serve metrics: %w", err)
			}
		}()
	}
	notify("READY=1")
	for {
		select {
		case <-hangup:
			s.reload()
		case err := <-s.failed:
			return errors.Join(err, s.drain())
		case <-ctx.Done():
			return s.drain()
		}
	}
}

// reload reads the configuration again. A faulty one changes nothing.
func (s *server) reload() {
	cfg, err := config.Load(s.file)
	if err == nil {
		err = s.apply(cfg)
	}
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			s.log.Error("not reloaded, the old configuration stays in force", "error", line)
		}
		return
	}
	s.log.Info("reloaded", "rules", len(cfg.Rules), "clients", len(cfg.Radius.Clients))
}

// drain answers what is in work and closes everything.
func (s *server) drain() error {
	notify("STOPPING=1")
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	err := s.radius.Shutdown(ctx)
	if s.watch != nil {
		err = errors.Join(err, s.watch.Shutdown(ctx))
	}
	s.gate.Close()
	s.people.Close()
	s.house.close()
	s.log.Info("stopped")
	return err
}

// notify tells systemd, where it listens (sd_notify(3)).
func notify(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		return
	}
	defer conn.Close()
	conn.Write([]byte(state))
}

// window: in the gate 0 is the default and less than 0 is none.
func window(cfg config.OTP) int {
	if cfg.Window == 0 {
		return -1
	}
	return cfg.Window
}

func throttle(cfg config.Throttle) gate.Throttle {
	return gate.Throttle{
		Off: !cfg.Enabled, DryRun: cfg.DryRun, First: cfg.First, Longest: cfg.Longest,
		Spray: cfg.Spray, Window: cfg.SprayWindow, CodesADay: cfg.CodesADay, Never: cfg.Never,
	}
}
