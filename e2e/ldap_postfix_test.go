package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// postfix is how a table by the page answers.
func (r *recipe) postfix(at door) (query func(address string) answer) {
	r.t.Helper()
	need(r.t, "postmap")
	needFile(r.t, "/usr/lib/postfix/postfix-ldap.so")
	house := filepath.Join(r.dir, "postfix-"+at.name)
	if err := os.Mkdir(house, 0o755); err != nil {
		r.t.Fatal(err)
	}
	(&site{t: r.t, dir: house}).file("main.cf", "compatibility_level = 3.6\nqueue_directory = "+r.dir+"\n")
	host := at.outside
	if at.name == "starttls" {
		host += "\nstart_tls = yes"
	}
	table := r.file("postfix-"+at.name+"/people.cf", r.block("postfix", 0, "ldaps://sekisho.example.ac.jp", host))
	return func(address string) answer {
		r.t.Helper()
		return execute(r.t, "", "postmap", "-c", house, "-q", address, "ldap:"+table)
	}
}

// Postfix tells an address that is nobody's, for which mail is sent back, from
// a directory that is away, for which it waits.
func TestLDAPPostfixLooksUp(t *testing.T) {
	t.Parallel()
	r := newRecipe(t, "postfix.md")
	r.posixDevices()
	r.each(func(at door) {
		server := r.serve()
		query := r.postfix(at)
		r.wantFound(query, "ldaps")
		if err := server.stop(); err != nil {
			r.t.Fatal(err)
		}
		r.wantLater(query("ldaps@example.ac.jp"))
	})
}

func TestLDAPPostfixWaitsForTheDirectoryBehind(t *testing.T) {
	t.Parallel()
	b := newSlapd(t)
	b.joins(accountOf(t, "postfix.md"), "frank", 10_001)
	r := newRecipeBefore(t, "postfix.md", b)
	r.serve()
	query := r.postfix(r.doors[1])
	r.wantFound(query, "frank")
	b.server.stop()
	r.wantLater(query("frank@example.ac.jp"))
}

func (r *recipe) wantFound(query func(string) answer, name string) {
	r.t.Helper()
	if a := query(strings.ToUpper(name) + "@example.ac.jp"); a.code != 0 || a.out != name+"\n" {
		r.t.Errorf("exit %d, %q\n%s", a.code, a.out, a.err)
	}
	if a := query("nobody@example.ac.jp"); a.code != 1 || a.out+a.err != "" {
		r.t.Errorf("nobody: exit %d, %q\n%s", a.code, a.out, a.err)
	}
}

// wantLater wants an error, which is a temporary one to Postfix.
func (r *recipe) wantLater(a answer) {
	r.t.Helper()
	if a.code != 1 || !strings.Contains(a.err, "query error") {
		r.t.Errorf("while nobody answers: exit %d, %q\n%s", a.code, a.out, a.err)
	}
}
