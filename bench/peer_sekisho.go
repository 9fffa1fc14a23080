package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// compile builds the program that is measured.
func (b *Bench) compile() error {
	b.program = filepath.Join(b.folder, "sekisho")
	command := exec.Command("go", "build", "-trimpath", "-o", b.program, "sekisho/cmd/sekisho")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build sekisho: %w\n%s", err, out)
	}
	return nil
}

// sekisho starts the program on a house.
func (b *Bench) sekisho(h *house) (*peer, error) {
	p, err := b.launch(h.folder, b.program, "serve", "-c", filepath.Join(h.folder, "config.toml"))
	if err != nil {
		return nil, err
	}
	x := &peer{process: p, name: "sekisho"}
	for _, socket := range []struct {
		prefix string
		addr   *netip.AddrPort
	}{{"radius  udp ", &x.to}, {"radius-acct udp ", &x.acct}} {
		text, err := p.line(socket.prefix)
		if err != nil {
			return nil, err
		}
		if *socket.addr, err = netip.ParseAddrPort(text); err != nil {
			return nil, err
		}
	}
	x.first, err = p.awaken(x.to)
	return x, err
}

// sekishoCopy starts the program on a copy of a house.
func (b *Bench) sekishoCopy(h *house) (*peer, error) {
	p, _, err := b.sekishoOn(h, "")
	return p, err
}

// sekishoOn starts the program on a copy of a house that has more in its
// configuration.
func (b *Bench) sekishoOn(h *house, more string) (*peer, *house, error) {
	folder, err := b.scratch("sekisho")
	if err != nil {
		return nil, nil, err
	}
	c, err := h.copy(folder)
	if err != nil {
		return nil, nil, err
	}
	if err := c.add(more); err != nil {
		return nil, nil, err
	}
	p, err := b.sekisho(c)
	return p, c, err
}

// rest waits until a peer has nothing to do any more: what was left for later
// belongs to the requests that caused it.
func (p *peer) rest() {
	const (
		look  = 250 * time.Millisecond
		idle  = 10 * time.Millisecond
		quiet = 4 // looks in a row
		most  = 20 * time.Second
	)
	before := p.cpu()
	for calm, start := 0, time.Now(); calm < quiet && time.Since(start) < most; {
		time.Sleep(look)
		now := p.cpu()
		calm++
		if now-before > idle {
			calm = 0
		}
		before = now
	}
}
