package ldapproxy

import "errors"

// What can be wrong with a message. errTooLarge and errFrame end the
// connection; with the others the message is answered and the connection
// goes on. See fault.
var (
	errTooLarge = errors.New("message too large")
	errFrame    = errors.New("not an LDAP message")
	errRequest  = errors.New("malformed request")
	errDeep     = errors.New("filter nested too deep")
	errMany     = errors.New("request of too many parts")
	errDoubled  = errors.New("a control twice")
)

// message is one LDAPMessage (RFC 4511 §4.1.1), its operation not yet read.
// It is a view into its frame.
type message struct {
	id       int32
	op       byte   // tag of the protocolOp
	body     []byte // its content
	controls []control
}

// control is one of RFC 4511 §4.1.11.
type control struct {
	oid      string
	critical bool
	value    []byte
	hasValue bool
}

// bindRequest is RFC 4511 §4.2. Where it is neither simple nor has a
// mechanism, the client has chosen an authentication that is not LDAPv3's.
type bindRequest struct {
	version   int64
	dn        []byte
	simple    bool
	password  []byte // of a simple bind; aliases the frame
	mechanism []byte // of a SASL bind
}

// searchRequest is RFC 4511 §4.5.1.
type searchRequest struct {
	base       string
	scope      int64 // whatever was sent
	deref      int64
	sizeLimit  int64
	timeLimit  int64 // seconds
	typesOnly  bool
	filter     *filter
	attributes []string
}

// compareRequest is RFC 4511 §4.10.
type compareRequest struct {
	dn        string
	attribute string
	value     []byte // aliases the frame
}

// extendedRequest is RFC 4511 §4.12.
type extendedRequest struct {
	oid      string
	value    []byte // aliases the frame
	hasValue bool
}

// filter is RFC 4511 §4.5.1.7; kind is its tag. A kind that is none of ours
// has nothing else: it is Undefined. The values alias the frame.
type filter struct {
	kind      byte
	children  []*filter // and, or, not
	attribute string    // as sent, with options; "" in an extensibleMatch: all
	value     []byte
	initial   []byte // substrings; nil: none
	any       [][]byte
	final     []byte
	rule      string // extensibleMatch; "": the attribute's equality
	dnAttrs   bool
}

// result is what an operation ends with (RFC 4511 §4.1.9).
type result struct {
	code       int
	matched    string
	diagnostic string
}

// attribute is one of an entry's, to be sent; no values for typesOnly.
type attribute struct {
	name   string
	values []string
}

// Tags of the operations (RFC 4511 §4.2 to §4.14).
const (
	opBind             = 0x60
	opBindResponse     = 0x61
	opUnbind           = 0x42
	opSearch           = 0x63
	opSearchEntry      = 0x64
	opSearchDone       = 0x65
	opModify           = 0x66
	opModifyResponse   = 0x67
	opAdd              = 0x68
	opAddResponse      = 0x69
	opDelete           = 0x4a
	opDeleteResponse   = 0x6b
	opModifyDN         = 0x6c
	opModifyDNResponse = 0x6d
	opCompare          = 0x6e
	opCompareResponse  = 0x6f
	opAbandon          = 0x50
	opExtended         = 0x77
	opExtendedResponse = 0x78

	tagControls = 0xa0
)

// responseTo is the operation that ends a request, and whether op is a
// request at all. Unbind and Abandon are requests without a response: 0.
func responseTo(op byte) (response byte, request bool) {
	switch op {
	case opUnbind, opAbandon:
		return 0, true
	case opBind:
		return opBindResponse, true
	case opSearch:
		return opSearchDone, true
	case opModify:
		return opModifyResponse, true
	case opAdd:
		return opAddResponse, true
	case opDelete:
		return opDeleteResponse, true
	case opModifyDN:
		return opModifyDNResponse, true
	case opCompare:
		return opCompareResponse, true
	case opExtended:
		return opExtendedResponse, true
	}
	return 0, false
}

// parseMessage reads the envelope of a request. With errFrame there is no
// message; with any other error there is one, whose id and op say what is to
// be answered.
func parseMessage(frame []byte) (message, error) {
	d := decoder{rest: frame}
	in := d.within(tagSequence)
	if d.err != nil || d.more() {
		return message{}, errFrame
	}
	var m message
	m.id = int32(in.number(tagInteger))
	m.op, m.body = in.next()
	var list []byte
	if in.peek() == tagControls {
		list = in.take(tagControls)
	}
	// The id 0 is the server's own (RFC 4511 §4.1.1.1).
	if _, request := responseTo(m.op); in.end(tagControls) != nil || m.id == 0 || !request {
		return message{}, errFrame
	}
	var err error
	if m.controls, err = parseControls(list); err == errFrame {
		return message{}, errFrame
	}
	return m, err
}

// fault is the answer to a request that could not be read. last: it goes out
// as a Notice of Disconnection, and the connection ends (RFC 4511 §4.1.1).
func fault(err error) (r result, last bool) {
	switch {
	case errors.Is(err, errRequest):
		return result{code: resultProtocolError, diagnostic: "malformed request"}, false
	case errors.Is(err, errDoubled):
		return result{code: resultProtocolError, diagnostic: "a control is there twice"}, false
	case errors.Is(err, errDeep):
		return result{code: resultAdminLimitExceeded, diagnostic: "filter nested too deep"}, false
	case errors.Is(err, errMany):
		return result{code: resultAdminLimitExceeded, diagnostic: "request of too many parts"}, false
	case errors.Is(err, errTooLarge):
		return result{code: resultProtocolError, diagnostic: "message too large"}, true
	}
	return result{code: resultProtocolError, diagnostic: "not an LDAP message"}, true
}
