package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// Whoever sees a code being typed may try to be faster.
func TestOfRacingUsesOneWins(t *testing.T) {
	t.Parallel()
	const racers = 32
	s := newSite(t)
	alice := s.enrol("alice")
	s.serve()
	typed := password + alice.code()
	boxes := make([]*nas, racers)
	for i := range boxes {
		boxes[i] = s.nas(outside)
	}
	won := make(chan bool, racers)
	s.together(racers, func(i int) {
		won <- boxes[i].ask(boxes[i].request("alice", typed))[0] == accessAccept
	})
	winners := 0
	for range racers {
		if <-won {
			winners++
		}
	}
	if booked := len(s.book("--user", "alice", "--outcome", "admitted")); winners != 1 || booked != 1 {
		t.Errorf("%d of %d were let in, %d are booked as that", winners, racers, booked)
	}
}

// A flood of names that nobody has takes few rows of the book; a reference
// out of it is explained all the same.
func TestFloodIsBookedInSummary(t *testing.T) {
	t.Parallel()
	const names, atOnce = 200, 40
	s := newSite(t)
	s.serve()
	box := s.nas(inside)
	// Few enough at once that the hash queue holds them on a slow machine, too.
	for i := range names {
		box.send(box.request(fmt.Sprint("nobody", i), "guess"))
		if (i+1)%atOnce != 0 {
			continue
		}
		for range atOnce {
			if r := box.receive(patience); r == nil || r[0] != accessReject {
				t.Fatalf("got % x, want a reject", r)
			}
		}
	}
	last := s.signIn(inside, "nobody", "guess")
	if !last.rejected() {
		t.Fatalf("got %q", last.code)
	}
	if rows := len(s.book("--outcome", "refused")); rows > 20 {
		t.Errorf("%d refusals took %d rows", names+1, rows)
	}
	if told := s.run("why", last.reference()); !strings.Contains(told, "summary") {
		t.Errorf("why says:\n%s", told)
	}
}

// radclient takes an answer only from the address that it asked.
func TestEveryAddressAnswersAsItself(t *testing.T) {
	t.Parallel()
	s := newSite(t, `["127.0.0.1:@RADIUS@"]`, `["0.0.0.0:@RADIUS@", "[::]:@RADIUS@"]`,
		`address = "127.0.0.1"`, `address = "::1"`, `address = "127.0.0.2"`, `address = "127.0.0.0/8"`)
	s.serve()
	_, port, _ := net.SplitHostPort(s.radius)
	for _, to := range []string{"127.0.0.1", "127.0.0.77", "[::1]"} {
		flags := []string{"-r", "1", "-t", "3"}
		if strings.HasPrefix(to, "[") {
			flags = append(flags, "-6")
		}
		if r := s.askWith(flags, to+":"+port, "status", secret, "Message-Authenticator = 0x00"); !r.accepted() {
			t.Errorf("%s: %q %v", to, r.code, r.attributes)
		}
	}
}
