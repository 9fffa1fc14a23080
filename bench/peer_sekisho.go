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
	text, err := p.line("radius  udp ")
	if err == nil {
		x.to, err = netip.ParseAddrPort(text)
	}
	if err == nil {
		x.first, err = p.awaken(x.to)
	}
	if err != nil {
		return nil, err
	}
	return x, nil
}

// sekishoCopy starts the program on a copy of a house.
func (b *Bench) sekishoCopy(h *house) (*peer, error) {
	folder, err := os.MkdirTemp(b.folder, "sekisho-")
	if err != nil {
		return nil, err
	}
	c, err := h.copy(folder)
	if err != nil {
		return nil, err
	}
	return b.sekisho(c)
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
