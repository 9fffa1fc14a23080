package radiusd

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

// drop is why a datagram is not answered. The list is closed: it is a label
// of a counter.
type drop string

const (
	kept           drop = "" // not dropped
	dropShort      drop = "short"
	dropLength     drop = "length"
	dropFraming    drop = "attribute_length"
	dropAttributes drop = "attribute_count"
	dropCode       drop = "unknown_code"
	dropPort       drop = "wrong_port" // accounting where people sign in, or an Access-Request where it goes
	dropClient     drop = "unknown_client"
	dropIdentifier drop = "identifier" // of another order

	dropSecret      drop = "secret_differs" // or somebody changed the packet on its way
	dropMACMissing  drop = "message_authenticator_missing"
	dropMACDoubled  drop = "message_authenticator_doubled"
	dropMACLength   drop = "message_authenticator_length"
	dropEAP         drop = "eap_without_message_authenticator"
	dropProxyState  drop = "proxy_state_without_message_authenticator"
	dropNothing     drop = "no_credential"
	dropPassword    drop = "password_length"
	dropInWork      drop = "in_work"    // a retransmission of what is being judged
	dropSuperseded  drop = "superseded" // the client has re-used the Identifier meanwhile
	dropOverload    drop = "overload"
	dropStatusRate  drop = "status_rate"
	dropStore       drop = "store_unavailable"
	dropUnjudged    drop = "not_judged"  // the gate returned an error
	dropUnwritten   drop = "not_written" // likewise, of a record
	dropNoStatus    drop = "no_status"   // a record without Acct-Status-Type
	dropNoSession   drop = "no_session"  // without Acct-Session-Id
	dropPanic       drop = "panic"
	dropReplyLength drop = "reply_length"
	dropSend        drop = "send_failed"
)

// logEvery is how often one thing is said of one client.
const logEvery = 10 * time.Second

// complaints keeps a log from being flooded: of each matter one line in
// logEvery, with the number of those that were left out. Its zero value is
// ready. The matters come from closed lists, so it stays small.
type complaints struct {
	mu   sync.Mutex
	last map[string]complaint
}

type complaint struct {
	at   time.Time
	more int
}

// due reports whether the matter may be logged now, and how often it was
// kept quiet since the last line.
func (c *complaints) due(matter string, now time.Time) (more int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, seen := c.last[matter]
	if seen && now.Sub(last.at) < logEvery {
		last.more++
		c.last[matter] = last
		return 0, false
	}
	if c.last == nil {
		c.last = make(map[string]complaint)
	}
	c.last[matter] = complaint{at: now}
	return last.more, true
}

// dropped counts a datagram that gets no answer and says so now and then.
// Why nobody answered is for the operator only: the sender is told nothing.
func (s *Server) dropped(n *nas, from netip.AddrPort, why drop, now time.Time) {
	if c := n.counters.drops[why]; c != nil {
		c.Inc()
	} else {
		s.metrics.dropped.WithLabelValues(n.Name, string(why)).Inc()
	}
	n.evidence.dropped(why, now)
	switch why {
	case dropInWork, dropSuperseded:
		s.complain(n, from, slog.LevelDebug, "dropped", string(why), now)
	case dropPort:
		s.complain(n, from, slog.LevelWarn, "dropped", string(why), now,
			"fix", "the client sends accounting to the port for authentication, or the other way round")
	default:
		s.complain(n, from, slog.LevelWarn, "dropped", string(why), now)
	}
}

func (s *Server) complain(n *nas, from netip.AddrPort, level slog.Level, what, why string, now time.Time, more ...any) {
	if left, ok := n.complaints.due(why, now); ok {
		args := append([]any{"client", n.Name, "from", from.String(), "reason", why, "left_out", left}, more...)
		s.log.Log(s.ctx, level, what, args...)
	}
}
