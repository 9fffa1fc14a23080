package radiusd

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"sekisho/gate"
)

// Readiness is what a client was seen to do: enough to tell how it is set up,
// and what would break if the server were made stricter. It holds no secret
// and nothing about a person. As JSON it can be kept, and gone on from.
type Readiness struct {
	Client   string    `json:"client"`
	At       time.Time `json:"at"`    // of what stands here
	Since    time.Time `json:"since"` // counted from then on
	Settings Settings  `json:"settings"`

	// Machine is what it last told of itself in its accounting, for orders to
	// it: ip:192.0.2.1,id:box. Only of a client that is one machine.
	Machine string `json:"machine,omitempty"`

	LastSeen time.Time        `json:"last_seen,omitzero"` // anything that was believed to be the client's
	Requests Tally            `json:"requests"`           // Access-Requests, each once
	Methods  map[string]Tally `json:"methods,omitempty"`  // of them: pap, chap, mschap, eap, none, several

	// MessageAuthenticator counts the requests that carry it, and those that
	// don't, whether or not that was allowed.
	MessageAuthenticator struct {
		With    Tally `json:"with"`
		Without Tally `json:"without"`
	} `json:"message_authenticator"`
	ProxyState Tally `json:"proxy_state"`

	// SecretMismatches and what came without Message-Authenticator may be
	// anybody's who can write the client's address on a packet.
	SecretMismatches Tally `json:"secret_mismatches"`
	Retransmissions  Tally `json:"retransmissions"`

	// Station is what the requests told of where the person is.
	Station struct {
		Address Tally `json:"address"`
		Other   Tally `json:"other"` // a MAC, a line number
		None    Tally `json:"none"`
	} `json:"calling_station"`

	Accepts    Tally `json:"accepts"`
	Rejects    Tally `json:"rejects"`
	Challenges Tally `json:"challenges"`
	Continued  Tally `json:"continued"` // requests that answer a challenge
	Latency    struct {
		P50    float64  `json:"p50_ms"` // from arrival to judgement, without the delay of refusals
		P99    float64  `json:"p99_ms"`
		Counts []uint64 `json:"counts,omitempty"` // how often, by the buckets of histogram.Durations
	} `json:"latency"`

	Accounting struct {
		Records  Tally   `json:"records"` // of sessions
		Class    Tally   `json:"class"`   // of them: carried the Class of their Access-Accept
		Interims Tally   `json:"interims"`
		Behind   Tally   `json:"behind"`           // too old by the NAS's clock to do anything
		Interval float64 `json:"interval_seconds"` // between two Interim-Updates, as seen; 0: not yet
	} `json:"accounting"`

	// Disconnect is what became of the last order to it.
	Disconnect struct {
		Result string    `json:"result,omitempty"` // "ack", "nak 503", "silent"
		At     time.Time `json:"at,omitzero"`
	} `json:"disconnect"`
}

// Settings are those of the client's that advice depends on.
type Settings struct {
	RequireMessageAuthenticator bool `json:"require_message_authenticator"`
	OwnAddress                  bool `json:"own_address"`
	Challenge                   bool `json:"challenge"`
	Class                       bool `json:"class"`
	Tunnel                      bool `json:"tunnel"`
}

// Tally is how often something was seen, and when last.
type Tally struct {
	Count uint64    `json:"count"`
	Last  time.Time `json:"last,omitzero"`
}

// Readiness tells of each client in force, in the order of their names.
func (s *Server) Readiness() []Readiness {
	s.setup()
	var list []Readiness
	now := s.Now()
	for _, n := range s.table.Load().all {
		r := n.evidence.tell(now)
		r.Client, r.Settings = n.Name, Settings{
			RequireMessageAuthenticator: !n.AllowMissingMA,
			OwnAddress:                  n.OwnAddress,
			Challenge:                   n.Challenge != gate.ChallengeNever,
			Class:                       !n.NoClass,
			Tunnel:                      len(n.Tunnel) > 0,
		}
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b Readiness) int { return cmp.Compare(a.Client, b.Client) })
	return list
}

// Remember goes on from what Readiness told before a restart. Call it once:
// what it is given is added to what was seen since.
func (s *Server) Remember(list []Readiness) {
	s.setup()
	for i := range list {
		s.witness.of(list[i].Client, s.Now()).recall(&list[i])
	}
}

// witness keeps the evidence of all clients, by name: a change of the
// configuration does not begin it anew. Its zero value is ready.
type witness struct {
	mu      sync.Mutex
	clients map[string]*evidence
}

func (w *witness) of(client string, now time.Time) *evidence {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.clients == nil {
		w.clients = make(map[string]*evidence)
	}
	e := w.clients[client]
	if e == nil {
		e = newEvidence(now)
		w.clients[client] = e
	}
	return e
}
