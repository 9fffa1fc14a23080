package e2e

import "testing"

// An application is moved over: first it is only watched what it would be
// refused.
func TestObservedApplicationIsServedAsBefore(t *testing.T) {
	t.Parallel()
	eachProduct(t, func(t *testing.T, b *behind) {
		s := newUpstreamSite(t, b)
		s.change("service  = \"legacy\"\n", "service  = \"legacy\"\nmode = \"observe\"\n")
		alice := s.device("alice")
		s.serve()
		code := alice.step(0)
		for _, as := range []who{s.with("alice", password), s.with("carol", "not-"+password), s.with("alice", password+code)} {
			if got, want := s.bind(s.outsideURL(), as), s.direct(as); got != want {
				t.Errorf("%v: got %+v, want %+v", as, got, want)
			}
		}
		reasons := map[string]bool{}
		for _, e := range s.book() {
			reasons[e.Reason] = reasons[e.Reason] || e.Outcome == "observed"
		}
		if !reasons["code_missing"] {
			t.Errorf("observed is %v", reasons)
		}
		// At the other doors nothing changes, and no code was used up.
		s.wantReject(s.signIn(outside, "alice", password), "code_missing")
		wantAccept(t, s.signIn(outside, "alice", password+code))
	})
}
