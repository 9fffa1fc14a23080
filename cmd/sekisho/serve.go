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
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"sekisho/gate"
	"sekisho/internal/config"
	"sekisho/internal/directory"
	"sekisho/internal/metrics"
	"sekisho/internal/store"
	"sekisho/ldapproxy"
	"sekisho/ldapproxy/insight"
	"sekisho/ldapproxy/tree"
	"sekisho/radiusd"
	"sekisho/weblogin"
)

const drainFor = 10 * time.Second

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "serve",
		GroupID: "run",
		Short:   "Serve until SIGTERM; SIGHUP reloads rules, zones, clients, applications and certificates",
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
	file     string
	log      *slog.Logger
	registry *prometheus.Registry
	local    *directory.Local // nil: the people are in the directory behind
	gate     *gate.Gate
	radius   *radiusd.Server
	ldap     *ldapproxy.Server
	binds    []ldapproxy.Listener // of ldap
	web      *weblogin.Server
	sites    []webSite                     // of web
	opened   []*listener                   // of ldap and web
	applied  atomic.Pointer[config.Config] // what a reload last put into force
	watch    *http.Server
	socket   net.Listener                 // of watch; nil: off
	kept     map[string]radiusd.Readiness // of each RADIUS client, what was written last
	keptApps map[string]insight.App       // likewise, of each application
	failed   chan error                   // has room for whatever may fail
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
	s := &server{
		house: h, file: file, log: log, registry: registry, kept: make(map[string]radiusd.Readiness),
		keptApps: make(map[string]insight.App),
		failed:   make(chan error, 3+len(h.cfg.Web.Listeners)),
	}
	s.gate = &gate.Gate{
		Store: h.store, Directory: s.people(), Ring: h.ring, Log: log, Now: h.now,
		Metrics: metrics.NewDecisions(registry), Language: h.cfg.Site.Languages[0],
		Window: window(h.cfg.OTP), Throttle: throttle(h.cfg.Throttle), Watch: h.cfg.Directory.Watch,
	}
	s.radius = &radiusd.Server{
		Gate: s.gate, Sessions: s.gate, Log: log, Metrics: registry, Workers: h.cfg.Radius.Workers,
	}
	s.ldap = &ldapproxy.Server{
		Gate: s.gate, Base: h.cfg.LDAP.Base, Posix: tree.Posix(h.cfg.LDAP.Posix), Log: log, Metrics: registry,
	}
	if h.behind != nil {
		s.ldap.Upstream = relayed(h.cfg.Directory, h.servers, h.behind)
		measure(registry, h.servers)
	} else {
		s.ldap.People = s.local
	}
	s.web = browserDoor(h, s.gate, log, registry)
	err = errors.Join(s.apply(h.cfg), s.gate.Start(ctx))
	if err == nil {
		err = s.listen()
	}
	if err != nil {
		s.gate.Close()
		h.close()
		return nil, err
	}
	if h.behind != nil {
		s.greet(ctx)
		h.servers.Start()
	} else {
		s.local.Start()
	}
	s.remember(ctx)
	for _, w := range h.cfg.Warnings {
		log.Warn(w.Error())
	}
	return s, nil
}

// people are who they are for as long as this serves.
func (s *server) people() directory.Directory {
	if s.behind != nil {
		s.servers.Log = s.log
		return s.behind
	}
	s.local = s.localPeople()
	s.local.Log = s.log
	return s.local
}

// run serves until the context ends, then drains.
func (s *server) run(ctx context.Context) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	go func() { s.failed <- s.radius.Serve() }()
	if len(s.binds) > 0 {
		go func() { s.failed <- s.ldap.Serve(s.binds...) }()
	}
	for _, site := range s.sites {
		go s.serve("web", site.serve)
	}
	if s.watch != nil {
		go s.serve("metrics", func() error { return s.watch.Serve(s.socket) })
	}
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	notify("READY=1")
	for {
		select {
		case <-tick.C:
			s.keep(ctx)
		case <-hangup:
			s.reload()
		case err := <-s.failed:
			return errors.Join(err, s.drain())
		case <-ctx.Done():
			return s.drain()
		}
	}
}

// serve tells when an HTTP server fails.
func (s *server) serve(what string, serve func() error) {
	if err := serve(); !errors.Is(err, http.ErrServerClosed) {
		s.failed <- fmt.Errorf("serve %s: %w", what, err)
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
	for _, o := range s.opened {
		if o.certificate == nil {
			continue
		}
		if err := o.certificate.Reload(); err != nil {
			s.log.Error("the new certificate can't be used, the old one stays in force", "error", err)
		}
	}
	s.log.Info("reloaded", "rules", len(cfg.Rules), "clients", len(cfg.Radius.Clients), "applications", len(cfg.LDAP.Apps))
	if !reflect.DeepEqual(fixed(s.cfg), fixed(cfg)) {
		s.log.Warn("only rules, zones, clients, applications and certificates are reloaded; what else was changed takes a restart")
	}
}

// fixed is the configuration without what a reload puts into force.
func fixed(cfg *config.Config) config.Config {
	c := config.Config{
		Site: cfg.Site, Store: cfg.Store, Directory: cfg.Directory, Radius: cfg.Radius, LDAP: cfg.LDAP, Web: cfg.Web, Throttle: cfg.Throttle,
		Password: cfg.Password, OTP: cfg.OTP, Log: cfg.Log, Metrics: cfg.Metrics, Process: cfg.Process,
	}
	c.Radius.Clients, c.LDAP.Apps = nil, nil
	return c
}

// drain answers what is in work and closes everything.
func (s *server) drain() error {
	notify("STOPPING=1")
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	// Together: what one has in work must not use up the time of another.
	doors := []func(context.Context) error{s.radius.Shutdown, s.ldap.Shutdown}
	for _, site := range s.sites {
		doors = append(doors, site.Shutdown)
	}
	closed := make(chan error)
	for _, shutdown := range doors {
		go func() { closed <- shutdown(ctx) }()
	}
	var err error
	for range doors {
		err = errors.Join(err, <-closed)
	}
	if s.watch != nil {
		err = errors.Join(err, s.watch.Shutdown(ctx))
	}
	s.keep(ctx)
	s.gate.Close()
	if s.local != nil {
		s.local.Close()
	} else {
		s.servers.Close()
	}
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
