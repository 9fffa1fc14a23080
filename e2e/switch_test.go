package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const hostapdConf = `
interface=@PORT@
driver=wired
ieee8021x=1
use_pae_group_addr=1
nas_identifier=switch-1
own_ip_addr=127.0.0.1
auth_server_addr=127.0.0.1
auth_server_port=@AUTH@
auth_server_shared_secret=testing123
acct_server_addr=127.0.0.1
acct_server_port=@ACCT@
acct_server_shared_secret=testing123
radius_das_port=@DAS@
radius_das_client=127.0.0.1 testing123
radius_das_require_event_timestamp=1
radius_das_require_message_authenticator=1
`

// signsIn has FreeRADIUS check a person behind a switch, by EAP.
const signsIn = `
modules {
	eap {
		default_eap_type = md5
		md5 {
		}
	}
}
server it {
	authorize {
		update control {
			Cleartext-Password := "secret"
		}
		eap
	}
	authenticate {
		eap
	}
}
`

const supplicantConf = `
ap_scan=0
network={
	key_mgmt=IEEE8021X
	eap=MD5
	identity="alice"
	password="secret"
	eapol_flags=0
}
`

// wiredSwitch is hostapd as a switch with one port, and what is behind that.
type wiredSwitch struct {
	t    *testing.T
	p    *process
	desk host
	dir  string
}

// deskMAC is of whoever is plugged in. hostapd tells it as Calling-Station-Id.
const deskMAC = "02-00-00-00-00-0A"

// newSwitch runs a switch that tells of its sessions at one port and takes
// orders at another. Who may come in FreeRADIUS tells it.
func newSwitch(t *testing.T, acct, das int) *wiredSwitch {
	t.Helper()
	need(t, "root", "ip", "hostapd", "wpa_supplicant", "freeradius")
	auth := freePort(t)
	freeRADIUS(t, "auth", auth, secret, signsIn)
	id := fmt.Sprintf("sk%d-%d", os.Getpid()%100_000, ids.Add(1))
	s := &wiredSwitch{t: t, desk: host{t, id}, dir: t.TempDir()}
	must(t, "ip", "netns", "add", s.desk.name)
	t.Cleanup(func() { execute(t, "", "ip", "netns", "del", s.desk.name) }) // and the cable with it
	must(t, "ip", "link", "add", id, "type", "veth", "peer", "name", "cable", "netns", s.desk.name)
	must(t, "ip", "link", "set", id, "up")
	s.desk.run("ip", "link", "set", "cable", "up", "address", strings.ReplaceAll(deskMAC, "-", ":"))

	s.p = launch(t, exec.Command("hostapd", s.file("hostapd.conf", strings.NewReplacer(
		"@PORT@", id, "@AUTH@", fmt.Sprint(auth), "@ACCT@", fmt.Sprint(acct), "@DAS@", fmt.Sprint(das)).Replace(hostapdConf))))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("hostapd:\n%s%s", &s.p.out, &s.p.log)
		}
	})
	eventually(t, "hostapd is ready", func() bool {
		if s.p.ended() {
			t.Fatalf("hostapd ended: %v", s.p.err)
		}
		return s.says("AP-ENABLED")
	})
	return s
}

func (s *wiredSwitch) file(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *wiredSwitch) says(text string) bool { return strings.Contains(s.p.out.String(), text) }

// plugIn has alice sign in from her desk, and again whenever the switch throws
// her out, as supplicants do.
func (s *wiredSwitch) plugIn() *process {
	s.t.Helper()
	return launch(s.t, s.desk.command("wpa_supplicant", "-Dwired", "-icable", "-c"+s.file("wpa.conf", supplicantConf)))
}

// accountedSession is a line of `sessions --json`.
type accountedSession struct {
	ID      int64  `json:"id"`
	User    string `json:"user"`
	Client  string `json:"client"`
	NAS     string `json:"nas"`
	Session string `json:"session"`
	Station string `json:"station"`
	Ticket  string `json:"ticket"`
	Obeyed  string `json:"obeyed"`
	Stopped string `json:"stopped"`
}

func (s *site) accountedSessions(flags ...string) (list []accountedSession) {
	s.t.Helper()
	for line := range strings.Lines(s.run(append([]string{"sessions", "--json"}, flags...)...)) {
		var one accountedSession
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			s.t.Fatalf("%v: %s", err, line)
		}
		list = append(list, one)
	}
	return list
}

// Somebody at the help desk ends alice's session, and the switch closes her
// port: all of it by the programs themselves.
func TestSessionIsEndedAtTheSwitch(t *testing.T) {
	t.Parallel()
	das := freePort(t)
	s := newSite(t, `service = "ssl-vpn"

[[radius.client]]
name    = "campus-switch"`, fmt.Sprintf(`service = "ssl-vpn"
source  = "campus"
disconnect = "127.0.0.1:%d"
disconnect_secret = "testing123"

[[radius.client]]
name    = "campus-switch"`, das))
	s.add("alice")
	s.serve()
	var radius int
	fmt.Sscanf(s.radius, "127.0.0.1:%d", &radius)
	hostapd := newSwitch(t, radius+1, das)
	// FreeRADIUS lets her into the port, and here she is at the same time, from
	// the same desk: so her session has a ticket.
	wantAccept(t, s.signIn(outside, "alice", password, station(deskMAC)))
	hostapd.plugIn()

	var session accountedSession
	eventually(t, "the session is listed", func() bool {
		if list := s.accountedSessions(); len(list) > 0 {
			session = list[0]
		}
		return session.ID != 0
	})
	if session.User != "alice" || session.Client != "vpn-box" || session.NAS != "" || session.Session == "" || session.Station != deskMAC || session.Ticket == "" {
		t.Errorf("listed as %+v", session)
	}
	if said := s.run("sessions", "end", session.Session); !strings.Contains(said, fmt.Sprintf("session %d of alice: ticket %s ended, with those made from it; the running server tells 127.0.0.1:%d", session.ID, session.Ticket, das)) {
		t.Errorf("it says:\n%s", said)
	}
	eventually(t, "the switch throws her out and tells of it", func() bool {
		for _, one := range s.accountedSessions("--all") {
			if one.ID == session.ID {
				session = one
			}
		}
		return session.Stopped != "" && session.Obeyed != ""
	})
	if session.Obeyed != "ack" {
		t.Errorf("ended as %+v", session)
	}
	if !hostapd.says("AP-STA-DISCONNECTED") {
		t.Error("the port is open still")
	}
	book := s.run("audit", "search", "--reason", "disconnect_done")
	if !strings.Contains(book, "answer ack") || !strings.Contains(book, session.Session) || !strings.Contains(book, session.Ticket) {
		t.Errorf("the book has\n%s", book)
	}

	var client struct {
		Client     string `json:"client"`
		Machine    string `json:"machine"`
		Accounting struct {
			Records struct {
				Count int `json:"count"`
			} `json:"records"`
		} `json:"accounting"`
		Disconnect struct {
			Result string `json:"result"`
		} `json:"disconnect"`
	}
	eventually(t, "`clients` tells of it", func() bool {
		line, _, _ := strings.Cut(s.run("clients", "--json"), "\n")
		if err := json.Unmarshal([]byte(line), &client); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		return client.Disconnect.Result != ""
	})
	if client.Client != "vpn-box" || client.Machine != "ip:127.0.0.1,id:switch-1" || client.Accounting.Records.Count < 2 || client.Disconnect.Result != "ack" {
		t.Errorf("`clients` tells %+v", client)
	}
}
