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

// peer is a contestant at work.
type peer struct {
	*process
	name  string
	to    netip.AddrPort
	first time.Time // when it gave its first answer; zero: not looked at
}
