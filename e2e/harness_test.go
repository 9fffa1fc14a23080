package e2e

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for something that should come soon.
const patience = 30 * time.Second

// folder holds the program under test; it is built at the first use.
var folder string

// Most tests wait for other programs, so more of them run than there are cores;
// -parallel says otherwise.
func TestMain(m *testing.M) {
	flag.Set("test.parallel", fmt.Sprint(max(4, runtime.GOMAXPROCS(0))))
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if folder, err = os.MkdirTemp("", "sekisho-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	return m.Run()
}

var build = sync.OnceValues(func() (string, error) {
	// The go command takes an earlier result for this one if nothing that a
	// test looked at has changed: so look at what the program is made of.
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == ".git" {
			return filepath.SkipDir
		}
		os.Stat(path)
		return err
	})
	if err != nil {
		return "", err
	}
	program := filepath.Join(folder, "sekisho")
	if out, err := exec.Command("go", "build", "-o", program, "sekisho/cmd/sekisho").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return program, nil
})

// program is the path of the program under test.
func program(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// need wants the programs, or "root".
func need(t *testing.T, what ...string) {
	t.Helper()
	for _, name := range what {
		missing := name + " is not installed"
		if name == "root" {
			if os.Getuid() == 0 {
				continue
			}
			missing = "this needs root"
		} else if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if os.Getenv("SEKISHO_E2E") == "required" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
}

// eventually polls until the condition holds. To look is often a program of its
// own: what takes its time is looked at less often.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	begun, tick := time.Now(), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for ; !holds(); <-tick.C {
		waited := time.Since(begun)
		if waited > patience {
			t.Fatalf("did not come within %v: %s", patience, what)
		}
		tick.Reset(min(max(waited/8, 10*time.Millisecond), 100*time.Millisecond))
	}
}

// freePort finds a port that, like the one above it, is free for UDP and, like
// those the given distance above it, for TCP. It lies below the range that the kernel gives
// to clients, so that nobody takes it while a server is restarted.
// No two tests have the same: a slow server has not taken its own yet when the
// next test looks.
func freePort(t *testing.T, above ...int) int {
	t.Helper()
	for range 100 {
		port := 20_000 + portsApart*rand.IntN(10_000/portsApart)
		if _, given := givenPorts.LoadOrStore(port, t.Name()); given {
			continue
		}
		t.Cleanup(func() { givenPorts.Delete(port) })
		if free(port, above) {
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

const portsApart = 10

var givenPorts sync.Map // the first of each ten that a test has

func free(port int, above []int) bool {
	for _, n := range []int{0, 1} { // accounting is one above
		u, err := net.ListenPacket("udp", fmt.Sprintf(":%d", port+n))
		if err != nil {
			return false
		}
		defer u.Close()
	}
	for _, n := range append([]int{0}, above...) {
		l, err := net.Listen("tcp", fmt.Sprintf(":%d", port+n))
		if err != nil {
			return false
		}
		defer l.Close()
	}
	return true
}

// output gathers what a program writes while it runs.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// process is a program that was started and is to be ended.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  output
	log  output // standard error
	done chan struct{}
	err  error // once done is closed
}

// launch starts a program, and ends it with the test if that did not.
func launch(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.out, &p.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		if p.ended() {
			return
		}
		if err := p.stop(); err != nil {
			t.Errorf("%s: %v", filepath.Base(cmd.Path), err)
		}
	})
	return p
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
}

// stop sends SIGTERM and returns how the program ended.
func (p *process) stop() error {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	return p.wait()
}

func (p *process) wait() error {
	p.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-p.done:
		return p.err
	case <-late.C:
		p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("did not end within %v", patience)
	}
}

// kill is kill -9: the program can't finish anything.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// answer is what a command that ends by itself said.
type answer struct {
	out, err string
	code     int
}

// execute runs a command to its end.
func execute(t *testing.T, stdin string, name string, args ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, fault strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &fault
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%s %v: %v", name, args, errors.Join(err, ctx.Err()))
	}
	return answer{out.String(), fault.String(), cmd.ProcessState.ExitCode()}
}
