package links

// maxWaiting is how many clients of one application wait for a link at once;
// what comes then is told "busy" without a wait.
const maxWaiting = 1000

// shares keep applications, whatever their clients do, from having all links
// while there are others that want some. Where there are several, none has more
// than three quarters, and a quarter is there in equal parts for each.
type shares struct {
	links   int     // that there may be
	apps    int     // that there are
	held    tallies // links, and places of them, by application
	used    int     // of all applications
	parts   int     // of them, those within an application's part
	waiting tallies // in the queue
}

func newShares(links int) shares {
	return shares{links: links, held: make(tallies), waiting: make(tallies)}
}

// most is how many links one application may have: one at least.
func (s *shares) most() int {
	if s.apps > 1 {
		return max(1, s.links-max(1, s.links/4))
	}
	return s.links
}

// part is how many links are there for each application.
func (s *shares) part() int {
	if s.apps > 1 {
		return s.links / 4 / s.apps
	}
	return 0
}

// admits reports whether an application may have one more link.
func (s *shares) admits(app string) bool {
	own, part := s.held[app], s.part()
	if own < part {
		return true
	}
	others := max(0, part*s.apps-s.parts) // its own is taken
	return own < s.most() && s.used+others < s.links
}

// among says how many applications there are.
func (s *shares) among(apps int) {
	s.apps, s.parts = apps, 0
	for _, n := range s.held {
		s.parts += min(n, s.part())
	}
}

// take counts a link, or the place of one, as an application's; give, as
// nobody's.
func (s *shares) take(app string) {
	if s.held[app] < s.part() {
		s.parts++
	}
	s.used++
	s.held.add(app, 1)
}

func (s *shares) give(app string) {
	s.used--
	s.held.add(app, -1)
	if s.held[app] < s.part() {
		s.parts--
	}
}

// tallies counts by application, of which it keeps those alone that have any.
type tallies map[string]int

func (t tallies) add(app string, n int) {
	if t[app] += n; t[app] == 0 {
		delete(t, app)
	}
}
