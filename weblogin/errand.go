package weblogin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"

	"sekisho/gate"
)

// maxTo is how long the address of a page may be, percent-encoded, for
// somebody to be brought back to it.
const maxTo = 1500

// errand is what somebody was about to open when they were sent to sign in.
// It is made on the service's host, so that what it holds was seen there; the
// sign-in host knows it by its id alone.
type errand struct {
	browser string // at the sign-in host, since it arrived there; "" not yet
	service *Service
	to      string   // path and query on the service's host
	nonce   [32]byte // SHA-256 of the nonce that the browser holds there

	// Where the service sees the person: another place, perhaps, than the
	// sign-in host does.
	source gate.Source
	zone   string // fixed by the listener
	client string // the listener's name
}

// errand finds the errand of an id that a sign-in came with. It is that of the
// first browser which comes with it: somebody who got to know the id could
// else go on it in their own name, and arrive where its owner does.
func (v *visit) errand(id string) (e errand, ok bool) {
	ok = v.s.errands.change(id, "", v.came, func(kept *errand) {
		if kept.browser == "" {
			kept.browser = strings.Clone(v.browser.id)
		}
		e = *kept
	})
	if !ok || subtle.ConstantTimeCompare([]byte(e.browser), []byte(v.browser.id)) != 1 {
		return errand{}, false
	}
	return e, true
}

// request is what is asked of the gate as the service's host would.
func (e errand) request(q gate.Request) gate.Request {
	q.Source.Addr, q.Source.How, q.Zone, q.Client = e.source.Addr, e.source.How, e.zone, e.client
	return q
}

// page is the address that the errand leads to.
func (e errand) page() string { return e.service.origin() + e.to }

// toward judges a sign-in that is on an errand. The service may see the
// person elsewhere than the sign-in host: what is asked for is what either
// place needs, and the attempt is to be judged from the one that needs more,
// or it would be refused at the service's door.
func (s *Server) toward(ctx context.Context, q gate.Request, e errand) (gate.Request, gate.Prompt, error) {
	here, err := s.Gate.Prompt(ctx, q)
	if err != nil || e.service == nil || e.source.Addr == q.Source.Addr && e.zone == q.Zone {
		return q, here, err
	}
	far := e.request(q)
	there, err := s.Gate.Prompt(ctx, far)
	if err != nil {
		return q, gate.Prompt{}, err
	}
	if there.Code && !here.Code || there.Password && !here.Password && !here.Code {
		q, here.Zone, here.Inside = far, there.Zone, there.Inside
	}
	here.Password, here.Code = here.Password || there.Password, here.Code || there.Code
	return q, here, nil
}

// begin is /.sekisho/go: it notes where somebody is going and sends them to
// the sign-in host.
func (c *crossing) begin() {
	nonce := c.s.cookieValue(c.r, nonceCookie)
	if !isID(nonce) { // else another tab is on its way
		nonce = newID()
	}
	kept := c.s.cookie(nonceCookie, nonce)
	kept.MaxAge = int(shelfLife.Seconds())
	http.SetCookie(c.w, kept)
	id := c.s.errands.put(errand{
		service: c.service, to: strings.Clone(c.service.goal(c.r.URL.Query().Get("to"))), nonce: sha256.Sum256([]byte(nonce)),
		source: c.request.Source, zone: c.request.Zone, client: c.request.Client,
	}, "", c.request.Source, c.s.Now())
	c.to(c.s.origin() + "/login?" + url.Values{"service": {c.service.Name}, "e": {id}}.Encode())
}

// goal is to, if it is the path of a page of the service, else the service's
// first page.
func (v *Service) goal(to string) string {
	if len(url.QueryEscape(to)) > maxTo || strings.HasPrefix(to, "//") || strings.Contains(to, `\`) ||
		strings.ContainsFunc(to, isControl) || !v.holds(to) || ours(to) {
		return v.prefix()
	}
	return to
}
