package e2e

import (
	"strings"
	"testing"
)

// Nobody is in our store: who they are, and whether the password is right, is
// known to the directory alone.
func TestPeopleOfTheDirectoryBehindSignIn(t *testing.T) {
	t.Parallel()
	eachProduct(t, func(t *testing.T, b *behind) {
		s := newUpstreamSite(t, b)
		s.serve()
		wantAccept(t, s.signIn(inside, "bob", password))
		s.wantMail(s.bind(s.insideURL(), s.with("bob", password)), "bob")
		s.wantMail(s.bind(s.insideURL(), s.with("carol", password)), "carol")
		s.wantMail(s.tool("ldapsearch", s.outsideURL(), b.service, "-LLL", "-b", b.dn("alice"), "-s", "base", "mail"), "alice")

		alice := s.device("alice")
		first, second := alice.step(0), alice.step(1)
		wantAccept(t, s.signIn(outside, "alice", password+first))
		s.wantMail(s.bind(s.outsideURL(), s.with("alice", password+second)), "alice")
		used := s.want(s.bind(s.outsideURL(), s.with("alice", password+second)), invalidCredentials)
		s.wantBooked(used.err, "code_used")

		wrong := s.want(s.bind(s.insideURL(), s.with("bob", "not-"+password)), invalidCredentials)
		s.wantBooked(wrong.err, "wrong_password")
		s.wantReject(s.signIn(inside, "carol", "not-"+password), "wrong_password")
		s.wantReject(s.signIn(inside, "nobody", password), "unknown_user")
	})
}

// What the directory never sees it can't log, count or leak.
func TestWrongCodeNeverReachesTheDirectoryBehind(t *testing.T) {
	t.Parallel()
	eachProduct(t, func(t *testing.T, b *behind) {
		s := newUpstreamSite(t, b)
		s.serve()
		alice := s.device("alice")
		s.wantReject(s.signIn(outside, "alice", password+alice.unlike()), "wrong_code")
		s.wantReject(s.signIn(outside, "alice", password), "code_missing")
		s.wantReject(s.signIn(outside, "bob", password), "no_device")
		s.wantReject(s.signIn(outside, "alice", alice.step(0)), "empty_password")
		for _, url := range []string{s.outsideURL(), s.doors[1].outside} {
			for secret, reason := range map[string]string{
				password + alice.unlike(): "wrong_code", password: "code_missing", alice.step(0): "empty_password",
			} {
				a := s.want(s.bind(url, s.with("alice", secret)), invalidCredentials)
				s.wantBooked(a.err, reason)
			}
		}
		if n := b.binds("alice") + b.binds("bob"); n != 0 {
			t.Errorf("%d binds came to %s", n, b.product)
		}
		// So a code is cut off, and what came before it is what is asked.
		s.wantMail(s.bind(s.outsideURL(), s.with("alice", password+alice.step(0))), "alice")
		eventually(t, "the bind of alice comes", func() bool { return b.binds("alice") == 1 })
	})
}

// Old passwords, those to be changed, and accounts that are shut.
func TestStateOfAnAccountBehindIsToldRightly(t *testing.T) {
	t.Parallel()
	reasons := map[string]map[string]string{
		"slapd":  {"expired": "password_expired", "mustchange": "password_expired", "locked": "account_locked", "disabled": "disabled"},
		"389-ds": {"expired": "password_expired", "mustchange": "password_expired", "locked": "account_locked", "disabled": "disabled"},
		"samba":  {"expired": "password_expired", "mustchange": "password_expired", "locked": "account_locked", "disabled": "disabled", "gone": "disabled"},
	}
	eachProduct(t, func(t *testing.T, b *behind) {
		s := newUpstreamSite(t, b)
		s.serve()
		for name, reason := range reasons[b.product] {
			r := s.signIn(inside, name, password)
			s.wantReject(r, reason)
			if told := r.get("Reply-Message"); reason == "password_expired" && !strings.Contains(told, "has to be changed") {
				t.Errorf("%s is told %q", name, told)
			}
			if wrong := s.signIn(inside, name, "not-"+password); reason == "password_expired" || reason == "account_shut" {
				s.wantReject(wrong, "wrong_password")
			} else { // which is told before the password is looked at
				s.wantReject(wrong, reason)
			}

			as := s.with(name, password)
			plain, asked := s.bind(s.insideURL(), as), s.bind(s.insideURL(), as, "-e", "ppolicy")
			switch reason {
			case "password_expired":
				// The password was right: programs know the directory's own
				// words for what to do now.
				if want := s.direct(as, "-e", "ppolicy"); asked != want {
					t.Errorf("%s: got %+v, want %+v", name, asked, want)
				}
				if b.product == "slapd" && name == "expired" { // which has none if it isn't asked
					s.wantBooked(plain.err, reason)
				} else if want := s.direct(as); plain != want {
					t.Errorf("%s: got %+v, want %+v", name, plain, want)
				}
			default:
				s.wantBooked(asked.err, reason)
				for _, a := range []answer{plain, asked} {
					s.want(a, invalidCredentials)
					if told := reference.ReplaceAllString(a.err, ""); told != "ldap_bind: Invalid credentials (49)\n\tadditional info: \n" {
						t.Errorf("%s is told %q", name, told)
					}
				}
			}
		}
	})
}
