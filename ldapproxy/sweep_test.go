package ldapproxy

import (
	"testing"

	"sekisho/ldapproxy/links/linkstest"
	"sekisho/ldapproxy/wire"
)

// rested has the server look twice for links that rest, so that the first look
// is through.
func (r *relayRig) rested() {
	r.t.Helper()
	for range 3 {
		r.goes(spareEvery)
	}
}

// resting waits until so many links are nobody's.
func (r *relayRig) resting(n int) {
	r.t.Helper()
	eventually(r.t, func() bool {
		_, resting := r.links.Len()
		return resting == n
	})
}

// taken waits until so many links are somebody's.
func (r *relayRig) taken(n int) {
	r.t.Helper()
	eventually(r.t, func() bool {
		all, resting := r.links.Len()
		return all-resting == n
	})
}

// Clients that have shown nothing do not keep links from everybody else by
// doing nothing.
func TestAnonymousClientsKeepNoLinks(t *testing.T) {
	open := relayApp()
	open.Anonymous = true
	r := startRelay(t, func(r *relayRig) { r.up.Max = 3 }, open)
	var idle []*peer
	for range 3 {
		p := r.dial()
		p.wants(wire.ResultSuccess, searchOp(behindBase, 2)) // answered; nothing is in work
		idle = append(idle, p)
	}
	r.rested()
	r.resting(3)
	r.bound()
	for _, p := range idle {
		p.wants(wire.ResultSuccess, searchOp(behindBase, 2)) // over another link
		r.rested()
		r.resting(2)
	}
	r.up.Await(3, 3)
	for _, b := range r.up.SeenBinds()[1:] {
		if b.DN != "" {
			t.Errorf("bound as %q", b.DN)
		}
	}
}

// Nor does one person with an application password.
func TestClientsWithAnApplicationPasswordKeepNoLinks(t *testing.T) {
	for _, proxied := range []bool{false, true} {
		r := startRelay(t, func(r *relayRig) { r.lends(proxied); r.up.Max = 3 })
		var idle []*peer
		for range 2 { // of two applications one has no more
			p := r.dial()
			p.wants(wire.ResultSuccess, bindOp(aliceBehind, appOfAlice))
			p.wants(wire.ResultSuccess, searchOp(behindBase, 2))
			idle = append(idle, p)
		}
		r.rested()
		r.resting(2)
		q := r.dial()
		q.wants(wire.ResultSuccess, bindOp(bobBehind, "hunter2"+codeOfAlice))
		for _, p := range idle {
			p.wants(wire.ResultSuccess, searchOp(behindBase, 2))
			if who := p.who(); who != "dn:"+aliceBehind {
				t.Errorf("is %q", who)
			}
			r.rested()
			r.resting(1)
		}
		if who := q.who(); who != "dn:"+bobBehind {
			t.Errorf("is %q", who)
		}
	}
}

// A link on which somebody has bound stays with them, and so does one on which
// something goes on.
func TestLinkThatIsNeededIsKept(t *testing.T) {
	open := relayApp()
	open.Anonymous = true
	watched := observed()
	for name, c := range map[string]struct {
		app   App
		begin func(*relayRig, *peer)
	}{
		"a person's": {open, func(r *relayRig, p *peer) {
			p.wants(wire.ResultSuccess, bindOp(aliceBehind, "secret"+codeOfAlice))
		}},
		"a service account's": {open, func(r *relayRig, p *peer) {
			p.wants(wire.ResultSuccess, bindOp(mailBehind, mailPassword))
		}},
		"a search in work": {open, func(r *relayRig, p *peer) {
			p.send(p.put(filterOp(equals("uid", "slow"))))
			r.up.AwaitSeen(wire.OpSearch, 1)
		}},
		"a paged search": {open, func(r *relayRig, p *peer) {
			p.send(p.put(searchOp(behindBase, 2), wire.AppendControls(nil, []wire.Control{wire.PagedControl(10, nil)})[2:]))
			p.receive()
		}},
		"an observed one's": {watched, func(r *relayRig, p *peer) { p.wants(wire.ResultSuccess, searchOp(behindBase, 2)) }},
	} {
		t.Run(name, func(t *testing.T) {
			r := startRelay(t, func(r *relayRig) {
				r.up.Reply = func(x *linkstest.Exchange) {
					_, paged := x.Control(wire.OIDPaged)
					switch {
					case paged:
						x.Send(x.Result(wire.ResultSuccess, "", wire.PagedControl(0, []byte("more"))))
					case x.Op == wire.OpSearch && name == "a search in work":
					default:
						x.Usual()
					}
				}
			}, c.app)
			p := r.dial()
			c.begin(r, p)
			r.rested()
			p.wants(wire.ResultSuccess, searchOp("", 0)) // answered here, so the look is through
			r.crowd.each(func(c *conn) {
				if !c.behind.holds() {
					t.Error("given back")
				}
			})
			p.Close() // a search in work would be waited for at the end
			r.ends(byClient, 1)
		})
	}
}

