package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/account"
	"sekisho/internal/config"
	"sekisho/internal/directory"
	"sekisho/internal/keyring"
	"sekisho/internal/store"
	"sekisho/internal/upstream/upstreamtest"
)

const behindConfig = `
[store]
url = "sqlite:state/sekisho.db"
keys = "keys"
[directory]
kind = "ldap"
url = ["ldap://%s", "ldap://127.0.0.1:1"]
start_tls = false
base = "dc=example"
domains = ["EXAMPLE"]
[zone.campus]
prefixes = ["127.0.0.1/32"]
[[rule]]
name = "inside"
zone = "campus"
need = "password"
[radius]
auth = ["127.0.0.1:0"]
[[radius.client]]
name = "vpn1"
address = "127.0.0.9"
secret = "a secret that is long enough"
service = "ssl-vpn"
source = "campus"
[metrics]
listen = "127.0.0.1:0"
`

// fakeDirectory knows alice.
func fakeDirectory(t *testing.T) *upstreamtest.Server {
	t.Helper()
	d := (&upstreamtest.Server{}).Start(t)
	d.Put("", map[string][]string{"namingContexts": {"dc=example"}, "vendorName": {"A vendor"}})
	d.Put("dc=example", map[string][]string{"objectClass": {"domain"}})
	d.Put("uid=Alice,ou=people,dc=example", map[string][]string{
		"uid": {"Alice"}, "entryUUID": {"11111111-2222-3333-4444-555555555555"}, "cn": {"Alice Example"}, "mail": {"alice@example.ac.jp"},
		"memberOf": {"cn=Staff,ou=groups,dc=example"}, "userPassword": {"right"},
	})
	return d
}

