package weblogin

import (
	"maps"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestPagesAreCounted(t *testing.T) {
	r := newPages(t)
	registry := prometheus.NewRegistry()
	r.server = &Server{Gate: r.gate, URL: r.server.URL, Metrics: registry}
	r.handler = r.server.Handler(Listener{Name: "web"})
	b := r.browser(homeAddr)
	b.get("/login")
	b.get("/login")
	b.get("/none-" + newID())
	b.get("/none-" + newID())
	b.header.Set("Sec-Fetch-Site", "cross-site")
	b.post("/login")
	families, err := registry.Gather()
	if err != nil || len(families) != 1 {
		t.Fatalf("%v %v", families, err)
	}
	got := map[string]float64{}
	for _, m := range families[0].GetMetric() {
		key := ""
		for _, l := range m.GetLabel() {
			key += l.GetValue() + ","
		}
		got[key] = m.GetCounter().GetValue()
	}
	want := map[string]float64{"web,GET /login,200,": 2, "web,/,404,": 2, "web,,403,": 1}
	if !maps.Equal(got, want) {
		t.Errorf("counted %v", got)
	}
}

// Handler is called once a listener, and the counters are made once.
func TestTwoListenersShareTheServer(t *testing.T) {
	r := newPages(t)
	r.server.Metrics = prometheus.NewRegistry()
	b := r.browser(homeAddr)
	page := b.begin("alice")
	r.handler = r.server.Handler(Listener{Name: "inside", Zone: "campus"})
	b.fill(page, testPassword).goesTo("/")
	if q := r.gate.asked[0]; q.Client != "inside" || q.Zone != "campus" {
		t.Errorf("%+v", q)
	}
}
