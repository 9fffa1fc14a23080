package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/base32"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sekisho/internal/account"
	"sekisho/internal/keyring"
	"sekisho/internal/passwd"
	"sekisho/internal/reason"
	"sekisho/internal/store"
)

//go:embed demo.toml
var demoConfig string

// What the example campus is called.
const (
	demoSecret  = "testing123"
	demoBase    = "dc=example,dc=ac,dc=jp"
	demoService = "uid=svc-demo,ou=services," + demoBase
)

// demoPorts is where the demo listens.
type demoPorts struct {
	radius, acct, ldap, ldaps, inside, outside, metrics, services int
}

// portsFrom are the ports from a base on; without one each service has its
// usual port.
func portsFrom(base int) demoPorts {
	if base == 0 {
		return demoPorts{1812, 1813, 1389, 1636, 8080, 8081, 9180, 8082}
	}
	return demoPorts{base, base + 1, base + 2, base + 3, base + 4, base + 5, base + 6, base + 7}
}

const lastOffset = 7 // of a port from the base

// prepareDemo writes configuration, certificate, keys and people into dir.
func prepareDemo(ctx context.Context, dir string, ports demoPorts) (*demo, error) {
	local := func(port int) string { return fmt.Sprint("127.0.0.1:", port) }
	d := &demo{
		Users:  make(map[string]demoUser),
		Config: filepath.Join(dir, "config.toml"),
		Store:  filepath.Join(dir, "state", "sekisho.db"),
		LDAP: demoLDAP{
			URL: "ldap://" + local(ports.ldap), LDAPS: "ldaps://" + local(ports.ldaps), Base: demoBase, People: "ou=people," + demoBase,
			ServiceDN: demoService, ServicePassword: passwd.Random(0), CA: filepath.Join(dir, "tls.crt"),
		},
		Web: demoWeb{Inside: "http://" + local(ports.inside), Outside: "http://" + local(ports.outside)},
	}
	for _, name := range []string{"mail", "wiki"} {
		d.hosts = append(d.hosts, fmt.Sprintf("%s.localhost:%d", name, ports.services))
		d.Web.Services = append(d.Web.Services, "http://"+d.hosts[len(d.hosts)-1]+"/")
	}
	text := strings.NewReplacer(
		"@RADIUS@", local(ports.radius), "@ACCT@", local(ports.acct), "@METRICS@", local(ports.metrics), "@SECRET@", demoSecret,
		"@LDAP@", d.LDAP.URL, "@LDAPS@", d.LDAP.LDAPS, "@BASE@", demoBase, "@SERVICE@", demoService, "@PASSWORD@", d.LDAP.ServicePassword,
		"@INSIDE@", d.Web.Inside, "@OUTSIDE@", d.Web.Outside, "@MAIL@", d.Web.Services[0], "@WIKI@", d.Web.Services[1],
	).Replace(demoConfig)
	if err := os.WriteFile(d.Config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Dir(d.Store), 0o700); err != nil {
		return nil, err
	}
	if err := certify(d.LDAP.CA, filepath.Join(dir, "tls.key"), time.Now()); err != nil {
		return nil, err
	}
	if err := keyring.New(time.Now()).Write(filepath.Join(dir, "keys")); err != nil {
		return nil, err
	}
	h, err := openHouse(ctx, d.Config, store.Options{})
	if err != nil {
		return nil, err
	}
	defer h.close()
	return d, d.populate(ctx, h)
}

// certify writes a certificate of this machine that has signed itself, for a
// month. It is its own authority, so that programs can be told to trust it.
func certify(certFile, keyFile string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "Sekisho demo"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 1, 0),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return err
	}
	bare, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o644); err != nil {
		return err
	}
	return os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bare}), 0o600)
}

// populate adds alice with a code device, bob without one, and carol, whose
// account is disabled.
func (d *demo) populate(ctx context.Context, h *house) error {
	people := h.accounts()
	for i, p := range []store.Person{
		{Name: "alice", Display: "Alice Example", Mail: "alice@example.ac.jp", Groups: []string{"staff"}},
		{Name: "bob", Display: "Bob Example", Groups: []string{"students"}},
		{Name: "carol"},
	} {
		p.UIDNumber = int64(10001 + i)
		password := passwd.Random(0)
		event := h.booked(string(reason.AccountAdded), "demo")
		if _, err := people.Add(ctx, p, account.Password{Typed: []byte(password)}, event); err != nil {
			return err
		}
		d.Users[p.Name] = demoUser{Password: password}
	}
	if err := people.Disable(ctx, "carol", h.booked(string(reason.AccountDisabled), "demo")); err != nil {
		return err
	}
	row, err := h.store.Account(ctx, "alice")
	if err != nil {
		return err
	}
	token, err := people.Enrol(ctx, row, account.Enrolment{}, h.booked(string(reason.OTPEnrolled), "demo"))
	if err != nil {
		return err
	}
	alice := d.Users["alice"]
	alice.OTPSecret = secretText.EncodeToString(token.Secret)
	d.Users["alice"], d.alice = alice, token
	return nil
}

// secretText is how authenticators take a secret that is typed.
var secretText = base32.StdEncoding.WithPadding(base32.NoPadding)
