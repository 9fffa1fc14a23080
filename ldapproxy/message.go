package ldapproxy

// message is one LDAPMessage (RFC 4511 §4.1.1), its operation not yet read.
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

// bindRequest is RFC 4511 §4.2.
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
	value     []byte
}

// extendedRequest is RFC 4511 §4.12.
type extendedRequest struct {
	oid      string
	value    []byte
	hasValue bool
}

// filter is RFC 4511 §4.5.1.7; kind is its tag.
type filter struct {
	kind      byte
	children  []*filter // and, or, not
	attribute string    // as sent, with options
	value     []byte
	initial   []byte   // substrings; nil: none
	any       [][]byte
	final     []byte
	rule      string // extensibleMatch
	dnAttrs   bool
}

// result is what an operation ends with (RFC 4511 §4.1.9).
type result struct {
	code       int
	matched    string
	diagnostic string
}
