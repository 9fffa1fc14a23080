package listen

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var epoch = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)

// files are a certificate and its key in a folder; each pair that is written
// has another serial number and another time stamp.
type files struct {
	t      *testing.T
	dir    string
	serial int64
}

func (f *files) path(name string) string { return filepath.Join(f.dir, name) }

func (f *files) make(notAfter time.Time) (cert, key []byte) {
	f.t.Helper()
	f.serial++
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(f.serial), NotBefore: epoch, NotAfter: notAfter, DNSNames: []string{"sso.example.ac.jp"}}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, secret.Public(), secret)
	if err != nil {
		f.t.Fatal(err)
	}
	bare, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		f.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bare})
}

func (f *files) put(name string, text []byte) {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), text, 0o600); err != nil {
		f.t.Fatal(err)
	}
	at := epoch.Add(time.Duration(f.serial) * time.Hour)
	if err := os.Chtimes(f.path(name), at, at); err != nil {
		f.t.Fatal(err)
	}
}

// certificate is one that was just read, and its clock.
func certificate(t *testing.T) (*files, *Certificate, *time.Time, *bytes.Buffer) {
	t.Helper()
	f := &files{t: t, dir: t.TempDir()}
	cert, key := f.make(epoch.AddDate(0, 1, 0))
	f.put("tls.crt", cert)
	f.put("tls.key", key)
	now, log := epoch, &bytes.Buffer{}
	c := &Certificate{
		CertFile: f.path("tls.crt"), KeyFile: f.path("tls.key"),
		Log: slog.New(slog.NewTextHandler(log, nil)), Now: func() time.Time { return now },
	}
	if err := c.Reload(); err != nil {
		t.Fatal(err)
	}
	return f, c, &now, log
}

// serial is of the certificate that a handshake presents.
func serial(t *testing.T, c *Certificate) int64 {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	go tls.Server(theirs, c.TLS()).Handshake()
	client := tls.Client(ours, &tls.Config{InsecureSkipVerify: true})
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	return client.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestNewCertificateIsNoticed(t *testing.T) {
	f, c, now, log := certificate(t)
	if got := serial(t, c); got != 1 {
		t.Fatal("presents", got)
	}
	until := epoch.AddDate(1, 0, 0)
	cert, key := f.make(until)
	f.put("tls.crt", cert)
	f.put("tls.key", key)
	if got := serial(t, c); got != 1 {
		t.Error("looks at each handshake: presents", got)
	}
	*now = now.Add(lookEvery)
	if got := serial(t, c); got != 2 || !c.NotAfter().Equal(until) {
		t.Error("presents", got, "until", c.NotAfter())
	}
	if !strings.Contains(log.String(), "certificate read") {
		t.Error(log)
	}
}

func TestBadNewCertificateKeepsTheOld(t *testing.T) {
	f, c, now, log := certificate(t)
	cert, key := f.make(epoch.AddDate(1, 0, 0))
	f.put("tls.crt", cert) // the key is still the old one's
	if err := c.Reload(); err == nil || !strings.Contains(err.Error(), f.path("tls.crt")) {
		t.Error(err)
	}
	if got := serial(t, c); got != 1 {
		t.Error("presents", got)
	}

	// The key comes later; meanwhile it is complained of once.
	f.serial++
	f.put("tls.key", []byte("half a key"))
	for range 3 {
		*now = now.Add(lookEvery)
		if got := serial(t, c); got != 1 {
			t.Error("presents", got)
		}
	}
	if n := strings.Count(log.String(), "the old one stays in force"); n != 1 {
		t.Errorf("%d complaints:\n%s", n, log)
	}
	f.serial++
	f.put("tls.key", key)
	*now = now.Add(lookEvery)
	if got := serial(t, c); got != 2 {
		t.Error("presents", got)
	}
}

func TestCertificateThatVanishesStaysInForce(t *testing.T) {
	f, c, now, _ := certificate(t)
	if err := os.Remove(f.path("tls.key")); err != nil {
		t.Fatal(err)
	}
	*now = now.Add(lookEvery)
	if got := serial(t, c); got != 1 {
		t.Error("presents", got)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	_, c, _, _ := certificate(t)
	ours, theirs := net.Pipe()
	defer ours.Close()
	go tls.Server(theirs, c.TLS()).Handshake()
	if err := tls.Client(ours, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}).Handshake(); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
}
