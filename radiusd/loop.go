package radiusd

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
	"layeh.com/radius"
	"sekisho/gate"
)

const (
	batchSize   = 64  // datagrams a system call
	readsFailed = 100 // in a row: the socket is given up
)

// socket is one of an address's sockets, with its reader, its sender and what
// it was answered. The kernel always hands one source the same socket, so
// sockets share nothing.
type socket struct {
	server   *Server
	takes    radius.Code // of the requests that come here; any socket takes Status-Server
	conn     *net.UDPConn
	batch    batcher
	local    netip.AddrPort
	wildcard bool
	cache    *cache
	hash     maphash.Hash // the reader's
	letters  chan letter  // to the sender
}

// letter is a datagram that is to leave.
type letter struct {
	octets  []byte
	to      net.Addr
	control []byte // makes it leave from the address that was asked; nil: from the socket's
	entry   *entry // nil: answers a Status-Server
	nas     *nas
}

// read takes datagrams until the server stops. What can be answered at once
// is, a batch in one system call.
func (k *socket) read() error {
	in := make([]ipv4.Message, batchSize)
	for i := range in {
		in[i].Buffers = [][]byte{make([]byte, maxPacketLen)}
		if k.wildcard {
			in[i].OOB = make([]byte, unix.CmsgSpace(unix.SizeofInet6Pktinfo))
		}
	}
	out := newPostbag(k)
	for failed := 0; ; {
		n, err := k.batch.ReadBatch(in, 0)
		if k.server.stopping.Load() {
			return nil
		}
		if err != nil {
			failed++
			if failed >= readsFailed || errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("radius: %v: %w", k.local, err)
			}
			continue
		}
		failed = 0
		now := k.server.Now()
		for i := range in[:n] {
			m := &in[i]
			if l, ok := k.receive(m.Buffers[0][:m.N], m.Addr, m.OOB[:m.NN], now); ok {
				out.add(l)
			}
		}
		out.post()
	}
}

// receive deals with one datagram: it drops it, gives it to a worker, or
// returns the letter that answers it. Nothing it was given is kept.
func (k *socket) receive(datagram []byte, addr net.Addr, control []byte, now time.Time) (l letter, ok bool) {
	s := k.server
	n, from := s.unknown, netip.AddrPort{}
	defer func() {
		if p := recover(); p != nil {
			s.panicked(n, from, p, now)
			l, ok = letter{}, false
		}
	}()
	if n, from, ok = s.sender(addr); !ok {
		return letter{}, false
	}
	p, o, key, why := n.check(datagram, k.takes)
	if why != kept {
		s.dropped(n, from, why, now)
		return letter{}, false
	}
	n.counters.seen.Set(float64(now.Unix()))
	n.evidence.saw(now)
	at := slot{from: from, code: p.code(), identifier: p.identifier()}
	if len(control) > 0 {
		at.to = asked(control)
	} else {
		control = nil
	}
	answer := letter{to: addr, control: control, nas: n}

	if isStatus(p) {
		if why := s.status(n, now); why != kept {
			s.dropped(n, from, why, now)
			return letter{}, false
		}
		answer.octets = statusReply(k.alive(), p, key)
		return answer, true
	}
	known, e := k.cache.meet(at, k.sum(p, n, key), n.Name, now)
	switch known {
	case inWork:
		n.counters.inWork.Inc()
		s.dropped(n, from, dropInWork, now)
		return letter{}, false
	case answered:
		n.counters.again.Inc()
		n.evidence.again(now)
		answer.octets, answer.entry = e.reply, e
		return answer, true
	}
	if !o.named {
		s.nameless(n, from)
	}
	if k.takes == radius.CodeAccessRequest {
		s.noted(n, &o, now)
	}
	answer.control, answer.entry = bytes.Clone(control), e
	s.take(&job{
		socket: k, letter: answer, entry: e,
		packet: bytes.Clone(p), secret: key, from: from, came: now,
		// Without a Message-Authenticator anybody could put a flood first.
		first: o.continues && o.mac != 0 && n.Challenge != gate.ChallengeNever,
	})
	return letter{}, false
}

// sender is the client at the address, unknown if there is none; ok is false
// where the address is not one of UDP.
func (s *Server) sender(addr net.Addr) (n *nas, from netip.AddrPort, ok bool) {
	udp, ok := addr.(*net.UDPAddr)
	if !ok {
		return s.unknown, netip.AddrPort{}, false
	}
	from = udp.AddrPort()
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	if n = s.table.Load().find(from.Addr()); n == nil {
		n = s.unknown
	}
	return n, from, true
}

// status is why a Status-Server is not answered; kept: it is.
func (s *Server) status(n *nas, now time.Time) drop {
	switch {
	case !n.status.take(now, float64(s.StatusMax)):
		return dropStatusRate
	case !s.Gate.Alive():
		return dropStore
	}
	return kept
}

