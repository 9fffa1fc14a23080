package main

import (
	"strings"
	"testing"
	"time"
)

func round(answered int, took, cpu time.Duration) Round {
	return Round{Tally: &Tally{Accepted: answered, Took: took, Latency: []uint32{100, 2_000}}, CPU: cpu}
}

func TestReport(t *testing.T) {
	r := Report{
		Command: "go run ./bench -run x",
		Machine: []Fact{{"kernel", "Linux"}},
		Sections: []Section{
			&Standing{Name: "x/256", Note: "A note.", Contestants: []*Contestant{
				{Name: "echo", Peak: 16e6, Rounds: []Round{round(400, time.Second, 10*time.Millisecond), round(100, time.Second, 10*time.Millisecond), round(200, time.Second, 10*time.Millisecond)}},
				{Name: "sekisho", Peak: 80e6, Rounds: []Round{round(200, time.Second, 20*time.Millisecond), round(80, time.Second, 30*time.Millisecond), round(120, time.Second, 20*time.Millisecond)}},
			}},
			&Facts{Name: "y", List: []Fact{{"a", "1"}}},
		},
	}
	var b strings.Builder
	if _, err := r.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	want := `    go run ./bench -run x

| machine |  |
|---|---|
| kernel | Linux |

## x/256

A note.

|  | rate in each round, 1/s | median | CPU, ms/1,000 | p50 | p99 | lost | RSS peak | rate ÷ echo | CPU × echo |
|---|---|---|---|---|---|---|---|---|---|
| echo | 400 100 200 | 200 | 10.0 | 100 µs | 2.0 ms | 0 | 16 MB | 1.00 | 1.00 |
| sekisho | 200 80 120 | 120 | 20.0 | 100 µs | 2.0 ms | 0 | 80 MB | 0.60 | 2.00 |

## y

| figure |  |
|---|---|
| a | 1 |
`
	if b.String() != want {
		t.Errorf("got:\n%s", b.String())
	}
}

// What should be reached stands below the table, and is compared round by
// round.
func TestReportBars(t *testing.T) {
	s := &Standing{Name: "x", Contestants: []*Contestant{
		{Name: "slapd", Rounds: []Round{round(100, time.Second, time.Millisecond), round(400, time.Second, time.Millisecond), round(100, time.Second, time.Millisecond)}},
		{Name: "sekisho", Rounds: []Round{round(120, time.Second, time.Millisecond), round(200, time.Second, time.Millisecond), round(130, time.Second, time.Millisecond)}},
	}}
	s.reach("sekisho", "slapd", 1)
	s.reach("sekisho", "slapd", 1.21)
	s.Bars = append(s.Bars, Bar{What: "KB", Is: 20, Bar: 20, Most: true}, Bar{What: "KB", Is: 20.1, Bar: 20, Most: true})
	var b strings.Builder
	s.markdown(&b)
	want := `
- rate of sekisho ÷ slapd: 1.20, should be at least 1.00: met
- rate of sekisho ÷ slapd: 1.20, should be at least 1.21: **missed**
- KB: 20.00, should be at most 20.00: met
- KB: 20.10, should be at most 20.00: **missed**
`
	if !strings.HasSuffix(b.String(), want) || !strings.Contains(b.String(), "| rate ÷ slapd | CPU × slapd |") {
		t.Errorf("got:\n%s", b.String())
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		list []int
		want int
	}{{nil, 0}, {[]int{7}, 7}, {[]int{3, 1}, 1}, {[]int{9, 1, 5}, 5}} {
		if got := median(c.list); got != c.want {
			t.Errorf("median of %v is %d, want %d", c.list, got, c.want)
		}
	}
}

func TestBrief(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 µs", 999 * time.Microsecond: "999 µs", 1500 * time.Microsecond: "1.5 ms", 1230 * time.Millisecond: "1.23 s",
	} {
		if got := brief(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
