package ldapproxy

import "sekisho/ldapproxy/wire"

// disconnect is why a connection ends. The list is closed: it is a label of a
// counter.
type disconnect string

const (
	staying    disconnect = "" // it does not end
	byUnbind   disconnect = "unbind"
	byClient   disconnect = "closed" // by the client, without an Unbind
	byIdleness disconnect = "idle"
	bySender   disconnect = "slow_sender" // of a message that had begun
	byProtocol disconnect = "protocol"
	bySize     disconnect = "too_large"
	byMemory   disconnect = "too_large_in_all"
	byTicket   disconnect = "ticket_ended" // or the service account, or the application
	byTLS      disconnect = "handshake"
	byPlain    disconnect = "plain_after_starttls"
	byWrite    disconnect = "slow_reader"
	byPanic    disconnect = "panic"
	byUpstream disconnect = "upstream_lost"
	byShutdown disconnect = "shutdown"
	byCap      disconnect = "too_many"         // connections in all
	byAddress  disconnect = "too_many_address" // from one address

	byStrangers disconnect = "too_many_strangers" // from addresses of no application
)

// notices are the last words of those that have any (RFC 4511 §4.4.1). An
// ended ticket is strongerAuthRequired, "the server now requires the client
// to authenticate": unavailable would send an application to another server,
// or make it take the directory for dead.
var notices = map[disconnect]wire.Result{
	byProtocol: {Code: wire.ResultProtocolError, Diagnostic: "not an LDAP message"},
	bySize:     {Code: wire.ResultProtocolError, Diagnostic: "message too large"},
	byMemory:   {Code: wire.ResultBusy, Diagnostic: "too many large messages at once: try again"},
	byPlain:    {Code: wire.ResultProtocolError, Diagnostic: "data behind StartTLS"},
	byTicket:   {Code: wire.ResultStrongerAuthRequired, Diagnostic: "signed out: bind again"},
	byShutdown: {Code: wire.ResultUnavailable, Diagnostic: "shutting down"},
	byUpstream: {Code: wire.ResultUnavailable, Diagnostic: "the directory is away"},
}
