package gate

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"

	"sekisho/internal/store"
	"sekisho/policy"
)

// attach finds the ticket of the record's session: by the Class that came with
// the Access-Accept or, where the NAS does not send it back, by the address
// that came with it, or by the Accept itself. A Class that is not the session's
// own leaves it without.
func (r *record) attach(ctx context.Context) (err error) {
	if r.name == "" {
		return nil
	}
	r.ticket, r.strange, err = r.byClass(ctx)
	if err == nil && r.ticket == nil && !r.strange {
		r.ticket, err = r.byLease(ctx)
	}
	if err == nil && r.ticket == nil && !r.strange {
		r.ticket, err = r.byAccept(ctx)
	}
	return err
}

// byClass finds the ticket of the Class that was made for this client and this
// person. strange tells that there is one like it, but for another, or forged.
func (r *record) byClass(ctx context.Context) (h *store.Held, strange bool, err error) {
	for _, class := range r.Class {
		if !strings.HasPrefix(class, classPrefix) {
			continue
		}
		h, err := r.gate.ofClass(ctx, class, r.Client)
		if err != nil || h != nil && (h.Name == r.person || h.Name == r.User) {
			return h, false, err
		}
		strange = true
	}
	return nil, strange, nil
}

// ofClass is the ticket that [Gate.class] made the Class of, for this client;
// nil if it made none.
func (g *Gate) ofClass(ctx context.Context, class, client string) (*store.Held, error) {
	name, sum, _ := strings.Cut(strings.TrimPrefix(class, classPrefix), ".")
	id, err := g.Store.ParseTicket(name)
	if err != nil {
		return nil, nil
	}
	mac, err := encoding.DecodeString(sum)
	if err != nil || !g.Ring.VerifyCut(classUse, mac, classParts(id, client)...) {
		return nil, nil
	}
	h, err := g.Store.Held(ctx, id)
	if errors.Is(err, store.ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if h.Door != policy.DoorRADIUS { // whose clients may have the name of another door's
		return nil, nil
	}
	return &h, nil
}

func classParts(id int64, client string) [][]byte {
	return [][]byte{binary.BigEndian.AppendUint64(nil, uint64(id)), []byte(client)}
}

// byLease finds the ticket that the session's address was given to, by this
// client and to this person: there is no other that it could be.
func (r *record) byLease(ctx context.Context) (*store.Held, error) {
	for _, addr := range []netip.Addr{r.address4, r.address6.Addr()} {
		if !addr.IsValid() {
			continue
		}
		client, id, err := r.gate.Store.LeaseOf(ctx, addr, r.at)
		if errors.Is(err, store.ErrUnknown) || err == nil && client != r.Client {
			continue
		}
		if err != nil {
			return nil, err
		}
		h, err := r.gate.Store.Held(ctx, id)
		if errors.Is(err, store.ErrUnknown) || err == nil && h.Name != r.person {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &h, nil
	}
	return nil, nil
}

// byAccept finds the ticket by the Access-Accept a minute or less before the
// session: of the same client, person and source, and only if there is no
// other that it could be of. A record that does not tell how long ago the
// session began may be of an older one. When it began is told by the NAS's
// clock: a Start that comes late must not take the ticket of the next dial-in.
func (r *record) byAccept(ctx context.Context) (*store.Held, error) {
	if r.Status == AccountingStop || r.Status == AccountingInterim && r.Lasted == 0 {
		return nil, nil
	}
	var only *store.Held
	for _, id := range r.gate.accepts.before(accept{r.Client, r.person, r.Source.told()}, r.Event.Add(-r.Lasted)) {
		h, err := r.gate.Store.Held(ctx, id)
		if errors.Is(err, store.ErrUnknown) || err == nil && !h.Live(r.at) {
			continue
		}
		if err != nil {
			return nil, err
		}
		of, err := r.gate.Store.SessionsOf(ctx, id)
		switch {
		case err != nil:
			return nil, err
		case len(of) > 0: // another's
		case only != nil:
			return nil, nil
		default:
			only = &h
		}
	}
	return only, nil
}
