package radiusd

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"layeh.com/radius"
	"sekisho/gate"
	"sekisho/policy"
)

// Client is one machine, or one network of machines, that asks on people's
// behalf: a NAS. What is left zero is the careful choice.
type Client struct {
	Name   string
	Prefix netip.Prefix // where its requests come from; the longest prefix wins

	// Secrets are the shared secrets, the newest first; several while one is
	// being replaced. The one that made the Message-Authenticator is used for
	// the reply. Of a request without one, the first secret under which the
	// password is text counts, and the first of all if none is.
	Secrets [][]byte

	Service   string // what its people sign in to
	Separator string // between password and code; "": none

	// Zone is where its people are; "": [policy.OffCampus]. With OwnAddress
	// it is "", and each is where the address lies that the client tells in
	// Calling-Station-Id; whoever's address is not told is off-campus. That
	// is believed only of a client whose requests nobody can alter.
	Zone           string
	OwnAddress     bool
	TunnelEndpoint bool // Tunnel-Client-Endpoint tells it, too

	Challenge gate.Challenge // when the code is asked for in a round of its own

	Reply   []Attribute    // what an Access-Accept carries besides
	Tunnel  []netip.Prefix // where its people have their addresses; empty: they vouch for nobody
	Pool    []netip.Prefix // of Tunnel, where we give them out; empty: the NAS does
	Interim time.Duration  // how often it is asked to tell of a session; 0: it is not

	Disconnect Disconnect // how its sessions are ended

	// AllowMissingMA accepts requests without a Message-Authenticator, which
	// anybody on the path can alter (CVE-2024-3596). Only for a NAS that
	// can't send it, and never for a proxy.
	AllowMissingMA bool
	Proxy          bool // relays for others
	NoClass        bool // takes Class for a group: leave it out

	RejectDelay time.Duration // a refusal leaves that long after its request, or a multiple; 0: at once
}

// Disconnect is where a NAS takes orders about its sessions (RFC 5176). The
// zero value is nowhere.
type Disconnect struct {
	To      netip.AddrPort
	Secret  []byte
	Address bool // name the session by its Framed-IP-Address, too
}

// String is the name alone: a client holds secrets.
func (c Client) String() string { return c.Name }

// GoString is String, for %#v.
func (c Client) GoString() string { return c.Name }

// LogValue is the name alone, too.
func (c Client) LogValue() slog.Value { return slog.StringValue(c.Name) }

// Clients is a checked list of clients. The zero value knows nobody.
type Clients struct {
	list []Client
}

