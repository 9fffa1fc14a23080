// Package insight is what LDAP applications are seen to do, and what an
// operator is advised to do about it: how often an application binds, whether it
// binds again with one code, how much of it is without TLS, what it is refused
// for, and how slow the directory behind is. `sekisho apps` shows it.
package insight

import "time"

// App is what an application was seen to do: enough to tell how it is set
// up, and what would make it better. It holds no secret and nothing about a
// person. As JSON it can be kept, and gone on from.
type App struct {
	Name     string    `json:"app"`
	At       time.Time `json:"at"`    // of what stands here
	Since    time.Time `json:"since"` // counted from then on
	Settings Settings  `json:"settings"`

	Connections Seen            `json:"connections"` // that have bound
	Binds       Seen            `json:"binds"`
	Hours       Hours           `json:"hours"`
	Outcomes    map[string]Seen `json:"outcomes,omitempty"` // of binds, as in the log
	Reasons     map[string]Seen `json:"reasons,omitempty"`  // why people are refused, or would be where it is only observed
	TLS         map[string]Seen `json:"tls,omitempty"`      // by version; none
	Names       map[string]Seen `json:"names,omitempty"`    // how people are named: dn, upn, domain, bare
	Codes       Seen            `json:"codes"`              // a code was cut off before the directory behind was asked

	Rebinds Rebinds `json:"rebinds"`

	// What was asked for, and is not to be had here: critical controls and
	// extended operations, by OID.
	Controls   map[string]Seen `json:"controls,omitempty"`
	Operations map[string]Seen `json:"operations,omitempty"`

	// Upstream is what binds took at the directory behind.
	Upstream struct {
		Binds   uint64   `json:"binds"`
		Failed  Seen     `json:"failed"` // it gave no answer, or there was no room
		P50     float64  `json:"p50_ms"`
		P99     float64  `json:"p99_ms"`
		Counts  []uint64 `json:"counts,omitempty"` // how often, by the buckets of histogram.Durations
		Slowest Slowest  `json:"slowest"`
	} `json:"upstream"`
}

// NoTLS is the version of TLS where there is none.
const NoTLS = "none"

// Settings are those of the application's that advice depends on.
type Settings struct {
	PlainBinds bool `json:"plain_binds"`
	Observe    bool `json:"observe"`
}

// Seen is how often something was seen, and when last.
type Seen struct {
	Count uint64    `json:"count"`
	Last  time.Time `json:"last,omitzero"`
}

func (s *Seen) add(now time.Time) { s.Count, s.Last = s.Count+1, now }

func (s *Seen) recall(kept Seen) {
	s.Count += kept.Count
	if kept.Last.After(s.Last) {
		s.Last = kept.Last
	}
}

// Hours counts the binds of whole hours.
type Hours struct {
	Began   time.Time `json:"began,omitzero"` // the hour that Count is of
	Count   uint64    `json:"count"`
	Before  uint64    `json:"before"` // in the hour before
	Most    uint64    `json:"most"`   // in one that is over
	Busiest time.Time `json:"busiest,omitzero"`
}

// turn moves on to the hour of now.
func (h *Hours) turn(now time.Time) {
	hour := now.UTC().Truncate(time.Hour)
	if !hour.After(h.Began) {
		return
	}
	if h.Count > h.Most {
		h.Most, h.Busiest = h.Count, h.Began
	}
	if h.Began.Add(time.Hour).Equal(hour) {
		h.Before = h.Count
	} else {
		h.Before = 0
	}
	h.Began, h.Count = hour, 0
}

// Slowest is the slowest bind at the directory behind.
type Slowest struct {
	Took   float64   `json:"ms"`
	Server string    `json:"server,omitempty"`
	At     time.Time `json:"at,omitzero"`
}
