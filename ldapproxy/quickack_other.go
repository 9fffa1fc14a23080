//go:build !linux

package ldapproxy

import "net"

// acknowledge is for Linux only.
func acknowledge(net.Conn) {}