// What a client has abandoned does not keep a link that is nobody's own.
func TestAbandonedSearchKeepsNoLink(t *testing.T) {
	open := relayApp()
	open.Anonymous = true
	r := startRelay(t, func(r *relayRig) {
		r.up.Reply = func(*linkstest.Exchange) {} // to nothing
	}, open)
	p := r.dial()
	p.send(p.put(searchOp(behindBase, 2)), p.put(wire.Element(wire.OpAbandon, []byte{1})))
	r.up.AwaitSeen(wire.OpAbandon, 1)
	r.rested()
	r.taken(0)
	r.up.Await(0, 1) // and it is for nobody else
	if who := p.who(); who != "" {
		t.Errorf("is %q", who)
	}
}

// Nobody is kept signed in who asks nothing any more.
func TestEndedTicketTakesTheLinkFromAnIdleClient(t *testing.T) {
	r := startRelay(t, nil)
	p := r.bound()
	r.goes(sweepEvery)
	r.goes(sweepEvery) // so the first look is through
	p.who()
	if r.gate.standings.Load() == 0 {
		t.Error("not looked at")
	}
	q := r.bound()
	r.gate.ended.Store(true)
	r.goes(sweepEvery)
	r.resting(2)
	r.gate.ended.Store(false)
	// A pool that keeps the connection binds on it again.
	p.wants(wire.ResultSuccess, bindOp(bobBehind, "hunter2"))
	if who := p.who(); who != "dn:"+bobBehind {
		t.Errorf("is %q", who)
	}
	// Who does not is told, even if the ticket were good again.
	q.send(q.put(searchOp(behindBase, 2)))
	q.notice(wire.ResultStrongerAuthRequired)
	r.ends(byTicket, 1)
}

// To look whether a session still stands is not to use it.
func TestLookIsNoUse(t *testing.T) {
	s := &Server{Gate: new(fakeGate)}
	s.setup()
	w := new(socket)
	c := s.newConn(new(Listener), w)
	c.session = session{dn: aliceDN, table: s.table.Load()}
	for range 5 {
		c.Read(make([]byte, 1))
		c.call(staying)
		if why := c.step(); why != staying {
			t.Fatalf("ended by %s", why)
		}
	}
	for _, at := range w.deadlines {
		if at.Unix() != 1 && !at.Equal(w.deadlines[0]) {
			t.Errorf("may wait %v longer", at.Sub(w.deadlines[0]))
		}
	}
}

// A search that nobody has bound for does not outlive the setting that allowed
// it.
func TestNobodysSearchEndsWithTheSetting(t *testing.T) {
	for name, change := range map[string]func(*App, bool){
		"observe":   func(a *App, on bool) { a.Observe = on },
		"anonymous": func(a *App, on bool) { a.Anonymous = on },
	} {
		t.Run(name, func(t *testing.T) {
			app := relayApp()
			change(&app, true)
			var let chan bool
			r := startRelay(t, func(r *relayRig) { let = holding(r.up) }, app)
			p := r.dial()
			p.send(p.put(searchOp(behindBase, 2)))
			r.up.AwaitSeen(wire.OpSearch, 1)
			change(&app, false)
			r.SetApps(mustApps(t, app))
			p.notice(wire.ResultStrongerAuthRequired)
			let <- true
			r.up.Await(0, 1)
		})
	}
}

// A session does not go on as another application's that may do more.
func TestSessionDoesNotMoveToAnotherApplication(t *testing.T) {
	other := relayApp()
	other.Name, other.Accounts = "other", nil
	for name, c := range map[string]struct {
		change func(*App)
		stays  bool
	}{
		"called otherwise": {func(*App) {}, true},
		"writes":           {func(a *App) { a.Writes = true }, false},
		"referrals":        {func(a *App) { a.Referrals = true }, false},
		"observed":         {func(a *App) { a.Observe = true }, false},
		"the same":         {func(a *App) { a.Name, a.Writes = "dovecot", true }, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := startRelay(t, nil, relayApp())
			p := r.bound()
			app := other
			c.change(&app)
			r.SetApps(mustApps(t, app))
			if !c.stays {
				p.send(p.put(searchOp(behindBase, 2)))
				p.notice(wire.ResultStrongerAuthRequired)
				return
			}
			if who := p.who(); who != "dn:"+aliceBehind {
				t.Errorf("is %q", who)
			}
		})
	}
}
