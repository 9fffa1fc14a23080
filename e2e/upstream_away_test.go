package e2e

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const unavailable = 52

// wantUnjudged wants a sign-in at each door to get no verdict.
func (s *upstreamSite) wantUnjudged(name string) {
	s.t.Helper()
	wantSilence(s.t, s.signIn(inside, name, password))
	s.want(s.bind(s.insideURL(), s.with(name, password)), unavailable)
}

// A directory that is away judges nobody, and that is no refusal: a NAS asks
// its next server, and a program tries again.
func TestDirectoryBehindThatIsAwayIsNoRefusal(t *testing.T) {
	t.Parallel()
	b := newSlapd(t)
	s := newUpstreamSite(t, b)
	b.server.stop()
	s.serve()
	s.wantUnjudged("bob")
	b.startSlapd()
	wantAccept(t, s.signIn(inside, "bob", password))
	s.wantMail(s.bind(s.insideURL(), s.with("bob", password)), "bob")

	b.server.stop()
	s.wantUnjudged("bob")
	s.wantUnjudged("alice") // who was not asked for before
	b.startSlapd()
	wantAccept(t, s.signIn(inside, "alice", password))
	if refused := s.book("--outcome", "refused"); len(refused) > 0 {
		t.Errorf("the book holds refusals: %+v", refused)
	}
}

// Somebody else at the directory's address is not told a password.
func TestDirectoryBehindWithAForeignCertificateIsToldNothing(t *testing.T) {
	t.Parallel()
	for name, host := range map[string]string{"of another name": "elsewhere.example", "that nobody signed": "127.0.0.1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newSlapd(t)
			s := newUpstreamSite(t, b)
			b.server.stop()
			b.certificate(host)
			if host != "127.0.0.1" {
				s.file("behind.pem", b.read("tls.crt"))
			}
			b.startSlapd()
			server := s.serve()
			s.wantUnjudged("bob")
			if log := b.server.log.String(); strings.Contains(log, "BIND") {
				t.Errorf("something came to the directory:\n%s", log)
			}
			if log := server.log.String(); !strings.Contains(log, "certificate") {
				t.Errorf("the log doesn't tell of the certificate:\n%s", log)
			}
		})
	}
}

func TestStartTLSToTheDirectoryBehind(t *testing.T) {
	t.Parallel()
	eachProduct(t, func(t *testing.T, b *behind) {
		s := newUpstreamSite(t, b)
		s.change(b.url, b.clear)
		s.serve()
		wantAccept(t, s.signIn(inside, "bob", password))
		s.wantMail(s.bind(s.insideURL(), s.with("bob", password)), "bob")
	})
}

// Programs sign people in and search while one of two servers is killed. A
// connection to it may break. But nobody is told that an entry is gone, which
// a program would believe, and the other server takes over.
func TestOneOfTwoServersIsKilledUnderLoad(t *testing.T) {
	t.Parallel()
	first, second := newSlapd(t), newSlapd(t)
	s := newUpstreamSite(t, first, second)
	s.serve()
	var rounds, broken, after atomic.Int64
	var killed atomic.Bool
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				was := killed.Load()
				for _, as := range []who{first.service, s.with("bob", password)} {
					a := s.tool("ldapsearch", s.insideURL(), as, "-LLL", "-b", ldapBase, "(uid=bob)", "mail")
					switch {
					case a.code == 0 && strings.Contains(a.out, "mail: bob@example.ac.jp"):
						rounds.Add(1)
						if was {
							after.Add(1)
						}
					case a.code == unavailable, a.code == 255, a.code == 1 && strings.Contains(a.err, "contact"):
						broken.Add(1)
					default:
						t.Errorf("exit %d\n%s%s", a.code, a.out, a.err)
					}
				}
			}
		})
	}
	eventually(t, "the load runs", func() bool { return rounds.Load() > 40 })
	first.server.kill()
	killed.Store(true)
	eventually(t, "binds go on", func() bool { return after.Load() > 80 })
	close(stop)
	wg.Wait()
	if n := broken.Load(); n > 16 {
		t.Errorf("%d of %d were without an answer", n, rounds.Load())
	}
	if second.binds("bob") == 0 {
		t.Error("the second server was never asked")
	}
	if up := s.gauge("sekisho_upstream_up"); up != 1 {
		t.Errorf("%v servers are up", up)
	}
	wantAccept(t, s.signIn(inside, "alice", password))
}
