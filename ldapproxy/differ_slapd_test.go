//go:build linux

package ldapproxy

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"sekisho/ldapproxy/tree"
	"sekisho/ldapproxy/wire"
)

const slapdProgram = "/usr/sbin/slapd"

// slapd is OpenLDAP's server, with the entries of an embedded directory.
type slapd struct {
	dir  string
	run  *exec.Cmd
	said *syncBuffer
	gone chan struct{} // closed when it has ended
}

// newSlapd starts one that ends with the test.
func newSlapd(t testing.TB, s *Server) *slapd {
	t.Helper()
	if _, err := os.Stat(slapdProgram); err != nil {
		if os.Getenv("SEKISHO_E2E") == "required" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "differ") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	conf, err := os.ReadFile("testdata/differ/slapd.conf")
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	put := func(name string, content []byte) {
		if err := os.WriteFile(file(name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("slapd.conf", bytes.ReplaceAll(conf, []byte("@DIR@"), []byte(dir)))
	put("entries.ldif", ldifOf(t, s))
	if err := os.Mkdir(file("db"), 0o700); err != nil {
		t.Fatal(err)
	}
	// Unchecked, for an empty group is no groupOfNames.
	if out, err := exec.Command("/usr/sbin/slapadd", "-s", "-f", file("slapd.conf"), "-l", file("entries.ldif")).CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v\n%s", err, out)
	}
	p := &slapd{dir: dir}
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	return p
}

// start returns when it listens. It ends with this process, too.
func (s *slapd) start() error {
	s.run = exec.Command(slapdProgram, "-d", "0", "-f", filepath.Join(s.dir, "slapd.conf"), "-h", "ldapi://"+url.PathEscape(s.socket()))
	s.run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.said = new(syncBuffer)
	s.run.Stderr = s.said
	if err := s.run.Start(); err != nil {
		return err
	}
	s.gone = make(chan struct{})
	go func() {
		s.run.Wait()
		close(s.gone)
	}()
	for {
		if p, err := s.dial(); err == nil {
			return p.Close()
		}
		select {
		case <-s.gone:
			return fmt.Errorf("slapd has ended: %v\n%s", s.run.ProcessState, s.said)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (s *slapd) stop() {
	s.run.Process.Kill()
	<-s.gone
}

func (s *slapd) socket() string { return filepath.Join(s.dir, "ldapi") }

// dial opens a connection.
func (s *slapd) dial() (*rival, error) {
	socket, err := net.Dial("unix", s.socket())
	if err != nil {
		return nil, err
	}
	return &rival{Conn: socket, frames: wire.NewFrameReader(socket)}, nil
}

// revive starts it again if it has fallen over, and reports whether it had.
func (s *slapd) revive() (bool, error) {
	if p, err := s.dial(); err == nil {
		return false, p.Close()
	}
	<-s.gone // nobody listens any more
	return true, s.start()
}

// ldifOf is the embedded directory as slapadd takes it, in the same order,
// with the passwords that bind here.
func ldifOf(t testing.TB, s *Server) []byte {
	t.Helper()
	everything := &wire.SearchRequest{
		Base: testBase, Scope: tree.ScopeSub, Filter: &wire.Filter{Kind: wire.FilterPresent, Attribute: "objectClass"},
		Attributes: []string{"*", "structuralObjectClass", "entryUUID", "createTimestamp"},
	}
	passwords := map[string]string{mailDN: mailPassword, aliceDN: "secret123456", "cn=scanner,ou=services," + testBase: mailPassword}
	var b bytes.Buffer
	put := func(name, value string) {
		fmt.Fprintf(&b, "%s:: %s\n", name, base64.StdEncoding.EncodeToString([]byte(value)))
	}
	r, _ := s.forest.Search(t.Context(), everything, nil, tree.Asker{Admitted: true, Now: time.Now}, func(dn string, attributes []wire.Attribute) bool {
		put("dn", dn)
		for _, a := range attributes {
			for _, value := range a.Values {
				put(a.Name, value)
			}
		}
		if password, ok := passwords[dn]; ok {
			put("userPassword", password)
		}
		b.WriteByte('\n')
		return true
	})
	if r.Code != wire.ResultSuccess {
		t.Fatalf("read the directory: %+v", r)
	}
	return b.Bytes()
}
