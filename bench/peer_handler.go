package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"
)

// serveHandler answers every HTTP request with an empty 200: all that a web
// server in Go can be compared with. It is set up as serve does it.
func serveHandler() error {
	debug.SetGCPercent(200)
	debug.SetMemoryLimit(200e6)
	l, err := net.Listen("tcp4", netip.AddrPortFrom(outside, 0).String())
	if err != nil {
		return err
	}
	fmt.Println("at", l.Addr())
	s := &http.Server{
		Handler:           http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	return s.Serve(l)
}
