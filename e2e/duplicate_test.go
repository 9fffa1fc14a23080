package e2e

import (
	"bytes"
	"net"
	"testing"
)

func TestSameDatagramGetsTheSameOctets(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	alice := s.enrol("alice")
	s.serve()
	n := s.nas(outside)
	request := n.request("alice", password+alice.code())
	first := n.ask(request)
	if first[0] != accessAccept {
		t.Fatalf("got code %d", first[0])
	}
	for range 3 {
		if again := n.ask(request); !bytes.Equal(first, again) {
			t.Errorf("answered % x,\nthen       % x", first, again)
		}
	}
	if events := s.book("--user", "alice", "--outcome", "admitted"); len(events) != 1 {
		t.Errorf("booked %d times, want once", len(events))
	}
}

// radclient sends the same packet again when the network loses the answer;
// it must not be told that its code is used.
func TestRetransmissionAfterALostReplyIsAccepted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	alice := s.enrol("alice")
	s.serve()
	way := s.lossyWay(1)
	r := s.askWith([]string{"-r", "3", "-t", "1"}, way.addr, "auth", secret,
		`User-Name = "alice"`, `User-Password = "`+password+alice.code()+`"`, "Message-Authenticator = 0x00")
	wantAccept(t, r)
	replies := <-way.replies
	if len(replies) != 2 || !bytes.Equal(replies[0], replies[1]) {
		t.Errorf("the retransmission was answered otherwise: % x", replies)
	}
	if n := s.gauge("sekisho_radius_retransmissions_total"); n != 1 {
		t.Errorf("%v retransmissions counted, want 1", n)
	}
}

// way is a network between a client and the server that loses replies.
type way struct {
	addr    string
	replies chan [][]byte // once one has got through
}

// lossyWay loses the first replies, then lets one through and closes.
func (s *site) lossyWay(lost int) way {
	s.t.Helper()
	front, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { front.Close() })
	back := s.nas(outside).conn
	w := way{front.LocalAddr().String(), make(chan [][]byte, 1)}
	go func() {
		b := make([]byte, 4096)
		var replies [][]byte
		for len(replies) <= lost {
			n, client, err := front.ReadFrom(b)
			if err != nil {
				return
			}
			back.Write(b[:n])
			if n, err = back.Read(b); err != nil {
				return
			}
			replies = append(replies, bytes.Clone(b[:n]))
			if len(replies) > lost {
				front.WriteTo(b[:n], client)
			}
		}
		w.replies <- replies
	}()
	return w
}