// behindHouse is a house before it.
func behindHouse(t *testing.T, d *upstreamtest.Server) *house {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
	write(t, file, fmt.Sprintf(behindConfig, d.Addr))
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := keyring.New(time.Now()).Write(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	h, err := openHouse(t.Context(), file, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return h
}

// Somebody who exists in the directory behind alone is given a code device.
func TestEnrolmentOfSomebodyOfTheDirectoryBehind(t *testing.T) {
	d := fakeDirectory(t)
	h := behindHouse(t, d)
	ctx := t.Context()
	if _, err := h.store.Account(ctx, "alice"); !errors.Is(err, store.ErrUnknown) {
		t.Fatal("has a row before:", err)
	}
	var alice *store.Account
	var err error
	for _, typed := range []string{"ALICE", `example\Alice`, "uid=alice, OU=people,dc=example"} {
		if alice, err = h.adopt(ctx, typed); err != nil || alice.Name != "alice" {
			t.Fatalf("%s: %+v, %v", typed, alice, err)
		}
	}
	if _, err := h.accounts().Enrol(ctx, alice, account.Enrolment{}, h.booked("otp_enrolled", "")); err != nil {
		t.Fatal(err)
	}
	a, err := h.store.Account(ctx, "alice")
	if err != nil || a.Upstream != "11111111-2222-3333-4444-555555555555" || a.Display != "Alice Example" || len(a.Tokens) != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	if out, err := h.typed(t, "account", "show", "alice"); err != nil || !strings.Contains(out, "\n  password   checked by the directory behind\n") {
		t.Errorf("%s, %v", out, err)
	}

	if _, err := h.adopt(ctx, "bob"); err == nil || !strings.Contains(err.Error(), `the directory behind has nobody named "bob"`) {
		t.Error("bob:", err)
	}
	if err := h.ours("passwords", "change it there"); err == nil {
		t.Error("passwords are ours")
	}
}

// While the directory is away, whoever has a row can still be shut out.
func TestRowWillDoWhileTheDirectoryIsAway(t *testing.T) {
	d := fakeDirectory(t)
	h := behindHouse(t, d)
	h.behind.Cache = 0
	if _, err := h.adopt(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	d.Stop()
	if a, err := h.adopt(t.Context(), "alice"); err != nil || a.Name != "alice" {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := h.adopt(t.Context(), "carol"); err == nil || errors.Is(err, directory.ErrUnknown) {
		t.Error("carol:", err)
	}
}

// The start says how the directory is, and goes on without it.
func TestStartGreetsTheDirectoryBehind(t *testing.T) {
	d := fakeDirectory(t)
	s, out := startServer(t, fmt.Sprintf(behindConfig, d.Addr))
	for _, want := range []string{
		`"server of the directory answers" server=` + d.Addr, `"server of the directory is down" server=127.0.0.1:1`,
		`"directory behind" vendor="A vendor" version="" contexts="[dc=example]"`,
	} {
		if !out.has(want) {
			t.Errorf("the log has no %s:\n%s", want, out.text.String())
		}
	}
	answer, err := http.Get("http://" + s.socket.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	for _, want := range []string{
		`sekisho_upstream_up{server="` + d.Addr + `"} 1`, `sekisho_upstream_up{server="127.0.0.1:1"} 0`, `sekisho_upstream_check_seconds{server="` + d.Addr + `"} `,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("/metrics has no %s", want)
		}
	}
	if s.local != nil || s.ldap.People != nil || s.ldap.Upstream == nil {
		t.Error("people are kept here, too")
	}

	s.reload()
	if out.has("takes a restart") {
		t.Error("an unchanged directory is said to have changed")
	}
	// An application's account is nobody who signs in, from then on.
	write(t, s.file, fmt.Sprintf(behindConfig, d.Addr)+"[[ldap.app]]\nname = 'wiki'\naddress = ['127.0.0.8']\nservice = 'wiki'\nsource = 'campus'\n"+
		"accounts = ['UID=alice, ou=people,dc=example']\n")
	s.reload()
	if _, err := s.behind.Find(t.Context(), "alice"); !errors.Is(err, directory.ErrUnknown) {
		t.Error("the account of an application:", err)
	}
	write(t, s.file, strings.Replace(fmt.Sprintf(behindConfig, d.Addr), `domains = ["EXAMPLE"]`, `cache = "2m"`, 1))
	s.reload()
	if !out.has("takes a restart") {
		t.Error("a reload says nothing of the directory")
	}

	_, out = startServer(t, fmt.Sprintf(behindConfig, "127.0.0.1:2"))
	if !out.has("no server of the directory answers: nobody can sign in until one does") {
		t.Errorf("says nothing:\n%s", out.text.String())
	}
}

// The directory's certificate has to be signed by whom ca_file names.
func TestServersOfTheDirectoryAreTrustedByTheCAFile(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"its", "other"} {
		if err := certify(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "its.crt"), filepath.Join(dir, "its.key"))
	if err != nil {
		t.Fatal(err)
	}
	socket, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	go func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			conn.(*tls.Conn).Handshake()
			conn.Close()
		}
	}()
	for name, good := range map[string]bool{"its.crt": true, "other.crt": false, "": false} {
		d := config.Directory{Kind: "ldap", Servers: []config.DirectoryServer{{Host: "127.0.0.1", Address: socket.Addr().String(), TLS: true}}}
		if name != "" {
			if d.CA, err = os.ReadFile(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		conn, at, err := relayed(d, serversOf(d), new(directory.Upstream)).Dial(t.Context())
		if (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
		if err == nil {
			conn.Close()
			if at != socket.Addr().String() {
				t.Error("server", at)
			}
		}
	}
}

// Nothing of the directory's configuration is lost on its way.
func TestEveryFieldOfTheDirectoryBehind(t *testing.T) {
	d := config.Directory{
		Kind: "ldap", Domains: []string{"EXAMPLE"}, Servers: []config.DirectoryServer{{Host: "a", Address: "a:636", TLS: true, Plain: true}},
		BindDN: "cn=x", BindPassword: config.Secret("p"), Base: "dc=x", ActiveDirectory: true, UserFilter: "(uid=%s)",
		Name: "uid", ID: "id", Display: "cn", Mail: "mail", Group: "memberOf", GroupBase: "ou=g", GroupFilter: "(member=%d)", NestedGroups: true,
		PageSize: 1, Timeout: time.Second, Cache: time.Second, MaxConnections: 1, ProxyAuthorize: true,
	}
	apps := []config.App{{Accounts: []config.Account{{DN: "cn=mail"}, {DN: "cn=wiki"}}}, {Accounts: []config.Account{{DN: "cn=print"}}}}
	h := &house{cfg: &config.Config{Directory: d, LDAP: config.LDAP{Apps: apps}}, now: time.Now, store: new(store.Store)}
	h.servers = serversOf(d)
	people := h.peopleBehind()
	full(t, people, "Log", "After")
	if got := fmt.Sprint(people.Reserved); got != "[cn=mail cn=wiki cn=print]" {
		t.Error("reserved:", got)
	}
	full(t, people.Attributes)
	full(t, h.servers, "TLS", "Every", "Log", "Now", "After")
	full(t, h.servers.List[0])
	relay := relayed(d, h.servers, people)
	full(t, relay, "Idle")
	full(t, relay.Service)
}

// The devices of somebody who was kept here go to nobody by themselves.
func TestLocalAccountIsLinkedByAnOperator(t *testing.T) {
	h := behindHouse(t, fakeDirectory(t))
	ctx := t.Context()
	if _, err := h.store.AddPeople(ctx, []store.Person{{Name: "alice", Hash: "x"}, {Name: "bob", Hash: "x"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.adopt(ctx, "alice"); !errors.Is(err, store.ErrLocal) {
		t.Fatal("adopted without a word:", err)
	}
	cmd, out := new(cobra.Command), new(strings.Builder)
	cmd.SetContext(ctx)
	cmd.SetOut(out)
	if err := h.link(cmd, "bob"); err == nil || !strings.Contains(err.Error(), `nobody named "bob"`) {
		t.Error("bob:", err)
	}
	if err := h.link(cmd, "ALICE"); err != nil || out.String() != "alice: linked to uid=Alice,ou=people,dc=example\n" {
		t.Errorf("%q, %v", out, err)
	}
	if a, err := h.store.Account(ctx, "alice"); err != nil || a.Upstream == "" || a.Hash != "" {
		t.Errorf("%+v, %v", a, err)
	}
}

// While it is only observed nobody has an account, and is found in the book.
func TestBookIsSearchedByNameForWhoHasNoAccount(t *testing.T) {
	h := behindHouse(t, fakeDirectory(t))
	for _, name := range []string{"alice", "bob"} {
		event := store.Event{At: time.Now(), Door: "ldap", Client: "wiki", Typed: name, Name: name, Outcome: "observed", Reason: "no_device"}
		if err := h.store.Book(t.Context(), event); err != nil {
			t.Fatal(err)
		}
	}
	out, err := h.typed(t, "audit", "search", "--user", "ALICE@example")
	if err != nil || strings.Count(out, "\n") != 1 || !strings.Contains(out, " alice ") {
		t.Errorf("%q, %v", out, err)
	}
	if out, err = h.typed(t, "audit", "search", "--user", "alcie"); err == nil || !strings.Contains(err.Error(), `no account is named "alcie"`) {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := h.adopt(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if out, err = h.typed(t, "audit", "search", "--user", "alice", "--outcome", "done"); err != nil || strings.Count(out, "\n") != 1 {
		t.Errorf("with an account: %q, %v", out, err)
	}
}
