package e2e

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestUsedCodeStaysUsedAfterARestart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	alice := s.enrol("alice")
	server := s.serve()
	code := alice.code()
	wantAccept(t, s.signIn(outside, "alice", password+code, station("203.0.113.7")))
	if err := server.stop(); err != nil {
		t.Fatal(err)
	}
	s.serve()
	s.wantReject(s.signIn(outside, "alice", password+code, station("203.0.113.8")), "code_used")
	// The same station may still have lost the answer: the ticket remembers.
	wantAccept(t, s.signIn(outside, "alice", password+code, station("203.0.113.7")))
}

// A NAS may act on every accept that it has seen, so no accept may be
// forgotten, whenever the power goes. In each round people sign in at once
// and the server is killed after some of the answers; started again, it gets
// the same codes once more.
func TestKilledServerForgetsNoAcceptedCode(t *testing.T) {
	t.Parallel()
	const rounds, people = 5, 16
	s := newSite(t)
	devices := make([]*device, rounds*people)
	s.together(len(devices), func(i int) { devices[i] = s.enrol(name(i)) })
	server := s.serve()
	accepts := make([]int, len(devices)) // that clients have seen

	for round := range rounds {
		first := round * people
		boxes, passwords := make([]*nas, people), make([]string, people)
		for i := range people {
			boxes[i], passwords[i] = s.nas(outside), password+devices[first+i].code()
		}
		for i, n := range boxes {
			n.send(n.request(name(first+i), passwords[i]))
		}
		seen, ended := make(chan bool, people), make(chan bool)
		go func() {
			defer close(ended)
			s.together(people, func(i int) {
				if r := boxes[i].read(); r != nil && r[0] == accessAccept {
					accepts[first+i]++
					seen <- true
				}
			})
		}()
		for range round * people / rounds {
			<-seen
		}
		server.kill()
		for _, n := range boxes {
			n.conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		}
		<-ended

		server = s.serve()
		s.together(people, func(i int) {
			if boxes[i].ask(boxes[i].request(name(first+i), passwords[i]))[0] == accessAccept {
				accepts[first+i]++
			}
		})
	}

	booked := make(map[string]int)
	for _, e := range s.book("--outcome", "admitted") {
		booked[e.User]++
	}
	lost := 0
	for i, n := range accepts {
		if n > 1 || booked[name(i)] > 1 {
			t.Errorf("%s: one code was accepted %d times and booked %d times", name(i), n, booked[name(i)])
		}
		if n > booked[name(i)] {
			t.Errorf("%s: accepted, and the book does not know", name(i))
		}
		lost += booked[name(i)] - n
	}
	t.Logf("%d people; the answers to %d did not leave any more", len(accepts), lost)
}

func name(i int) string { return fmt.Sprintf("person%03d", i) }

// together does it for each number at once, 32 at a time, and ends the test
// if one of them failed.
func (s *site) together(n int, do func(i int)) {
	s.t.Helper()
	var all sync.WaitGroup
	turn := make(chan struct{}, 32)
	for i := range n {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			do(i)
		})
	}
	all.Wait()
	if s.t.Failed() {
		s.t.FailNow()
	}
}

func TestTerminatedServerStillSendsTheLateReject(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("bob")
	server := s.serve()
	n := s.nas(late)
	request := n.request("bob", "wrong")
	n.send(request)
	eventually(t, "the refusal is held back", func() bool { return s.gauge("sekisho_radius_held") == 1 })
	server.signal(syscall.SIGTERM)
	reply := n.receive(patience)
	if reply == nil || reply[0] != accessReject {
		t.Fatalf("got % x, want the reject", reply)
	}
	if err := verify(reply, request); err != nil {
		t.Error(err)
	}
	if err := server.wait(); err != nil {
		t.Errorf("the server ended with %v\n%s", err, &server.log)
	}
}
