// Package wire is LDAP as it stands on the wire (RFC 4511), as far as the LDAP
// door reads and writes it itself.
//
// A [FrameReader] cuts messages out of a stream; nothing is allocated for a
// length that has not arrived. [ParseMessage] reads the envelope, and the
// methods of [Message] what it holds; all that they return are views into the
// frame. Depth and parts are bounded. Replies are appended to a buffer, a
// function for each kind.
package wire

import "errors"

// What can be wrong with a message. ErrTooLarge and ErrFrame end the
// connection; with the others the message is answered and the connection
// goes on. See fault.
var (
	ErrTooLarge = errors.New("message too large")
	ErrFrame    = errors.New("not an LDAP message")
	errRequest  = errors.New("malformed request")
	errDeep     = errors.New("filter nested too deep")
	errMany     = errors.New("request of too many parts")
	errDoubled  = errors.New("a control twice")
)

// Message is one LDAPMessage (RFC 4511 §4.1.1), its operation not yet read.
// It is a view into its frame.
type Message struct {
	ID       int32
	Op       byte   // tag of the protocolOp
	body     []byte // its content
	strict   bool   // see ParseStrict
	Controls []Control
}

// Control is one of RFC 4511 §4.1.11.
type Control struct {
	OID      string
	Critical bool
	Value    []byte
	HasValue bool
}

// BindRequest is RFC 4511 §4.2. Where it is neither simple nor has a
// mechanism, the client has chosen an authentication that is not LDAPv3's.
type BindRequest struct {
	Version   int64
	DN        []byte
	Simple    bool
	Password  []byte // of a simple bind; aliases the frame
	mechanism []byte // of a SASL bind
}

// SearchRequest is RFC 4511 §4.5.1.
type SearchRequest struct {
	Base       string
	Scope      int64 // whatever was sent
	deref      int64
	SizeLimit  int64
	TimeLimit  int64 // seconds
	TypesOnly  bool
	Filter     *Filter
	Attributes []string
}

// CompareRequest is RFC 4511 §4.10.
type CompareRequest struct {
	DN        string
	Attribute string
	Value     []byte // aliases the frame
}

// ExtendedRequest is RFC 4511 §4.12.
type ExtendedRequest struct {
	OID      string
	Value    []byte // aliases the frame
	HasValue bool
}

// Filter is RFC 4511 §4.5.1.7; kind is its tag. A kind that is none of ours
// has nothing else: it is Undefined. The values alias the frame.
type Filter struct {
	Kind      byte
	Children  []*Filter // and, or, not
	Attribute string    // as sent, with options; "" in an extensibleMatch: all
	Value     []byte
	Initial   []byte // substrings; nil: none
	Any       [][]byte
	Final     []byte
	Rule      string // extensibleMatch; "": the attribute's equality
	DNAttrs   bool
}

// Result is what an operation ends with (RFC 4511 §4.1.9).
type Result struct {
	Code       int
	Matched    string
	Diagnostic string
}

// Attribute is one of an entry's, to be sent; no values for TypesOnly.
type Attribute struct {
	Name   string
	Values []string
}

// Tags of the operations (RFC 4511 §4.2 to §4.14).
const (
	OpBind             = 0x60
	OpBindResponse     = 0x61
	OpUnbind           = 0x42
	OpSearch           = 0x63
	OpSearchEntry      = 0x64
	OpSearchDone       = 0x65
	OpSearchReference  = 0x73
	OpModify           = 0x66
	opModifyResponse   = 0x67
	OpAdd              = 0x68
	opAddResponse      = 0x69
	OpDelete           = 0x4a
	opDeleteResponse   = 0x6b
	OpModifyDN         = 0x6c
	opModifyDNResponse = 0x6d
	OpCompare          = 0x6e
	opCompareResponse  = 0x6f
	OpAbandon          = 0x50
	OpExtended         = 0x77
	OpExtendedResponse = 0x78
	OpIntermediate     = 0x79

	TagControls = 0xa0
	TagReferral = 0xa3
)

// ResponseTo is the operation that ends a request, and whether op is a
// request at all. Unbind and Abandon are requests without a response: 0.
func ResponseTo(op byte) (response byte, request bool) {
	switch op {
	case OpUnbind, OpAbandon:
		return 0, true
	case OpBind:
		return OpBindResponse, true
	case OpSearch:
		return OpSearchDone, true
	case OpModify:
		return opModifyResponse, true
	case OpAdd:
		return opAddResponse, true
	case OpDelete:
		return opDeleteResponse, true
	case OpModifyDN:
		return opModifyDNResponse, true
	case OpCompare:
		return opCompareResponse, true
	case OpExtended:
		return OpExtendedResponse, true
	}
	return 0, false
}

// ParseMessage reads the envelope of a request. With ErrFrame there is no
// message; with any other error there is one, whose id and op say what is to
// be answered.
func ParseMessage(frame []byte) (Message, error) { return parseMessage(frame, false) }

// ParseStrict is ParseMessage for a request that is passed on: neither it nor
// what the methods of the Message read may have an element that is not read.
func ParseStrict(frame []byte) (Message, error) { return parseMessage(frame, true) }

func parseMessage(frame []byte, strict bool) (Message, error) {
	d := Decoder{Rest: frame, Strict: strict}
	in := d.Within(TagSequence)
	if d.Err != nil || d.More() {
		return Message{}, ErrFrame
	}
	var m Message
	m.ID = int32(in.Number(TagInteger))
	m.Op, m.body = in.Next()
	var list []byte
	if in.Peek() == TagControls {
		list = in.Take(TagControls)
	}
	// The id 0 is the server's own (RFC 4511 §4.1.1.1).
	if _, request := ResponseTo(m.Op); in.End(TagControls) != nil || m.ID == 0 || !request {
		return Message{}, ErrFrame
	}
	var err error
	m.strict = strict
	if m.Controls, err = parseControls(Decoder{Rest: list, Strict: strict}); err == ErrFrame {
		return Message{}, ErrFrame
	}
	return m, err
}

// content is what the operation holds.
func (m Message) content() Decoder { return Decoder{Rest: m.body, Strict: m.strict} }

// Fault is the answer to a request that could not be read. last: it goes out
// as a Notice of Disconnection, and the connection ends (RFC 4511 §4.1.1).
func Fault(err error) (r Result, last bool) {
	switch {
	case errors.Is(err, errRequest):
		return Result{Code: ResultProtocolError, Diagnostic: "malformed request"}, false
	case errors.Is(err, errDoubled):
		return Result{Code: ResultProtocolError, Diagnostic: "a control is there twice"}, false
	case errors.Is(err, errDeep):
		return Result{Code: resultAdminLimitExceeded, Diagnostic: "filter nested too deep"}, false
	case errors.Is(err, errMany):
		return Result{Code: resultAdminLimitExceeded, Diagnostic: "request of too many parts"}, false
	case errors.Is(err, ErrTooLarge):
		return Result{Code: ResultProtocolError, Diagnostic: "message too large"}, true
	}
	return Result{Code: ResultProtocolError, Diagnostic: "not an LDAP message"}, true
}
