package upstream

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// Start begins to check the servers, each by itself: one that hangs keeps
// nobody from noticing that another is back. Close ends it.
func (s *Servers) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	for _, one := range s.all() {
		s.checks.Go(func() { s.watch(ctx, one) })
	}
}

// Close ends the checks and waits until they have ended.
func (s *Servers) Close() {
	if s.cancel != nil {
		s.cancel()
	}
	s.checks.Wait()
}

func (s *Servers) watch(ctx context.Context, one *state) {
	after := s.After
	if after == nil {
		after = time.After
	}
	for {
		s.check(ctx, one)
		select {
		case <-ctx.Done():
			return
		case <-one.doubted:
		case <-after(cmp.Or(s.Every, 10*time.Second)):
		}
	}
}

// Doubt has a server checked now: it did not answer a request. By itself that
// does not make it one that is down: it may have been the request.
func (s *Servers) Doubt(server Server) {
	for _, one := range s.all() {
		if one.Server == server {
			select {
			case one.doubted <- struct{}{}:
			default:
			}
		}
	}
}

// Check checks all servers at once and returns how they are.
func (s *Servers) Check(ctx context.Context) []Status {
	var all sync.WaitGroup
	for _, one := range s.all() {
		all.Go(func() { s.check(ctx, one) })
	}
	all.Wait()
	return s.Status()
}

// check finds out how a server is, unless ctx ends meanwhile.
func (s *Servers) check(ctx context.Context, one *state) {
	began := s.now()
	dse, err := s.ask(ctx, one)
	took := s.now().Sub(began)
	if ctx.Err() != nil {
		return
	}
	one.mu.Lock()
	one.status.Took = took
	if dse != nil {
		one.dse = dse
	}
	one.mu.Unlock()
	s.turn(one, err)
}

// ask reads the server's RootDSE over a connection of its own. Nil without an
// error means that it answers, but shows none to strangers.
func (s *Servers) ask(ctx context.Context, one *state) (map[string][]string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	conn, err := s.open(ctx, one, s.timeout())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer limited(ctx, conn)()
	dse, err := readDSE(conn)
	if err != nil {
		return nil, fmt.Errorf("read its RootDSE: %w", late(ctx, err))
	}
	conn.Write(unbindRequest)
	return dse, nil
}

// dseRequest asks for all attributes of the RootDSE (RFC 4512 §5.1), the
// operational ones, too (RFC 3673).
var dseRequest = message(1, tlv(tagSearchRequest,
	tlv(tagOctets),                   // base ""
	[]byte{tagEnumerated, 1, 0},      // baseObject
	[]byte{tagEnumerated, 1, 0},      // neverDerefAliases
	[]byte{tagInteger, 1, 1},         // entries
	[]byte{tagInteger, 1, 5},         // seconds
	[]byte{0x01, 1, 0},               // not types only
	tlv(0x87, []byte("objectClass")), // present
	tlv(tagSequence, tlv(tagOctets, []byte("*")), tlv(tagOctets, []byte("+"))),
))

func readDSE(conn net.Conn) (map[string][]string, error) {
	if _, err := conn.Write(dseRequest); err != nil {
		return nil, err
	}
	var dse map[string][]string
	for range 8 { // an entry, perhaps references, and the end
		r, err := readResponse(conn, maxDSE)
		if err != nil {
			return nil, err
		}
		switch r.tag {
		case tagSearchEntry:
			if dse, err = readAttributes(r.op); err != nil {
				return nil, err
			}
		case tagSearchDone:
			a, err := r.answer()
			if err != nil {
				return nil, err
			}
			if a.failing() {
				return nil, fmt.Errorf("refused with %d %q", a.Code, a.Diagnostic)
			}
			return dse, nil
		}
	}
	return nil, fmt.Errorf("%w: a search of one entry does not end", errForm)
}

// readAttributes reads a SearchResultEntry (RFC 4511 §4.5.2).
func readAttributes(b []byte) (map[string][]string, error) {
	_, _, b, err := next(b) // its name
	if err != nil {
		return nil, err
	}
	_, list, _, err := next(b)
	if err != nil {
		return nil, err
	}
	attributes := make(map[string][]string)
	for len(list) > 0 {
		var one []byte
		if _, one, list, err = next(list); err != nil {
			return nil, err
		}
		_, name, one, err := next(one)
		if err != nil {
			return nil, err
		}
		_, values, _, err := next(one)
		if err != nil {
			return nil, err
		}
		for len(values) > 0 {
			var value []byte
			if _, value, values, err = next(values); err != nil {
				return nil, err
			}
			attributes[string(name)] = append(attributes[string(name)], string(value))
		}
	}
	return attributes, nil
}
