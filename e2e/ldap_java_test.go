package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Java runs programs that soon end: to compile them well takes longer than they do.
const (
	compileLittle = "-XX:TieredStopAtLevel=1"
	oneCollector  = "-XX:+UseSerialGC"
)

// trust is how Java is started so that it trusts the site.
func (s *ldapSite) trust() []string {
	s.t.Helper()
	store := filepath.Join(s.dir, "trust.p12")
	must(s.t, "keytool", "-J"+compileLittle, "-J"+oneCollector, "-importcert", "-noprompt", "-file", s.ca, "-alias", "site",
		"-keystore", store, "-storetype", "PKCS12", "-storepass", "changeit")
	return []string{compileLittle, oneCollector, "-Djavax.net.ssl.trustStore=" + store, "-Djavax.net.ssl.trustStorePassword=changeit"}
}

func TestLDAPJavaSignsIn(t *testing.T) {
	t.Parallel()
	need(t, "java", "keytool")
	s := newLDAPSite(t, legacyApp, recurring)
	devices := map[string]*device{}
	for _, d := range s.doors {
		devices[d.name] = s.enrol(d.name)
	}
	s.add("bob")
	s.serve()
	trust := s.trust()
	s.each(func(d door) {
		devices[d.name].t = s.t
		ran := execute(s.t, "", "java", append(trust, filepath.Join("testdata", "ldap", "SignIn.java"),
			d.outside, ldapBase, serviceDN, servicePassword, d.name, password+devices[d.name].code())...)
		ref := reference.FindString(ran.out)
		found := "search " + personDN(d.name) + " " + d.name + "\n"
		want := "bind\npages 3\n" + found + "bind\n" + found +
			"delete [LDAP: error code 53 - the directory is read-only]\n" +
			"bind [LDAP: error code 49 - " + ref + "]\nsearch [LDAP: error code 50 - bind first]\n"
		if ran.code != 0 || ran.out != want {
			s.t.Fatalf("exit %d\n%s%s\nwant\n%s", ran.code, ran.out, ran.err, want)
		}
		s.wantBooked(ref, "wrong_password")
	})
}

// compile makes a program of the page's class.
func (r *recipe) compile(at door) (classes string) {
	r.t.Helper()
	source := r.file("People.java", r.block("java", 0, "ldaps://sekisho.example.ac.jp", at.outside))
	must(r.t, "javac", "-J"+compileLittle, "-J"+oneCollector, "-d", r.dir, source, filepath.Join("testdata", "ldap", "SignInOften.java"))
	return r.dir
}

// The class of the page signs people in as the page says.
func TestLDAPJavaByThePage(t *testing.T) {
	t.Parallel()
	need(t, "java", "javac", "keytool", "oathtool")
	r := newRecipe(t, "jndi.md")
	alice, bob := r.enrol("alice"), r.enrol("bob")
	r.serve()
	classes := r.compile(r.doors[1])
	code := alice.code()
	said := must(t, "java", append(r.trust(), "-cp", classes, "SignInOften", servicePassword,
		"alice", password+code,
		"alice", password+code, // a code is good once
		"alice", password,
		"alice", "",
		"bob*", password+bob.code(),
		"bob", password+bob.code())...)
	refs := reference.FindAllString(said, -1)
	if len(refs) != 2 {
		t.Fatalf("it says\n%s", said)
	}
	want := personDN("alice") + "\nrefused [LDAP: error code 49 - " + refs[0] + "]\nrefused [LDAP: error code 49 - " + refs[1] + "]\n" +
		"refused empty\nrefused unknown\n" + personDN("bob") + "\n"
	if said != want {
		t.Errorf("it says\n%s\nwant\n%s", said, want)
	}
	r.wantBooked(refs[0], "code_used")
	r.wantBooked(refs[1], "code_missing")
}

// A pool of people's connections signs them in without asking, for as long as
// they are bound: what ends that is that the connection is closed.
func TestLDAPJavaPoolIsAskedAgainWhenTheTicketEnds(t *testing.T) {
	t.Parallel()
	need(t, "java", "keytool", "oathtool")
	s := newLDAPSite(t, legacyApp, "")
	alice := s.enrol("alice")
	s.serve()
	cmd := exec.Command("java", append(s.trust(), "-Dcom.sun.jndi.ldap.connect.pool.protocol=plain ssl",
		filepath.Join("testdata", "ldap", "Pooled.java"), s.doors[1].outside)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := launch(t, cmd)
	typed, n := password+alice.code(), 0
	signIn := func() string {
		t.Helper()
		if _, err := fmt.Fprintf(in, "%s\t%s\n", personDN("alice"), typed); err != nil {
			t.Fatal(err)
		}
		n++
		eventually(t, "Java answers", func() bool {
			if p.ended() {
				t.Fatalf("java ended: %v\n%s%s", p.err, &p.out, &p.log)
			}
			return strings.Count(p.out.String(), "\n") == n
		})
		lines := strings.Split(p.out.String(), "\n")
		return lines[n-1]
	}
	for range 3 {
		if said := signIn(); said != "in as alice" {
			t.Fatal(said)
		}
	}
	e := s.book("--user", "alice", "--outcome", "admitted")
	if len(e) != 1 {
		t.Fatalf("the book has %+v, want one sign-in", e)
	}
	s.run("ticket", "revoke", e[0].Ticket)
	// The server looks once a second. A search under way may be cut off first.
	said := ""
	eventually(t, "it is asked again", func() bool {
		said = signIn()
		return reference.MatchString(said)
	})
	s.wantBooked(said, "code_used")
	in.Close()
	if err := p.wait(); err != nil {
		t.Error(err)
	}
}
