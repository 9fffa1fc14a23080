package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	"github.com/prometheus/client_golang/prometheus"

	"sekisho/internal/config"
	"sekisho/internal/directory"
	"sekisho/internal/metrics"
	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/internal/upstream"
	"sekisho/ldapproxy"
)

// The directory behind is the one that a campus already has.

// serversOf are its servers.
func serversOf(d config.Directory) *upstream.Servers {
	s := &upstream.Servers{Timeout: d.Timeout}
	for _, server := range d.Servers {
		s.List = append(s.List, upstream.Server{Host: server.Host, Addr: server.Address, TLS: server.TLS, Plain: server.Plain})
	}
	if d.CA != nil {
		s.TLS = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
		s.TLS.RootCAs.AppendCertsFromPEM(d.CA) // config has seen that it holds some
	}
	return s
}

// peopleBehind are the people of the directory behind.
func (h *house) peopleBehind() *directory.Upstream {
	d := h.cfg.Directory
	return &directory.Upstream{
		Servers: h.servers, Store: h.store, Domains: d.Domains, Now: h.now,
		Base: d.Base, Filter: d.UserFilter, ActiveDirectory: d.ActiveDirectory,
		Attributes: directory.Attributes{Name: d.Name, ID: d.ID, Display: d.Display, Mail: d.Mail, Group: d.Group},
		GroupBase:  d.GroupBase, GroupFilter: d.GroupFilter, Nested: d.NestedGroups,
		BindDN: d.BindDN, BindPassword: d.BindPassword, Reserved: reserved(h.cfg.LDAP), PageSize: uint32(d.PageSize), Timeout: d.Timeout, Cache: d.Cache,
	}
}

// reserved are the accounts of applications.
func reserved(l config.LDAP) (dns []string) {
	for _, app := range l.Apps {
		for _, account := range app.Accounts {
			dns = append(dns, account.DN)
		}
	}
	return dns
}

// relayed is the directory behind as the LDAP door asks it.
func relayed(d config.Directory, servers *upstream.Servers, people *directory.Upstream) *ldapproxy.Upstream {
	return &ldapproxy.Upstream{
		Dial: func(ctx context.Context) (net.Conn, string, error) {
			conn, server, err := servers.Dial(ctx)
			return conn, server.Addr, err
		},
		RootDSE: servers.RootDSE, Took: people.Took, Max: d.MaxConnections, Wait: d.Timeout, Answer: d.Timeout,
		Service: ldapproxy.Account{DN: d.BindDN, Password: d.BindPassword}, ProxyAuthorization: d.ProxyAuthorize,
	}
}

// adopt finds somebody, to whom something is handed out here. Who is in the
// directory behind is given a row for it; while it is away the row that they
// have will do.
func (h *house) adopt(ctx context.Context, typed string) (*store.Account, error) {
	name := h.directory().Canonical(typed)
	known, unknown := h.store.Account(ctx, name)
	if h.behind == nil {
		if unknown != nil {
			return nil, advise(unknown, name)
		}
		return known, nil
	}
	a, err := h.behind.Adopt(ctx, name, h.booked(string(reason.AccountAdded), "from the directory behind"))
	switch {
	case err == nil:
		return a, nil
	case errors.Is(err, directory.ErrUnknown), errors.Is(err, directory.ErrName):
		return nil, h.unfound(err, name)
	case unknown == nil && known.Upstream != "":
		return known, nil
	}
	return nil, h.unfound(err, name)
}

// unfound says why somebody can't be looked up in the directory behind.
func (h *house) unfound(err error, name string) error {
	switch {
	case errors.Is(err, directory.ErrUnknown):
		return hint(fmt.Errorf("the directory behind has nobody named %q", name), "look for a slip of the finger, else at base and user_filter of [directory]")
	case errors.Is(err, store.ErrLocal):
		return hint(fmt.Errorf("%s: %w", name, store.ErrLocal), "sekisho account link %s, or, if the name is somebody else's now: sekisho account release %s", name, name)
	case errors.Is(err, directory.ErrName):
		return err
	}
	return fmt.Errorf("look %s up in the directory behind: %w", name, err)
}

// greet finds out whether the directory behind answers, and with what; which of
// its servers are down is told by the check. It goes on without: they may be
// back before anybody signs in.
func (s *server) greet(ctx context.Context) {
	switch n, err := s.store.Unlinked(ctx); {
	case err != nil:
		s.log.Error("could not look for local accounts that are not linked", "error", err)
	case n > 0:
		s.log.Warn(unlinked(n))
	}
	up := 0
	for _, status := range s.servers.Check(ctx) {
		if status.Up {
			up++
			s.log.Info("server of the directory answers", "server", status.Server.Addr, "took", status.Took)
		}
	}
	if up == 0 {
		s.log.Warn("no server of the directory answers: nobody can sign in until one does")
		return
	}
	dse, ok := s.servers.RootDSE()
	if !ok {
		s.log.Warn("the directory shows no RootDSE to strangers: programs can't learn from us what it can do")
		return
	}
	s.log.Info("directory behind", "vendor", first(dse["vendorName"]), "version", first(dse["vendorVersion"]), "contexts", dse["namingContexts"])
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// measure shows each server in /metrics.
func measure(r *prometheus.Registry, servers *upstream.Servers) {
	for i, status := range servers.Status() {
		labelled := prometheus.WrapRegistererWith(prometheus.Labels{"server": status.Server.Addr}, r)
		now := func() upstream.Status { return servers.Status()[i] }
		metrics.Gauge(labelled, "sekisho_upstream_up", "1 while this server of the directory behind answers.", func() float64 {
			if now().Up {
				return 1
			}
			return 0
		})
		metrics.Gauge(labelled, "sekisho_upstream_check_seconds", "How long the last check of this server took.", func() float64 {
			return now().Took.Seconds()
		})
	}
}

// ours refuses to change what the directory behind has to say.
func (h *house) ours(what, do string, args ...any) error {
	if h.behind == nil {
		return nil
	}
	return hint(fmt.Errorf("the %s are those of the directory behind", what), do, args...)
}
