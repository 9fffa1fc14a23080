package main

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"

	"sekisho/gate"
	"sekisho/radiusd"
)

// The roles in which this program starts itself again, as a process of its
// own whose CPU time can be read.
const (
	roleEcho = "echo"
	roleDoor = "door"

	roleHandler = "handler"
)

// play is such a process: it prints where it listens and serves until killed.
func play(role string) error {
	switch role {
	case roleEcho:
		return serveEcho()
	case roleDoor:
		return serveDoor()
	case roleHandler:
		return serveHandler()
	}
	return fmt.Errorf("there is no role %q", role)
}

// start starts this program in a role.
func (b *Bench) start(role string) (*peer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := b.launch(b.folder, self, "as", role)
	if err != nil {
		return nil, err
	}
	text, err := p.line("at ")
	if err != nil {
		return nil, err
	}
	to, err := netip.ParseAddrPort(text)
	return &peer{process: p, name: role, to: to}, err
}

// serveEcho returns each datagram as it came: all that a UDP server in Go can
// be compared with. One goroutine a processor, one datagram a system call.
func serveEcho() error {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(outside, 0)))
	if err != nil {
		return err
	}
	conn.SetReadBuffer(buffer)
	fmt.Println("at", conn.LocalAddr())
	failed := make(chan error)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			b := make([]byte, 4096)
			for {
				n, from, err := conn.ReadFromUDP(b)
				if err == nil {
					_, err = conn.WriteTo(b[:n], from)
				}
				if err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

// serveDoor is the RADIUS door alone, before a gate that admits everybody and
// without the bound on Status-Server that serve has.
func serveDoor() error {
	debug.SetMemoryLimit(200e6) // as serve does
	clients, err := radiusd.NewClients([]radiusd.Client{{
		Name: "bench", Prefix: netip.PrefixFrom(outside, 8).Masked(), Secrets: [][]byte{[]byte(secret)}, Service: "vpn",
	}})
	if err != nil {
		return err
	}
	s := &radiusd.Server{Gate: open{}, StatusMax: math.MaxInt32}
	s.SetClients(clients)
	if err := s.Listen([]string{netip.AddrPortFrom(outside, 0).String()}, nil); err != nil {
		return err
	}
	auth, _ := s.Addrs()
	fmt.Println("at", auth[0])
	return s.Serve()
}

// open is a gate that stands open.
type open struct{}

func (open) Admit(context.Context, gate.Request) (gate.Answer, error) {
	return gate.Answer{Outcome: gate.Admitted}, nil
}
func (open) Refuse(context.Context, gate.Request, gate.Fault) (gate.Answer, error) {
	return gate.Answer{}, nil
}
func (open) Alive() bool { return true }
