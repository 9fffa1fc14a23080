package config

import (
	"log/slog"
	"net"
	"net/netip"
)

// Log is how the log is written; it goes to standard error.
type Log struct {
	Format string // "text" or "json"
	Level  slog.Level
}

func readLog(t *table) Log {
	l := Log{Format: t.one("format", "text", "text", "json")}
	// What is not in the list has been replaced, so the level is always known.
	_ = l.Level.UnmarshalText([]byte(t.one("level", "info", "debug", "info", "warn", "error")))
	t.close()
	return l
}

// Metrics is where /metrics and /healthz answer.
type Metrics struct {
	Listen string // HOST:PORT; "" off
}

func readMetrics(t *table) Metrics {
	m := Metrics{Listen: t.text("listen", "127.0.0.1:9180")}
	switch {
	case m.Listen == "":
	case !isListen(m.Listen):
		t.fault("listen", `%q is no address to listen at; write it like "127.0.0.1:9180", or "" for off`, m.Listen)
	case !isLoopback(m.Listen):
		t.warn("listen", "%s can be read by the network and is not encrypted; listen at 127.0.0.1", m.Listen)
	}
	t.close()
	return m
}

func isLoopback(listen string) bool {
	host, _, _ := net.SplitHostPort(listen)
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// Process is what the program takes of the machine.
type Process struct {
	MemoryLimit int64 // octets, soft; as GOMEMLIMIT
	GOGC        int   // per cent
}

func readProcess(t *table) Process {
	p := Process{
		MemoryLimit: t.size("memory_limit", 200e6),
		GOGC:        t.number("gogc", 200, 10, 1000),
	}
	if p.MemoryLimit < 32e6 {
		t.fault("memory_limit", "is less than the program can work in; write 32MB or more")
	}
	t.close()
	return p
}
