package e2e

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A campus with ocserv in front, as docs/vpn/ocserv.md has it; openconnect is
// at home, and reaches the web mail through the tunnel while that stands.

// newOcserv asks for no interval, so that ocserv tells of a session sooner.
func newOcserv(t *testing.T, pairs ...string) *vpnSite {
	t.Helper()
	s := newVPNSite(t, "ocserv.md", append([]string{"[[radius.client]]\n", "[[radius.client]]\ninterim     = \"0s\"\n"}, pairs...)...)
	return s
}

// The whole way: from home with the code behind the password, through the
// tunnel to the web mail without typing anything, and out of both.
func TestVPNToTheWeb(t *testing.T) {
	t.Parallel()
	s := newOcserv(t)
	s.serve()
	s.mail()
	s.ocserv()
	vpn := s.openconnect("alice", password+s.alice.code()+"\n")
	addr := vpn.up()

	web := s.surfer()
	web.continues(s, addr)

	vpn.down()
	eventually(t, "the session is over", func() bool { return len(s.sessions()) == 0 })
	address, page := web.open("https://" + mailHost + "/")
	web.want(address, page, "https://"+ssoHost+"/login", "outside the campus network")
	if strings.Contains(page, "alice") {
		t.Errorf("who was in the VPN is still known:\n%s", page)
	}
}

// continues goes from the VPN to the web mail without typing anything.
func (c *surfer) continues(s *vpnSite, addr string) {
	c.t.Helper()
	var list []vpnSession
	defer func() {
		if c.t.Failed() {
			c.t.Logf("sessions: %+v", list)
		}
	}()
	eventually(c.t, "an Interim-Update names the address", func() bool {
		list = s.sessions()
		return len(list) == 1 && slices.Equal(list[0].Address, []string{addr}) && list[0].Ticket != ""
	})
	address, page := c.open("https://" + mailHost + "/")
	c.want(address, page, "https://"+ssoHost+"/login", "Continue as alice")
	address, page = c.post(address, page, "/login/continue")
	c.want(address, page, "https://"+mailHost+"/", "the mail of alice")
	if len(s.book("--user", "alice", "--reason", "ticket_reused")) == 0 {
		c.t.Error("the way from the VPN to the web is not in the book")
	}
}

// vpnSession is a line of `sessions --json`.
type vpnSession struct {
	User    string   `json:"user"`
	Address []string `json:"address"`
	Ticket  string   `json:"ticket"`
}

func (s *site) sessions() (list []vpnSession) {
	s.t.Helper()
	d := json.NewDecoder(strings.NewReader(s.run("sessions", "--json")))
	for d.More() {
		var one vpnSession
		if err := d.Decode(&one); err != nil {
			s.t.Fatal(err)
		}
		list = append(list, one)
	}
	return list
}

// With Access-Challenge openconnect shows another form for the code.
func TestVPNByChallenge(t *testing.T) {
	t.Parallel()
	s := newOcserv(t, `service     = "ssl-vpn"`, "service     = \"ssl-vpn\"\notp         = \"challenge\"")
	server := s.serve()
	s.ocserv()
	vpn := s.openconnect("alice", password+"\n")
	eventually(t, "the code is asked for", func() bool { return vpn.asks() == 2 })
	// Whoever asked first need not be there any more.
	if err := server.stop(); err != nil {
		t.Fatal(err)
	}
	s.serve()
	vpn.types(s.alice.code())
	vpn.up()
	vpn.down()
}

// A code that was used opens no second tunnel, and the person is told so.
func TestVPNByAUsedCode(t *testing.T) {
	t.Parallel()
	s := newOcserv(t)
	s.serve()
	s.ocserv()
	code := s.alice.code()
	vpn := s.openconnect("alice", password+code+"\n")
	vpn.up()
	vpn.down()
	eventually(t, "the session is over", func() bool { return len(s.sessions()) == 0 })
	again := s.openconnect("alice", password+code+"\n")
	eventually(t, "the refusal is shown", func() bool { return strings.Contains(again.said(), "already used") })
	_, told, _ := strings.Cut(again.said(), "already used")
	s.wantBooked(told, "code_used")
	again.down()
}

// Whose ticket is revoked is out of the web at once. ocserv takes no
// Disconnect-Request: the tunnel itself stays until the box is told.
func TestVPNTicketRevoked(t *testing.T) {
	t.Parallel()
	s := newOcserv(t)
	s.serve()
	s.mail()
	s.ocserv()
	vpn := s.openconnect("alice", password+s.alice.code()+"\n")
	addr := vpn.up()
	web := s.surfer()
	web.continues(s, addr)
	s.run("ticket", "revoke", s.sessions()[0].Ticket)
	eventually(t, "the web mail is closed", func() bool {
		address, page := web.open("https://" + mailHost + "/")
		return strings.HasPrefix(address, "https://"+ssoHost+"/login") && !strings.Contains(page, "alice")
	})
	vpn.down()
}

// Whose address we gave out ourselves need not wait for an Interim-Update.
func TestVPNAddressOfOurPool(t *testing.T) {
	t.Parallel()
	s := newOcserv(t, `tunnel      = ["198.51.100.0/24"]`, "tunnel      = [\"198.51.100.0/24\"]\npool        = [\"198.51.100.64/26\"]")
	s.serve()
	s.mail()
	s.ocserv()
	vpn := s.openconnect("alice", password+s.alice.code()+"\n")
	addr := vpn.up()
	if !netip.MustParsePrefix("198.51.100.64/26").Contains(netip.MustParseAddr(addr)) {
		t.Fatalf("the tunnel has %s, which is not of the pool", addr)
	}
	web := s.surfer()
	address, page := web.open("https://" + mailHost + "/")
	web.want(address, page, "https://"+ssoHost+"/login", "Continue as alice")
	vpn.down()
}

var vpnWord = regexp.MustCompile(`vpn-[a-z]{12}`)

// Whoever has signed in on the web with a code gets a word there that opens
// the VPN, once, without another code.
func TestVPNByAWordOfTheWeb(t *testing.T) {
	t.Parallel()
	s := newOcserv(t)
	s.serve()
	s.mail()
	s.ocserv()
	web := s.surfer()
	address, page := web.open("https://" + ssoHost + "/login")
	address, page = web.fill(address, page, "name", "alice")
	address, page = web.fill(address, page, "password", password)
	address, page = web.fill(address, page, "code", s.alice.code())
	web.want(address, page, "https://"+ssoHost+"/", "/word?service=ssl-vpn")
	address, page = web.open("https://" + ssoHost + "/word?service=ssl-vpn")
	if vpnWord.MatchString(page) {
		t.Error("there is a word before one was asked for")
	}
	_, page = web.post(address, page, "/word")
	word := vpnWord.FindString(page)
	if word == "" {
		t.Fatalf("there is no word:\n%s", page)
	}
	vpn := s.openconnect("alice", word+"\n")
	vpn.up()
	vpn.down()
	again := s.openconnect("alice", word+"\n")
	eventually(t, "the refusal is shown", func() bool { return again.asks() > 1 })
	again.down()
	if len(s.book("--user", "alice", "--reason", "word_used")) != 1 {
		t.Errorf("booked %+v", s.book("--user", "alice"))
	}
}
