package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// get fetches /metrics or /healthz.
func (s *site) get(path string) (status int, body string) {
	s.t.Helper()
	client := http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	r, err := client.Get("http://" + s.metrics + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// gauge sums the series of a metric that have all the given labels.
func (s *site) gauge(name string, labels ...string) (sum float64) {
	s.t.Helper()
	_, body := s.get("/metrics")
series:
	for line := range strings.Lines(body) {
		series, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if base, _, _ := strings.Cut(series, "{"); !ok || base != name {
			continue
		}
		for _, l := range labels {
			if !strings.Contains(series, l) {
				continue series
			}
		}
		var n float64
		if _, err := fmt.Sscan(value, &n); err != nil {
			s.t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// event is a line of the book.
type event struct {
	Reference string `json:"reference"`
	Outcome   string `json:"outcome"`
	Reason    string `json:"reason"`
	User      string `json:"user"`
	Source    string `json:"source"`
	Service   string `json:"service"`
	Ticket    string `json:"ticket"`
}

// book searches the book.
func (s *site) book(args ...string) []event {
	s.t.Helper()
	var events []event
	d := json.NewDecoder(strings.NewReader(s.run(append([]string{"audit", "search", "--json"}, args...)...)))
	for {
		var e event
		switch err := d.Decode(&e); {
		case errors.Is(err, io.EOF):
			return events
		case err != nil:
			s.t.Fatal(err)
		}
		events = append(events, e)
	}
}
