package radiusd

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"sekisho/gate"
)

// How long the answer to an order is waited for (RFC 5080 §2.2.1): about 2 s,
// 4, 8 and 16, so that there is a fifth try only if these came out short.
const (
	firstWait   = 2 * time.Second
	longestWait = 16 * time.Second
	longestTry  = 30 * time.Second // all tries; there are four or five
)

// exchange sends an order until its NAS answers it, and returns what that
// decided. All tries are the same octets from the same port: to the NAS they
// are one request. The zero verdict means that ctx ended.
func (s *Server) exchange(ctx context.Context, n *nas, o *gate.Order) verdict {
	to, key := n.Disconnect.To, newSecret(n.Disconnect.Secret)
	// The socket is for this order alone, so any Identifier is free.
	request := packet(order(byte(rand.Uint32()), o, n.calls(o.NAS), &n.Client, key, s.Now()))
	if request == nil {
		return tooLong
	}
	conn, err := s.reach(to)
	if err != nil {
		s.unsent(n, err)
		return silent
	}
	came, closed := make(chan []byte), make(chan struct{})
	go hear(conn, came, closed)
	defer func() {
		conn.Close()
		close(closed)
		for range came { // until nobody hears any more
		}
	}()

	left := longestTry
	for wait := jitter(firstWait, firstWait); left > 0; wait = next(wait) {
		// What the network says of one try, such as "port unreachable", fails
		// the next, which then was not sent.
		if _, err := conn.Write(request); err != nil {
			if _, err = conn.Write(request); err != nil {
				s.unsent(n, err)
			}
		}
		wait = min(wait, left)
		left -= wait
		if v, over := s.await(ctx, n, request, key, came, s.alarm(wait)); over {
			return v
		}
	}
	return silent
}

// await takes what arrives until the answer is among it, or the time is up.
// What is no answer neither ends the wait nor makes it longer.
func (s *Server) await(ctx context.Context, n *nas, request packet, key *secret, came <-chan []byte, late <-chan struct{}) (v verdict, over bool) {
	for {
		select {
		case <-ctx.Done():
			return verdict{}, true
		case <-late:
			return verdict{}, false
		case datagram := <-came:
			answer, why := answerTo(request, datagram, key)
			if why == kept {
				return decided(answer), true
			}
			s.metrics.strays.WithLabelValues(n.Name, string(why)).Inc()
			s.complain(n, n.Disconnect.To, slog.LevelWarn, "this does not answer the order", "order_"+string(why), s.Now())
		}
	}
}

func (s *Server) unsent(n *nas, err error) {
	s.complain(n, n.Disconnect.To, slog.LevelWarn, "an order could not be sent", "order_unsent", s.Now(), "error", err)
}

// next is how long the try after one of this wait waits.
func next(wait time.Duration) time.Duration {
	if wait = jitter(2*wait, wait); wait > longestWait {
		return jitter(longestWait, longestWait)
	}
	return wait
}

// jitter is d, and up to a tenth of spread more or less, so that the orders
// of many sessions don't come in step.
func jitter(d, spread time.Duration) time.Duration {
	return d - spread/10 + rand.N(spread/5)
}

// alarm is a channel that is closed once the time has passed.
func (s *Server) alarm(d time.Duration) <-chan struct{} {
	c := make(chan struct{})
	s.After(d, func() { close(c) })
	return c
}

// hear hands on what arrives at a socket until that is closed, and then
// closes came. A read fails for each try that finds nobody there; if far more
// do, nothing is expected of this socket any more.
func hear(conn *net.UDPConn, came chan<- []byte, closed <-chan struct{}) {
	defer close(came)
	var room [maxPacketLen + 1]byte
	for failed := 0; failed < readsFailed; {
		size, err := conn.Read(room[:])
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			failed++
			continue
		}
		select {
		case came <- bytes.Clone(room[:size]):
		case <-closed:
			return
		}
	}
	<-closed
}

// reach connects a socket to where a NAS takes orders. It takes them from the
// servers that it knows only: where we don't listen on the address that the
// route there prefers, the order leaves from the first one that we do listen
// on.
func (s *Server) reach(to netip.AddrPort) (*net.UDPConn, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, err
	}
	from := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	known := s.knownBy(from)
	if known == from {
		return conn, nil
	}
	conn.Close()
	return net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(known, 0)), net.UDPAddrFromAddrPort(to))
}

// knownBy is the address to speak from: addr if we listen on it or on none of
// its kind.
func (s *Server) knownBy(addr netip.Addr) netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := addr
	for _, k := range s.sockets {
		local := k.local.Addr().Unmap()
		switch {
		case local == addr, local.Is4() == addr.Is4() && local.IsUnspecified():
			return addr
		case known == addr && local.Is4() == addr.Is4() && local.IsLoopback() == addr.IsLoopback():
			known = local
		}
	}
	return known
}
