package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Report is what docs/performance.md is made of.
type Report struct {
	Command  string
	Machine  []Fact
	Sections []Section
}

// Section is a Standing or Facts.
type Section interface{ markdown(w io.Writer) }

// Fact is one thing that was found.
type Fact struct{ Name, Value string }

// Facts are the figures of a scenario without contestants.
type Facts struct {
	Name string
	Note string
	List []Fact
	Bars []Bar
}

// Standing is how a contest ended.
type Standing struct {
	Name        string
	Note        string
	Contestants []*Contestant
	Bars        []Bar
}

// beside are the contestants that the others are compared with.
var beside = []string{"echo", "freeradius", "slapd", "handler"}

// Contestant is one of them with all its rounds.
type Contestant struct {
	Name   string
	Rounds []Round
	Peak   int64 // the most it had resident, in octets
}

// WriteTo writes the report as Markdown.
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "    %s\n\n", r.Command)
	table(&b, []string{"machine", ""}, facts(r.Machine))
	for _, s := range r.Sections {
		fmt.Fprintln(&b)
		s.markdown(&b)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

func (f *Facts) markdown(w io.Writer) {
	heading(w, f.Name, f.Note)
	table(w, []string{"figure", ""}, facts(f.List))
	bars(w, f.Bars)
}

func facts(list []Fact) (rows [][]string) {
	for _, f := range list {
		rows = append(rows, []string{f.Name, f.Value})
	}
	return rows
}

func (s *Standing) markdown(w io.Writer) {
	heading(w, s.Name, s.Note)
	head := []string{"", "rate in each round, 1/s", "median", "CPU, ms/1,000", "p50", "p99", "lost", "RSS peak"}
	var others []*Contestant
	for _, name := range beside {
		if other := s.find(name); other != nil {
			others = append(others, other)
			head = append(head, "rate ÷ "+name, "CPU × "+name)
		}
	}
	var rows [][]string
	for _, c := range s.Contestants {
		row := []string{
			c.Name, c.rates(), fmt.Sprintf("%.0f", c.rate()), fmt.Sprintf("%.1f", c.cpu()),
			brief(c.quantile(0.5)), brief(c.quantile(0.99)), fmt.Sprint(c.lost()), mega(c.Peak),
		}
		for _, other := range others {
			rate, cpu := c.against(other)
			row = append(row, fmt.Sprintf("%.2f", rate), fmt.Sprintf("%.2f", cpu))
		}
		rows = append(rows, row)
	}
	table(w, head, rows)
	bars(w, s.Bars)
}

func (s *Standing) find(name string) *Contestant {
	i := slices.IndexFunc(s.Contestants, func(c *Contestant) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return s.Contestants[i]
}

func (c *Contestant) rates() string {
	var list []string
	for _, r := range c.Rounds {
		list = append(list, fmt.Sprintf("%.0f", r.Rate()))
	}
	return strings.Join(list, " ")
}

func (c *Contestant) rate() float64 {
	return middle(c.Rounds, func(r Round) float64 { return r.Rate() })
}
func (c *Contestant) cpu() float64 {
	return middle(c.Rounds, func(r Round) float64 { return ms(r.CPU) })
}

func (c *Contestant) quantile(q float64) time.Duration {
	return middle(c.Rounds, func(r Round) time.Duration { return r.Quantile(q) })
}

func (c *Contestant) lost() (n int) {
	for _, r := range c.Rounds {
		n += r.Lost
	}
	return n
}

// against compares with another, round by round, since both had the same
// machine in a round; what counts is the median of the ratios.
func (c *Contestant) against(other *Contestant) (rate, cpu float64) {
	var rates, cpus []float64
	for i, r := range c.Rounds {
		if o := other.Rounds[i]; o.Rate() > 0 && o.CPU > 0 {
			rates = append(rates, r.Rate()/o.Rate())
			cpus = append(cpus, float64(r.CPU)/float64(o.CPU))
		}
	}
	return median(rates), median(cpus)
}

func middle[T cmp.Ordered](rounds []Round, of func(Round) T) T {
	var list []T
	for _, r := range rounds {
		list = append(list, of(r))
	}
	return median(list)
}

// median is the middle one, of an even number the lower; of none zero.
func median[T cmp.Ordered](list []T) T {
	if len(list) == 0 {
		var none T
		return none
	}
	slices.Sort(list)
	return list[(len(list)-1)/2]
}

func heading(w io.Writer, name, note string) {
	fmt.Fprintf(w, "## %s\n\n", name)
	if note != "" {
		fmt.Fprintf(w, "%s\n\n", note)
	}
}

func table(w io.Writer, head []string, rows [][]string) {
	line := func(cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }
	line(head)
	fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", len(head)))
	for _, row := range rows {
		line(row)
	}
}

func bars(w io.Writer, list []Bar) {
	if len(list) > 0 {
		fmt.Fprintln(w)
	}
	for _, b := range list {
		fmt.Fprintf(w, "- %s\n", b)
	}
}

// brief is a time as people read it.
func brief(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", ms(d))
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func mega(octets int64) string { return fmt.Sprintf("%.0f MB", float64(octets)/1e6) }
