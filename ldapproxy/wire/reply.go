package wire

// Result codes (RFC 4511 §4.1.9 and appendix A; RFC 3909 §3 for Cancel's).
const (
	ResultSuccess                  = 0
	ResultOperationsError          = 1
	ResultProtocolError            = 2
	ResultTimeLimitExceeded        = 3
	ResultSizeLimitExceeded        = 4
	ResultCompareFalse             = 5
	ResultCompareTrue              = 6
	ResultAuthMethodNotSupported   = 7
	ResultStrongerAuthRequired     = 8
	ResultReferral                 = 10
	resultAdminLimitExceeded       = 11
	ResultUnavailableCritical      = 12 // unavailableCriticalExtension
	ResultConfidentialityRequired  = 13
	ResultNoSuchAttribute          = 16
	ResultUndefinedAttributeType   = 17
	ResultInappropriateMatching    = 18
	ResultInvalidAttributeSyntax   = 21
	ResultNoSuchObject             = 32
	ResultInvalidDNSyntax          = 34
	resultInappropriateAuth        = 48 // inappropriateAuthentication
	ResultInvalidCredentials       = 49
	ResultInsufficientAccessRights = 50
	ResultBusy                     = 51
	ResultUnavailable              = 52
	ResultUnwillingToPerform       = 53
	ResultOther                    = 80
	resultCanceled                 = 118
	ResultNoSuchOperation          = 119
	resultTooLate                  = 120
	resultCannotCancel             = 121
	ResultAuthorizationDenied      = 123 // RFC 4370 §4
)

// OIDNotice names the Notice of Disconnection (RFC 4511 §4.4.1).
const OIDNotice = "1.3.6.1.4.1.1466.20036"

const (
	TagResponseName  = 0x8a
	TagResponseValue = 0x8b
)

// AppendResult appends the message that ends an operation; op is a
// response's, as ResponseTo tells it.
func AppendResult(dst []byte, id int32, op byte, r Result, controls ...Control) []byte {
	n := r.size()
	dst = appendEnvelope(dst, id, sizeOf(n), controls)
	dst = appendHeader(dst, op, n)
	dst = r.append(dst)
	return AppendControls(dst, controls)
}

// AppendEntry appends a SearchResultEntry (RFC 4511 §4.5.2).
func AppendEntry(dst []byte, id int32, dn string, attributes []Attribute) []byte {
	list := 0
	for i := range attributes {
		list += sizeOf(attributes[i].size())
	}
	n := sizeOf(len(dn)) + sizeOf(list)
	dst = appendEnvelope(dst, id, sizeOf(n), nil)
	dst = appendHeader(dst, OpSearchEntry, n)
	dst = appendString(dst, TagString, dn)
	dst = appendHeader(dst, TagSequence, list)
	for i := range attributes {
		a := &attributes[i]
		dst = appendHeader(dst, TagSequence, a.size())
		dst = appendString(dst, TagString, a.Name)
		dst = appendHeader(dst, tagSet, a.sizeOfValues())
		for _, v := range a.Values {
			dst = appendString(dst, TagString, v)
		}
	}
	return dst
}

// AppendExtended appends an ExtendedResponse (RFC 4511 §4.12). An empty oid
// and a nil value are left out; an empty value that is not nil is sent.
func AppendExtended(dst []byte, id int32, r Result, oid string, value []byte, controls ...Control) []byte {
	n := r.size()
	if oid != "" {
		n += sizeOf(len(oid))
	}
	if value != nil {
		n += sizeOf(len(value))
	}
	dst = appendEnvelope(dst, id, sizeOf(n), controls)
	dst = appendHeader(dst, OpExtendedResponse, n)
	dst = r.append(dst)
	if oid != "" {
		dst = appendString(dst, TagResponseName, oid)
	}
	if value != nil {
		dst = appendString(dst, TagResponseValue, value)
	}
	return AppendControls(dst, controls)
}

// AppendNotice appends a Notice of Disconnection, the last that a client
// hears (RFC 4511 §4.4.1).
func AppendNotice(dst []byte, code int, text string) []byte {
	return AppendExtended(dst, 0, Result{Code: code, Diagnostic: text}, OIDNotice, nil)
}

// appendEnvelope appends the start of a message up to its operation, which
// takes op octets.
func appendEnvelope(dst []byte, id int32, op int, controls []Control) []byte {
	dst = appendHeader(dst, TagSequence, sizeOfNumber(id)+op+sizeOfControls(controls))
	return AppendNumber(dst, TagInteger, id)
}

func (r Result) size() int {
	return sizeOfNumber(int32(r.Code)) + sizeOf(len(r.Matched)) + sizeOf(len(r.Diagnostic))
}

func (r Result) append(dst []byte) []byte {
	dst = AppendNumber(dst, TagEnumerated, int32(r.Code))
	dst = appendString(dst, TagString, r.Matched)
	return appendString(dst, TagString, r.Diagnostic)
}

func (a *Attribute) size() int {
	return sizeOf(len(a.Name)) + sizeOf(a.sizeOfValues())
}

func (a *Attribute) sizeOfValues() int {
	n := 0
	for _, v := range a.Values {
		n += sizeOf(len(v))
	}
	return n
}
