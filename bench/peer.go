package main

import (
	"net/netip"
	"time"
)

// Where requests come from decides what they need: the servers know these two
// addresses as two clients.
var (
	outside = netip.AddrFrom4([4]byte{127, 0, 0, 1}) // password and code
	inside  = netip.AddrFrom4([4]byte{127, 0, 0, 2}) // password
)

// crowded is one of a few more addresses: a server bounds the connections of
// each.
func crowded(i int) netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 1, byte(1 + i)}) }

// peer is a contestant at work.
type peer struct {
	*process
	name  string
	to    netip.AddrPort
	acct  netip.AddrPort // where it takes accounting; zero: nowhere
	first time.Time      // when it gave its first answer; zero: not looked at

	behind *process // whom it asks; its processor time counts, too. nil: nobody
}

// cpu is the processor time that its answers have cost.
func (p *peer) cpu() time.Duration {
	if p.behind == nil {
		return p.process.cpu()
	}
	return p.process.cpu() + p.behind.cpu()
}
