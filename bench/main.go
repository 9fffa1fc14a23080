// Bench measures Sekisho beside FreeRADIUS, slapd, and servers that only
// answer, on this machine, and prints the tables of docs/performance.md.
//
//	go run ./bench [-run REGEXP] [-rounds 5] [-seconds 5] [-out FILE]
//
// One round, told: the requests are built first, with the codes of the step
// that is about to begin. Then each contestant, a process of its own, gets
// the same load. RADIUS goes over a few sockets; every reply is counted, one
// in 64 has its authenticators checked, nothing is sent twice but where that
// is measured. LDAP and HTTP go over connections that are kept, one request at
// a time on each, and every answer is read. What the server used of the
// processors is read from /proc once it has come to rest. Rounds are
// interleaved and compared one by one, so a noisy machine does harm to the
// figures but not to one contestant's.
// Nothing here needs a fixed port, and the folder in TMPDIR is gone
// afterwards; it should lie on a real disk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// Bench is one run of this program.
type Bench struct {
	ctx     context.Context
	folder  string // for everything that is made
	program string // the sekisho that is measured
	rounds  int
	time    time.Duration // of a round
	houses  map[string]*house

	balancer string // an lloadd; "": none
	running  []*process
}

// scenario is one thing that is measured.
type scenario struct {
	name string
	run  func(*Bench) (Section, error)
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "as" {
		fmt.Fprintln(os.Stderr, play(os.Args[2]))
		os.Exit(1)
	}
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "bench: error:", err)
		os.Exit(1)
	}
}

func measure() (err error) {
	pattern := flag.String("run", "", "only the scenarios whose names match this `regexp`")
	rounds := flag.Int("rounds", 5, "rounds of each contest")
	seconds := flag.Float64("seconds", 5, "length of a round")
	out := flag.String("out", "", "write the report to this `file`, too")
	balancer := flag.String("lloadd", "", "an lloadd to measure beside; Debian packs none")
	list := flag.Bool("list", false, "list the scenarios")
	flag.Parse()
	wanted, err := regexp.Compile(*pattern)
	if err != nil {
		return err
	}
	if *rounds < 1 || *seconds <= 0 || *seconds > 20 {
		return errors.New("want a round or more, each of at most 20 seconds: codes live no longer")
	}
	if *list {
		for _, s := range scenarios() {
			fmt.Println(s.name)
		}
		return nil
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	folder, err := os.MkdirTemp("", "sekisho-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	b := &Bench{
		ctx: ctx, folder: folder, rounds: *rounds,
		time: time.Duration(*seconds * float64(time.Second)), houses: make(map[string]*house), balancer: *balancer,
	}
	if err := b.compile(); err != nil {
		return err
	}
	report := &Report{Command: "go run ./bench " + strings.Join(os.Args[1:], " "), Machine: machine(folder)}
	defer report.WriteTo(os.Stdout) // interrupted, it tells what it has
	for _, s := range scenarios() {
		if !wanted.MatchString(s.name) {
			continue
		}
		section, err := s.run(b)
		b.endAll()
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		report.Sections = append(report.Sections, section)
		if *out != "" {
			if err := write(report, *out); err != nil {
				return err
			}
		}
	}
	return nil
}

func write(r *Report, file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = r.WriteTo(f)
	return errors.Join(err, f.Close())
}

// wait lets time pass, unless the run is interrupted.
func (b *Bench) wait(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-b.ctx.Done():
		return b.ctx.Err()
	}
}

// say tells how far it is.
func (b *Bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
