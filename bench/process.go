package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	startWithin = 60 * time.Second
	stopWithin  = 15 * time.Second
	clockTick   = 10 * time.Millisecond // of /proc/PID/stat: USER_HZ is 100 everywhere
)

// process is a server that was started here.
type process struct {
	command *exec.Cmd
	log     string // file with its standard error
	lines   chan string
	ended   chan error
	began   time.Time
}

// launch starts a program whose log goes into folder. It ends with the
// scenario, at the latest when we do.
func (b *Bench) launch(folder, program string, args ...string) (*process, error) {
	p := &process{
		command: exec.Command(program, args...),
		log:     filepath.Join(folder, "log"),
		lines:   make(chan string, 64),
		ended:   make(chan error, 1),
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.command.Stderr = log
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.began = time.Now()
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	b.running = append(b.running, p)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			select {
			case p.lines <- s.Text():
			default: // nobody reads any more
			}
		}
		p.ended <- p.command.Wait()
	}()
	return p, nil
}

// line waits for a line of its output that starts so, and returns the rest.
func (p *process) line(prefix string) (string, error) {
	late := time.After(startWithin)
	for {
		select {
		case line := <-p.lines:
			if rest, ok := strings.CutPrefix(line, prefix); ok {
				return strings.TrimSpace(rest), nil
			}
		case err := <-p.ended:
			p.ended <- err
			return "", p.fault(err)
		case <-late:
			return "", p.fault(errors.New("it does not say where it listens"))
		}
	}
}

func (p *process) fault(err error) error {
	return fmt.Errorf("%s: %w\n%s", filepath.Base(p.command.Path), err, p.tail())
}

// tail is the end of its log.
func (p *process) tail() []byte {
	log, _ := os.ReadFile(p.log)
	return bytes.TrimSpace(log[max(0, len(log)-2000):])
}

// awaken waits until a RADIUS server answers a Status-Server, and returns
// when it did.
func (p *process) awaken(to netip.AddrPort) (time.Time, error) {
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return time.Time{}, err
	}
	defer conn.Close()
	f, reply := newForge(), make([]byte, 4096)
	for id := byte(0); time.Since(p.began) < startWithin; id++ {
		request := f.status(id)
		conn.Write(request)
		conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		n, err := conn.Read(reply)
		switch {
		case err == nil && f.authentic(reply[:n], request):
			return time.Now(), nil
		case errors.Is(err, syscall.ECONNREFUSED):
			time.Sleep(time.Millisecond)
		}
		select {
		case err := <-p.ended:
			p.ended <- err
			return time.Time{}, p.fault(err)
		default:
		}
	}
	return time.Time{}, p.fault(errors.New("it does not answer"))
}

// stop ends the process, with force if it takes its time.
func (p *process) stop() {
	p.command.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(stopWithin, func() { p.command.Process.Kill() })
	defer late.Stop()
	p.ended <- <-p.ended // whoever asks again is told the same
}

// cpu is the processor time it has used, of user and system.
func (p *process) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		return 0
	}
	// The name, in parentheses, may hold anything; the third field follows it.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, _ := strconv.Atoi(fields[14-3])
	system, _ := strconv.Atoi(fields[15-3])
	return time.Duration(user+system) * clockTick
}

// memory is what it has resident, now and at the most, in octets.
func (p *process) memory() (now, peak int64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kib, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "VmRSS:":
			now = kib << 10
		case "VmHWM:":
			peak = kib << 10
		}
	}
	return now, peak
}

// endAll ends what a scenario has left running.
func (b *Bench) endAll() {
	for _, p := range b.running {
		p.stop()
	}
	b.running = nil
}

// freePort is a UDP port that nobody has at present.
func freePort() (uint16, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(outside, 0)))
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Port(), nil
}

// overflows is how many datagrams the kernel has dropped before the sockets of
// a port, since they were full.
func overflows(port uint16) (n int) {
	text, _ := os.ReadFile("/proc/net/udp")
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 13 || !strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
			continue
		}
		dropped, _ := strconv.Atoi(fields[12])
		n += dropped
	}
	return n
}
