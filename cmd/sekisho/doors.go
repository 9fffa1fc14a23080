package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sekisho/gate"
	"sekisho/internal/config"
	"sekisho/ldapproxy"
	"sekisho/policy"
	"sekisho/radiusd"
	"sekisho/weblogin"
)

// apply puts what a reload may change into force.
func (s *server) apply(cfg *config.Config) error {
	clients := make([]radiusd.Client, len(cfg.Radius.Clients))
	for i, c := range cfg.Radius.Clients {
		clients[i] = client(c)
	}
	list, err := radiusd.NewClients(clients)
	if err != nil {
		return err
	}
	apps := make([]ldapproxy.App, len(cfg.LDAP.Apps))
	for i, a := range cfg.LDAP.Apps {
		apps[i] = app(a)
	}
	known, err := ldapproxy.NewApps(apps)
	if err != nil {
		return err
	}
	s.gate.SetRules(cfg.Policy(), cfg.Zones())
	s.radius.SetClients(list)
	s.ldap.SetApps(known)
	if s.behind != nil {
		s.behind.Reserve(reserved(cfg.LDAP))
	}
	s.applied.Store(cfg)
	s.web.SetVPNs(words(cfg))
	s.web.SetPrograms(programs(cfg))
	return nil
}

// browserDoor fills in what the pages say.
func browserDoor(h *house, g *gate.Gate, log *slog.Logger, registry *prometheus.Registry) *weblogin.Server {
	cfg := h.cfg
	w := &weblogin.Server{
		Gate: g, Accounts: h.accounts(), URL: cfg.Web.URL, Log: log, Metrics: registry, RejectDelay: cfg.Web.RejectDelay,
		Site: weblogin.Site{
			Name: cfg.Site.Name, Help: cfg.Site.Help, Languages: cfg.Site.Languages,
			Accent: cfg.Web.Accent, Logo: cfg.Web.Logo, LogoType: cfg.Web.LogoType,
		},
	}
	for _, service := range cfg.Web.Services {
		w.Services = append(w.Services, weblogin.Service(service))
	}
	return w
}

// vpns are what a word opens.
func vpns(clients []config.Client) (list []weblogin.VPN) {
	for _, c := range clients {
		inside := c.Zone != "" && c.Zone != policy.OffCampus // where nobody needs a word
		vpn := weblogin.VPN{Name: c.Service, Title: c.Service}
		if !inside && !slices.Contains(list, vpn) {
			list = append(list, vpn)
		}
	}
	return list
}

// listen binds everything, or nothing.
func (s *server) listen() error {
	if err := s.radius.Listen(s.cfg.Radius.Auth, s.cfg.Radius.Acct); err != nil {
		return err
	}
	for _, listen := range []func() error{s.listenLDAP, s.listenWeb, s.listenWatch} {
		if err := listen(); err != nil {
			s.closeOpened()
			s.radius.Shutdown(context.Background())
			return err
		}
	}
	return nil
}

// listeners tells what is open, a line each.
func (s *server) listeners() []string {
	var lines []string
	auth, acct := s.radius.Addrs()
	for _, addr := range auth {
		lines = append(lines, fmt.Sprintf("radius  udp %s", addr))
	}
	for _, addr := range acct {
		lines = append(lines, fmt.Sprintf("radius-acct udp %s", addr))
	}
	for _, o := range s.opened {
		lines = append(lines, o.String())
	}
	if s.socket != nil {
		lines = append(lines, fmt.Sprintf("metrics tcp %s", s.socket.Addr()))
	}
	return lines
}

// listenLDAP opens the LDAP door where there are listeners.
func (s *server) listenLDAP() error {
	for _, l := range s.cfg.LDAP.Listeners {
		o, err := s.open(l.Listener)
		if err != nil {
			return err
		}
		bound := ldapproxy.Listener{Listener: o.socket, Name: l.URL, StartTLS: !l.TLS, PlainBinds: l.PlainBinds, Zone: l.Zone}
		if o.certificate != nil {
			bound.TLS = s.asking(o)
		}
		if len(l.Proxies) > 0 {
			bound.How = "proxy-header"
		}
		s.binds = append(s.binds, bound)
	}
	return nil
}

// listenWeb opens the browser door where there are listeners.
func (s *server) listenWeb() error {
	for _, l := range s.cfg.Web.Listeners {
		o, err := s.open(l.Listener)
		if err != nil {
			return err
		}
		site := &http.Server{
			Handler:           s.web.Handler(weblogin.Listener{Name: l.Name, Zone: l.Zone, Proxies: l.Forward, Balancers: l.Proxies}),
			ReadHeaderTimeout: 10 * time.Second,
			ReadTimeout:       30 * time.Second,
			WriteTimeout:      30 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    16 << 10,
			// A handshake that fails is the other side's affair.
			ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		}
		serve := site.Serve
		if l.TLS {
			site.TLSConfig = o.certificate.TLS()
			serve = func(l net.Listener) error { return site.ServeTLS(l, "", "") }
		}
		s.sites = append(s.sites, webSite{site, func() error { return serve(o.socket) }})
	}
	return nil
}

// webSite is one web listener and how it is served.
type webSite struct {
	*http.Server
	serve func() error
}

// client is the RADIUS client of the configuration as its door has it.
func client(c config.Client) radiusd.Client {
	client := radiusd.Client{
		Name: c.Name, Prefix: c.Prefix, Secrets: c.Secrets, Service: c.Service, Zone: c.Zone, Separator: c.Separator,
		OwnAddress: c.OwnAddress, TunnelEndpoint: c.TunnelEndpoint, Challenge: challenge(c.Challenge),
		AllowMissingMA: c.AllowMissingMA, Proxy: c.Proxy, NoClass: c.NoClass, RejectDelay: c.RejectDelay,
		Tunnel: c.Tunnel, Pool: c.Pool, Interim: c.Interim,
		Disconnect: radiusd.Disconnect{To: c.Disconnect.To, Secret: c.Disconnect.Secret, Address: c.Disconnect.Address},
	}
	for _, a := range c.Reply {
		client.Reply = append(client.Reply, radiusd.Attribute(a))
	}
	return client
}

// challenge is what a client's otp says.
func challenge(otp string) gate.Challenge {
	switch otp {
	case "challenge":
		return gate.ChallengeAlways
	case "both":
		return gate.ChallengeBoth
	}
	return gate.ChallengeNever
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