// NewClients checks the clients and returns all the faults it finds at once,
// joined: a name that is missing or given twice, a prefix given twice, no
// secret, a proxy that may leave out the Message-Authenticator (it adds
// Proxy-State, without which that attack does not work), addresses that anybody
// could alter, reply attributes that make no packet or that the server answers
// with itself, a pool outside the tunnel, records asked for too often, or orders
// without a secret.
func NewClients(clients []Client) (*Clients, error) {
	var faults []error
	names := make(map[string]bool)
	var prefixes policy.Networks[string]
	list := slices.Clone(clients)
	for i := range list {
		c := &list[i]
		fault := func(format string, args ...any) {
			faults = append(faults, fmt.Errorf("client %q: "+format, append([]any{c.Name}, args...)...))
		}
		switch {
		case c.Name == "":
			fault("has no name")
		case names[c.Name]:
			fault("is named twice")
		}
		names[c.Name] = true

		if other, taken := prefixes.Has(c.Prefix); taken {
			fault("has the prefix %v of client %q", c.Prefix, other)
		} else if !prefixes.Put(c.Prefix, c.Name) {
			fault("%v is not an address prefix", c.Prefix)
		}

		if len(c.Secrets) == 0 || slices.ContainsFunc(c.Secrets, func(s []byte) bool { return len(s) == 0 }) {
			fault("has no secret, or an empty one")
		}
		if c.Proxy && c.AllowMissingMA {
			fault("a proxy must send Message-Authenticator")
		}
		if c.RejectDelay < 0 {
			fault("a negative reject delay")
		}
		switch {
		case c.OwnAddress && c.AllowMissingMA:
			fault("without Message-Authenticator the addresses it tells can be altered")
		case c.OwnAddress && c.Zone != "":
			fault("has a zone, and each person's own address")
		case c.TunnelEndpoint && !c.OwnAddress:
			fault("is not asked for addresses, so not for that of a tunnel")
		case c.Zone == "" && !c.OwnAddress:
			c.Zone = policy.OffCampus
		}
		for _, a := range c.Reply {
			switch {
			case !a.framed():
				fault("the attribute %s is ill framed", a.Name)
			case a.holds(c.own):
				fault("the attribute %s is the server's own", a.Name)
			}
		}
		for _, p := range c.Pool {
			if !slices.ContainsFunc(c.Tunnel, func(t netip.Prefix) bool { return within(p, t) }) {
				fault("the pool %v is not in its tunnel", p)
			}
		}
		if c.Interim != 0 && c.Interim < time.Minute {
			fault("asked more often than each minute (RFC 2869 section 5.16)")
		}
		if c.Disconnect.To.IsValid() && len(c.Disconnect.Secret) == 0 {
			fault("orders to %v would have no secret", c.Disconnect.To)
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &Clients{list: list}, nil
}

// within reports whether all addresses of p are in the network.
func within(p, network netip.Prefix) bool {
	return network.Bits() <= p.Bits() && network.Contains(p.Addr())
}

// nas is a client at work: with its secrets ready for use, its counters and
// what is remembered of it while this list of clients is in force.
type nas struct {
	Client
	secrets    []*secret
	counters   counters
	evidence   *evidence
	complaints complaints
	status     bucket
	nameless   sync.Once // a warning was given
}

// table finds the client of an address.
type table struct {
	clients policy.Networks[*nas]
	all     []*nas
}

func newTable(clients *Clients, m *metrics) *table {
	t := &table{}
	if clients == nil {
		return t
	}
	for _, c := range clients.list {
		n := &nas{Client: c, counters: m.of(c.Name)}
		for _, key := range c.Secrets {
			n.secrets = append(n.secrets, newSecret(key))
		}
		t.clients.Put(c.Prefix, n)
		t.all = append(t.all, n)
	}
	return t
}

// find returns the client of an address, nil if there is none.
func (t *table) find(addr netip.Addr) *nas {
	found, _ := t.clients.Of(addr)
	return found
}

// named returns the client of a name, nil if there is none.
func (t *table) named(name string) *nas {
	if i := slices.IndexFunc(t.all, func(n *nas) bool { return n.Name == name }); i >= 0 {
		return t.all[i]
	}
	return nil
}

// believe decides whether a packet is believed to come from the client, and
// which secret it was made with. What fails is answered with silence: it says
// nothing about the person, so it never becomes a refused sign-in.
func (n *nas) believe(p packet, o *outline) (*secret, drop) {
	switch {
	case o.badMAC != kept:
		return nil, o.badMAC
	case p.code() == radius.CodeAccountingRequest:
		return n.believeRecord(p, o)
	case o.mac != 0:
		for _, s := range n.secrets {
			if s.verify(p, o.mac) {
				return s, kept
			}
		}
		return nil, dropSecret
	case o.method&methodEAP != 0: // RFC 3579 §3.3
		return nil, dropEAP
	case !n.AllowMissingMA || isStatus(p): // RFC 5997 §3 demands it always
		return nil, dropMACMissing
	case o.proxied: // the forgery of CVE-2024-3596 hides its collision there
		return nil, dropProxyState
	case o.method == 0: // RFC 3579 §3.3
		return nil, dropNothing
	case o.method&methodPAP != 0 && !passwordSized(o.password):
		return nil, dropPassword
	}
	return n.guessSecret(p, o), kept
}

// believeRecord decides on an Accounting-Request. The secret is in its
// authenticator, so a Message-Authenticator must not be demanded (RFC 3579
// §3.3); one that is there has to be right.
func (n *nas) believeRecord(p packet, o *outline) (*secret, drop) {
	for _, s := range n.secrets {
		if s.signed(p) && (o.mac == 0 || s.verifyRecord(p, o.mac)) {
			return s, kept
		}
	}
	return nil, dropSecret
}

// guessSecret picks the secret of a request that proves none.
func (n *nas) guessSecret(p packet, o *outline) *secret {
	if len(n.secrets) > 1 && o.method == methodPAP {
		var room [maxPasswordLen]byte
		defer clear(room[:])
		for _, s := range n.secrets {
			if isText(s.reveal(room[:], o.password, p.authenticator())) {
				return s
			}
		}
	}
	return n.secrets[0]
}

// bucket bounds a rate. Its zero value starts full.
type bucket struct {
	mu   sync.Mutex
	at   time.Time
	left float64
}

// take reports whether one more is within the rate a second.
func (b *bucket) take(now time.Time, rate float64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at.IsZero() {
		b.left = rate
	} else {
		b.left = min(rate, b.left+max(0, now.Sub(b.at).Seconds())*rate)
	}
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
