package main

import "fmt"

// Bar is what a figure should be: at least that much or, with Most, at most.
type Bar struct {
	What string
	Is   float64
	Bar  float64
	Most bool
}

func (b Bar) met() bool {
	if b.Most {
		return b.Is <= b.Bar
	}
	return b.Is >= b.Bar
}

// String says it in a line.
func (b Bar) String() string {
	bound, verdict := "least", "met"
	if b.Most {
		bound = "most"
	}
	if !b.met() {
		verdict = "**missed**"
	}
	return fmt.Sprintf("%s: %.2f, should be at %s %.2f: %s", b.What, b.Is, bound, b.Bar, verdict)
}

// reach adds what one contestant's rate should be beside another's.
func (s *Standing) reach(name, other string, least float64) {
	ratio, _ := s.find(name).against(s.find(other))
	s.Bars = append(s.Bars, Bar{What: "rate of " + name + " ÷ " + other, Is: ratio, Bar: least})
}
