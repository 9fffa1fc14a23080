package ldapproxy

// maxWaiting is how many clients of one application wait for a link at once;
// what comes then is told "busy" without a wait.
const maxWaiting = 1000

// shares keep one application, whatever its clients do, from having all links
// while there are others that want some.
type shares struct {
	apps    int     // that there are
	held    tallies // links, and places of them, by application
	waiting tallies // in the queue
}

// admits reports whether an application may have one more link. Where there
// are others, a quarter of all is never one's: one link at least, unless there
// is but one.
func (s *shares) admits(app string, links int) bool {
	if s.apps > 1 {
		links = max(1, links-max(1, links/4))
	}
	return s.held[app] < links
}

// tallies counts by application, of which it keeps those alone that have any.
type tallies map[string]int

func (t tallies) add(app string, n int) {
	if t[app] += n; t[app] == 0 {
		delete(t, app)
	}
}
