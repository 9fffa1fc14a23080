package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// proxyClient is where the requests of a RADIUS proxy come from.
const proxyClient = `
[[radius.client]]
name    = "proxy"
address = "127.0.0.6"
secret  = "testing123"
service = "ssl-vpn"
proxy   = true

[metrics]
`

// newProxied is a site and the address of a proxy before it. conf is the
// proxy's, with @LISTEN@, @RADIUS@ (the ports) and @DIR@.
func newProxied(t *testing.T, conf string) (s *site, listen, file string) {
	t.Helper()
	s = newSite(t, "\n[metrics]\n", proxyClient)
	port := freePort(t)
	_, radius, _ := strings.Cut(s.radius, ":")
	text := strings.NewReplacer("@LISTEN@", fmt.Sprint(port), "@RADIUS@", radius, "@DIR@", s.dir).Replace(conf)
	return s, fmt.Sprintf("127.0.0.1:%d", port), s.file("radiusd.conf", text)
}

const freeRADIUSProxy = `
prefix = /usr
raddbdir = @DIR@
run_dir = @DIR@
logdir = @DIR@
libdir = /usr/lib/freeradius
pidfile = @DIR@/pid
security {
	allow_vulnerable_openssl = yes
}
proxy_requests = yes
client nas {
	ipaddr = 127.0.0.1
	secret = testing123
}
home_server sekisho {
	type = auth
	ipaddr = 127.0.0.1
	port = @RADIUS@
	secret = testing123
	src_ipaddr = 127.0.0.6
	status_check = status-server
	check_interval = 6
	response_window = 1
	zombie_period = 20
}
home_server_pool pool {
	home_server = sekisho
}
realm sekisho {
	auth_pool = pool
	nostrip
}
modules {
}
server proxy {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = @LISTEN@
	}
	authorize {
		update control {
			Proxy-To-Realm := "sekisho"
		}
	}
}
`

// FreeRADIUS stands between NAS and Sekisho. It adds a Proxy-State of its own
// behind those that it was given, and wants all of them back in their order.
func TestFreeRADIUSAsProxy(t *testing.T) {
	t.Parallel()
	need(t, "freeradius", "oathtool")
	s, listen, conf := newProxied(t, freeRADIUSProxy)
	alice := s.enrol("alice")
	server := s.serve()
	p := launch(t, exec.Command("freeradius", "-f", "-l", "stdout", "-d", s.dir, "-n", strings.TrimSuffix(conf[len(s.dir)+1:], ".conf")))
	eventually(t, "FreeRADIUS is ready", func() bool {
		if p.ended() {
			t.Fatalf("freeradius ended: %v\n%s%s", p.err, &p.out, &p.log)
		}
		return strings.Contains(p.out.String(), "Ready to process requests")
	})
	s.throughProxy(listen, alice)

	// When nobody answers it asks by Status-Server until somebody does.
	before := s.gauge("sekisho_radius_replies_total", `client="proxy"`, `reply="status"`)
	if before != 0 {
		t.Errorf("%v Status-Servers while all was well", before)
	}
	server.signal(os.Kill)
	<-server.done
	ask := []string{`User-Name = "alice"`, fmt.Sprintf("User-Password = %q", password), "Message-Authenticator = 0x00"}
	eventually(t, "FreeRADIUS takes it for dead", func() bool {
		if r := s.askWith([]string{"-r", "1", "-t", "2"}, listen, "auth", secret, ask...); r.accepted() {
			t.Errorf("answered %+v by nobody", r)
		}
		return strings.Contains(p.out.String(), "zombie")
	})
	s.serve()
	eventually(t, "FreeRADIUS asks whether it lives", func() bool {
		return s.gauge("sekisho_radius_replies_total", `client="proxy"`, `reply="status"`) > 0
	})
}

// throughProxy signs alice in through the proxy.
func (s *site) throughProxy(listen string, alice *device) {
	s.t.Helper()
	r := s.askWith([]string{"-r", "1", "-t", "5"}, listen, "auth", secret,
		`User-Name = "alice"`, fmt.Sprintf("User-Password = %q", password+alice.code()),
		`NAS-Identifier = "behind"`, "Message-Authenticator = 0x00", "Proxy-State = 0x0102", "Proxy-State = 0x03")
	wantAccept(s.t, r)
	var states []string
	for _, a := range r.attributes {
		if value, ok := strings.CutPrefix(a, "Proxy-State = "); ok {
			states = append(states, value)
		}
	}
	if !slices.Equal(states, []string{"0x0102", "0x03"}) {
		s.t.Errorf("Proxy-State came back as %v", states)
	}
	if r := s.askWith([]string{"-r", "1", "-t", "5"}, listen, "auth", secret,
		`User-Name = "alice"`, `User-Password = "guessed123456"`, "Message-Authenticator = 0x00"); !r.rejected() {
		s.t.Errorf("a guess was answered %+v", r)
	}
}

const radsecproxyConf = `
ListenUDP 127.0.0.1:@LISTEN@
SourceUDP 127.0.0.6
LogLevel 2
client nas {
	host 127.0.0.1
	type udp
	secret testing123
}
server sekisho {
	host 127.0.0.1
	port @RADIUS@
	type udp
	secret testing123
	statusServer on
}
realm * {
	server sekisho
}
`

func TestRadsecproxy(t *testing.T) {
	t.Parallel()
	need(t, "radsecproxy", "oathtool")
	s, listen, conf := newProxied(t, radsecproxyConf)
	alice := s.enrol("alice")
	s.serve()
	p := launch(t, exec.Command("radsecproxy", "-f", "-c", conf))
	t.Cleanup(func() { p.stop() }) // it dies of the signal
	eventually(t, "radsecproxy listens", func() bool {
		if p.ended() {
			t.Fatalf("radsecproxy ended: %v\n%s%s", p.err, &p.out, &p.log)
		}
		return strings.Contains(p.out.String()+p.log.String(), "listening")
	})
	s.throughProxy(listen, alice)
}
