package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// The hosts of the VPN tests, each a network namespace: somebody at home, the
// VPN box with a leg outside and one inside, and the campus with Sekisho.
const (
	homeAddr   = "203.0.113.77"
	boxOutside = "203.0.113.1"
	boxInside  = "192.0.2.1"
	campusAddr = "192.0.2.10"
	secondAddr = "192.0.2.11" // of the campus' host, too
	tunnelNet  = "198.51.100.0/24"
)

// host is a network namespace.
type host struct {
	t    *testing.T
	name string
}

// hosts are the three hosts, wired together.
type hosts struct{ home, box, campus host }

var ids atomic.Int64

// newHosts makes the hosts, and takes them away with the test.
func newHosts(t *testing.T) hosts {
	t.Helper()
	need(t, "root", "ip", "ss", "sysctl", "mknod")
	const tun = "/dev/net/tun"
	if _, err := os.Stat(tun); err != nil { // in a container, perhaps
		if err := os.MkdirAll(filepath.Dir(tun), 0o755); err != nil {
			t.Fatal(err)
		}
		must(t, "mknod", "-m", "0666", tun, "c", "10", "200")
	}
	id := fmt.Sprintf("sk%d-%d-", os.Getpid()%100_000, ids.Add(1))
	newHost := func(name string) host {
		h := host{t, id + name}
		must(t, "ip", "netns", "add", h.name)
		t.Cleanup(func() { execute(t, "", "ip", "netns", "del", h.name) })
		h.run("ip", "link", "set", "lo", "up")
		return h
	}
	n := hosts{newHost("home"), newHost("box"), newHost("campus")}
	wire := func(a, b host, port string, addrs ...string) {
		must(t, "ip", "link", "add", port, "netns", a.name, "type", "veth", "peer", "name", port, "netns", b.name)
		for i, h := range []host{a, b} {
			for addr := range strings.FieldsSeq(addrs[i]) {
				h.run("ip", "addr", "add", addr+"/24", "dev", port)
			}
			h.run("ip", "link", "set", port, "up")
		}
	}
	wire(n.home, n.box, "outside", homeAddr, boxOutside)
	wire(n.campus, n.box, "inside", campusAddr+" "+secondAddr, boxInside)
	n.home.run("ip", "route", "add", "default", "via", boxOutside)
	n.campus.run("ip", "route", "add", "default", "via", boxInside)
	n.box.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
	return n
}

// command is a program that runs on the host.
func (h host) command(name string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", h.name, name}, args...)...)
}

// run runs a program on the host that has to succeed.
func (h host) run(name string, args ...string) string {
	h.t.Helper()
	return must(h.t, "ip", append([]string{"netns", "exec", h.name, name}, args...)...)
}

func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	a := execute(t, "", name, args...)
	if a.code != 0 {
		t.Fatalf("%s %s: exit %d\n%s%s", name, strings.Join(args, " "), a.code, a.out, a.err)
	}
	return a.out
}
