package gate

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// record is one Accounting-Request on its way into the store.
type record struct {
	Accounting
	gate   *Gate
	at     time.Time
	name   string         // canonical
	owner  *store.Account // of the name; nil: nobody's, or not known at present
	person string         // the owner's name, which a directory behind may know better; else name

	ticket   *store.Held  // of the person, at this client; nil: none was found
	strange  bool         // it brought a Class that is not its own
	address4 netip.Addr   // that lies in the tunnel
	address6 netip.Prefix // likewise
	foreign  bool         // it told an address that does not
}

// record begins one. A time that has not come yet would make all that follows
// look old, so it is taken for now, and for as good as none.
func (g *Gate) record(ctx context.Context, a Accounting) *record {
	r := &record{Accounting: a, gate: g, at: g.Now()}
	if r.Came.IsZero() {
		r.Came = r.at
	}
	if r.Event.IsZero() || r.Event.After(r.Came) {
		r.Event, r.Unstamped = r.Came, true
	}
	if r.User != "" {
		r.name = g.Directory.Canonical(r.User)
		// A record is kept although nobody can be looked up.
		r.owner, _ = g.owner(ctx, r.name)
		r.person = r.name
		if r.owner != nil {
			r.person = r.owner.Name
		}
	}
	return r
}

// owner is who signs in by the name. One that no row has may be another form
// of somebody's: an address, say. Only the directory behind can tell.
func (g *Gate) owner(ctx context.Context, name string) (*store.Account, error) {
	account, err := g.find(ctx, name)
	if err != nil || account != nil || !g.Directory.Behind() {
		return account, err
	}
	return g.Directory.Find(ctx, name)
}

// event is how the book has the record.
func (r *record) event(why reason.Code) store.Event {
	e := store.Event{
		At: r.at, Door: policy.DoorRADIUS, Client: r.Client, Service: r.Service,
		Source: r.Source.String(), How: r.Source.How, Outcome: "noticed", Reason: string(why), Detail: r.detail(r.Address4, r.Address6),
	}
	switch {
	case r.owner != nil:
		e.Typed, e.Person, e.Name = r.User, r.owner.ID, r.owner.Name
	case r.User != "":
		e.Typed = mask(r.User)
	}
	return e
}

// detail names what the record is of: the status where it is no usual one, and
// the addresses.
func (r *record) detail(address4 netip.Addr, address6 netip.Prefix) (text string) {
	switch r.Status {
	case AccountingStart, AccountingStop, AccountingInterim:
	case AccountingOn:
		text = "on "
	case AccountingOff:
		text = "off "
	default:
		text = "status " + strconv.FormatUint(uint64(r.Status), 10) + " "
	}
	if address4.IsValid() {
		text += "at " + address4.String() + " "
	}
	if address6.IsValid() {
		text += "at " + address6.String() + " "
	}
	return text + whose(r.NAS, r.Session)
}

// whose names a session and its machine. A session's name is any text, so it
// ends what is told.
func whose(nas, session string) string {
	var parts []string
	if nas != "" {
		parts = append(parts, "nas "+strings.Join(strings.Fields(nas), "_"))
	}
	if session != "" {
		parts = append(parts, "session "+session)
	}
	return strings.Join(parts, " ")
}

// believe sorts the addresses that are told: only those in the client's tunnel
// say anything.
func (r *record) believe() {
	in := func(p netip.Prefix) bool {
		return slices.ContainsFunc(r.Tunnel, func(tunnel netip.Prefix) bool {
			return tunnel.Bits() <= p.Bits() && tunnel.Contains(p.Addr())
		})
	}
	if a := r.Address4.Unmap(); a.IsValid() && in(netip.PrefixFrom(a, a.BitLen())) {
		r.address4 = a
	}
	if in(r.Address6) {
		r.address6 = r.Address6
	}
	r.foreign = len(r.Tunnel) > 0 &&
		(r.Address4.IsValid() != r.address4.IsValid() || r.Address6.IsValid() != r.address6.IsValid())
}