// check frames a datagram and decides whether the client sent it: all that
// stands between the network and the gate. Nothing was answered, kept or
// remembered for what fails here. The code is what the socket takes.
func (n *nas) check(datagram []byte, takes radius.Code) (packet, outline, *secret, drop) {
	if len(n.secrets) == 0 {
		return nil, outline{}, nil, dropClient
	}
	p, why := frame(datagram)
	if why != kept {
		return nil, outline{}, nil, why
	}
	switch p.code() {
	case takes, radius.CodeStatusServer:
	case radius.CodeAccessRequest, radius.CodeAccountingRequest:
		return nil, outline{}, nil, dropPort
	default:
		return nil, outline{}, nil, dropCode
	}
	o := survey(p)
	key, why := n.believe(p, &o)
	return p, o, key, why
}

func isStatus(p packet) bool { return p.code() == radius.CodeStatusServer }

// alive is the code that answers a Status-Server (RFC 5997 §4.2).
func (k *socket) alive() radius.Code {
	if k.takes == radius.CodeAccountingRequest {
		return radius.CodeAccountingResponse
	}
	return radius.CodeAccessAccept
}

// sum is the keyed hash by which a retransmission is known. The client and
// the secret are in it, so that an answer made under others is not sent.
func (k *socket) sum(p packet, n *nas, key *secret) uint64 {
	k.hash.Reset()
	k.hash.Write(p)
	k.hash.WriteString(n.Name)
	k.hash.Write(key.key)
	return k.hash.Sum64()
}

// noted counts what a client's Access-Requests are like.
func (s *Server) noted(n *nas, o *outline, now time.Time) {
	n.evidence.request(o, now)
	s.metrics.methods.WithLabelValues(n.Name, o.method.label()).Inc()
	if o.mac != 0 {
		n.counters.mac.Inc()
	} else {
		n.counters.noMAC.Inc()
	}
	if o.proxied {
		n.counters.proxied.Inc()
	}
}

// nameless warns of a client that does not say who it is.
func (s *Server) nameless(n *nas, from netip.AddrPort) {
	n.nameless.Do(func() {
		s.log.Warn("the client sends neither NAS-IP-Address, NAS-IPv6-Address nor NAS-Identifier (RFC 2865 section 4.1, RFC 2866 section 4.1)",
			"client", n.Name, "from", from.String())
	})
}

func (s *Server) panicked(n *nas, from netip.AddrPort, what any, now time.Time) {
	s.dropped(n, from, dropPanic, now)
	s.complain(n, from, slog.LevelError, "a request was given up", fmt.Sprintf("panic: %T", what), now,
		"panic", what, "stack", string(debug.Stack()))
}

// send lets the workers' letters leave, as many in one system call as there
// are. Answers come in crowds, one for each settlement of a commit, so it
// steps back while the crowd grows.
func (k *socket) send() {
	out := newPostbag(k)
	for {
		select {
		case l := <-k.letters:
			out.add(l)
		case <-k.server.quit:
			return
		}
		for grew := true; grew && !out.full(); {
			runtime.Gosched()
			grew = k.collect(out)
		}
		done := len(out.letters)
		out.post()
		k.server.work.Add(-done)
	}
}

// collect takes the letters that lie there and reports whether there were any.
func (k *socket) collect(out *postbag) (some bool) {
	for !out.full() {
		select {
		case l := <-k.letters:
			out.add(l)
			some = true
		default:
			return some
		}
	}
	return some
}

// postbag gathers letters.
type postbag struct {
	socket   *socket
	letters  []letter
	messages []ipv4.Message
}

func newPostbag(k *socket) *postbag {
	b := &postbag{socket: k, messages: make([]ipv4.Message, batchSize)}
	for i := range b.messages {
		b.messages[i].Buffers = make([][]byte, 1)
	}
	return b
}

func (b *postbag) add(l letter) { b.letters = append(b.letters, l) }
func (b *postbag) full() bool   { return len(b.letters) == batchSize }

// post sends what was gathered, at most batchSize letters. An answer whose
// request was replaced while it lay here stays behind.
func (b *postbag) post() {
	s := b.socket.server
	letters := b.letters[:0]
	for _, l := range b.letters {
		if l.entry != nil && l.entry.stale.Load() {
			s.metrics.dropped.WithLabelValues(l.nas.Name, string(dropSuperseded)).Inc()
			continue
		}
		m := &b.messages[len(letters)]
		m.Buffers[0], m.Addr, m.OOB = l.octets, l.to, l.control
		letters = append(letters, l)
	}
	for rest := b.messages[:len(letters)]; len(rest) > 0; {
		n, err := b.socket.batch.WriteBatch(rest, 0)
		n = max(n, 0)
		for _, l := range letters[:n] {
			if l.entry == nil {
				l.nas.counters.statuses.Inc()
			} else {
				l.nas.counters.left(radius.Code(l.octets[0]))
			}
		}
		if err != nil && n < len(letters) { // the first that is left can't be sent
			s.metrics.dropped.WithLabelValues(letters[n].nas.Name, string(dropSend)).Inc()
			to := letters[n].to.(*net.UDPAddr).AddrPort()
			s.complain(letters[n].nas, to, slog.LevelWarn, "a reply could not be sent", string(dropSend), s.Now(), "error", err)
			n++
			if errors.Is(err, os.ErrClosed) || errors.Is(err, net.ErrClosed) {
				n = len(letters)
			}
		}
		rest, letters = rest[n:], letters[n:]
	}
	clear(b.letters)
	b.letters = b.letters[:0]
}
