package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Talk is a load over TCP: on each connection the next request leaves as soon
// as the one before was answered. One thread does it all, without a goroutine
// a connection: the servers shall have the processors.
type Talk struct {
	To       netip.AddrPort
	From     netip.Addr // local address; the zero one is outside
	Conns    int
	Greeting []byte   // on each connection, before the time starts; nil: none
	Requests [][]byte // dealt to whichever connection is free
	Unit     int      // how many of them in a row go to one connection, and are counted as one; 0: 1
	Fresh    bool     // each unit on a connection of its own; the time to connect is its, too
	Farewell []byte   // what ends a Fresh connection
	Order    order    // around or once
	For      time.Duration
	Parse    parse
}

// parse reads what answers a request from what has come. While that is not
// all there, used is 0; good says whether it is what was hoped for.
type parse func(b, request []byte) (used int, good bool, err error)

// caller is one connection of a Talk.
type caller struct {
	number  int
	fd      int
	unit    [][]byte  // what is still to be sent of the unit
	request []byte    // nil: nothing is outstanding
	sent    time.Time // when the unit was begun
	in      []byte    // what has come of its answer
}

// call is a Talk under way.
type call struct {
	*Talk
	callers []caller
	poll    int
	next    int // of the requests
	open    int // how many are outstanding
	start   time.Time
	tally   Tally
}

// Run connects, greets, sends and waits for the last answer.
func (t *Talk) Run() (*Tally, error) {
	c := &call{Talk: t, callers: make([]caller, t.Conns)}
	for i := range c.callers {
		c.callers[i] = caller{number: i, fd: -1, in: make([]byte, 0, 16<<10)}
	}
	defer c.hangUp()
	if err := c.connect(); err != nil {
		return nil, fmt.Errorf("connect to %v: %w", t.To, err)
	}
	if t.Greeting != nil {
		greeting := *t
		greeting.Requests, greeting.Unit = slices.Repeat([][]byte{t.Greeting}, t.Conns), 1
		greeting.Order, greeting.For = once, 0
		c.Talk = &greeting
		if err := c.run(); err != nil {
			return nil, fmt.Errorf("greet %v: %w", t.To, err)
		}
		if c.tally.Accepted != t.Conns {
			return nil, fmt.Errorf("greet %v: only %d of %d times well answered", t.To, c.tally.Accepted, t.Conns)
		}
		c.Talk, c.tally, c.next = t, Tally{}, 0
	}
	c.tally.Latency = make([]uint32, 0, 1<<20)
	if err := c.run(); err != nil {
		return nil, fmt.Errorf("talk to %v: %w", t.To, err)
	}
	slices.Sort(c.tally.Latency)
	return &c.tally, nil
}

func (c *call) connect() (err error) {
	if !c.From.IsValid() {
		c.From = outside
	}
	if c.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		c.poll = -1
		return err
	}
	for i := range c.callers {
		if c.Fresh {
			break // each when its unit begins
		}
		if err := c.dial(&c.callers[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) dial(x *caller) (err error) {
	if x.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		x.fd = -1
		return err
	}
	return errors.Join(
		// Else the ports of connections that are just over would run out.
		unix.SetsockoptInt(x.fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.Bind(x.fd, &unix.SockaddrInet4{Addr: c.From.As4()}),
		unix.Connect(x.fd, &unix.SockaddrInet4{Addr: c.To.Addr().As4(), Port: int(c.To.Port())}),
		unix.SetNonblock(x.fd, true),
		unix.SetsockoptInt(x.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.EpollCtl(c.poll, unix.EPOLL_CTL_ADD, x.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(x.number)}),
	)
}

// part ends a connection that had its unit.
func (c *call) part(x *caller) error {
	if c.Farewell != nil {
		if _, err := unix.Write(x.fd, c.Farewell); err != nil {
			return err
		}
	}
	err := unix.Close(x.fd)
	x.fd = -1
	return err
}

func (c *call) hangUp() {
	for _, x := range c.callers {
		if x.fd >= 0 {
			unix.Close(x.fd)
		}
	}
	if c.poll >= 0 {
		unix.Close(c.poll)
	}
}

// run sends and takes until nothing more is to be sent and nothing is
// outstanding.
func (c *call) run() error {
	c.start = time.Now()
	for i := range c.callers {
		if err := c.send(&c.callers[i], c.start); err != nil {
			return err
		}
	}
	events := make([]unix.EpollEvent, len(c.callers))
	for c.open > 0 {
		n, err := unix.EpollWait(c.poll, events, int(patience/time.Millisecond))
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case n == 0: // whoever has an answer due will not get it
			c.tally.Lost += c.open
			return nil
		}
		for _, e := range events[:n] {
			if err := c.take(&c.callers[e.Fd]); err != nil {
				return err
			}
		}
	}
	return nil
}

var errExcess = errors.New("it answers more than was asked")

// take reads what has come and, if that is an answer, goes on.
func (c *call) take(x *caller) error {
	if len(x.in) == cap(x.in) {
		x.in = slices.Grow(x.in, cap(x.in))
	}
	n, err := unix.Read(x.fd, x.in[len(x.in):cap(x.in)])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return nil
	case err != nil:
		return err
	case n == 0:
		return io.ErrUnexpectedEOF
	}
	x.in = x.in[:len(x.in)+n]
	if x.request == nil {
		return errExcess
	}
	used, good, err := c.Parse(x.in, x.request)
	if err != nil || used == 0 {
		return err
	}
	if used < len(x.in) {
		return errExcess
	}
	x.in, x.request = x.in[:0], nil
	if good && len(x.unit) > 0 {
		return c.write(x)
	}
	now := time.Now()
	if good {
		c.tally.Accepted++
	} else {
		c.tally.Refused++
	}
	c.tally.Latency = append(c.tally.Latency, uint32(now.Sub(x.sent)/time.Microsecond))
	c.tally.Took = now.Sub(c.start)
	c.open--
	if c.Fresh {
		if err := c.part(x); err != nil {
			return err
		}
	}
	return c.send(x, now)
}

// send begins the next unit, if there is one.
func (c *call) send(x *caller, now time.Time) error {
	if c.next == len(c.Requests) && c.Order == around {
		c.next = 0
	}
	if c.next == len(c.Requests) || c.For > 0 && now.Sub(c.start) >= c.For {
		return nil
	}
	end := c.next + max(c.Unit, 1)
	x.unit, x.sent = c.Requests[c.next:end], now
	c.next = end
	c.open++
	c.tally.Sent++
	if c.Fresh {
		if err := c.dial(x); err != nil {
			return err
		}
	}
	return c.write(x)
}

// write sends the next message of a unit.
func (c *call) write(x *caller) error {
	x.request, x.unit = x.unit[0], x.unit[1:]
	n, err := unix.Write(x.fd, x.request)
	if err == nil && n < len(x.request) {
		err = io.ErrShortWrite
	}
	return err
}
