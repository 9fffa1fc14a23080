package ldapproxy

// Result codes (RFC 4511 §4.1.9 and appendix A; RFC 3909 §3 for Cancel's).
const (
	resultSuccess                  = 0
	resultOperationsError          = 1
	resultProtocolError            = 2
	resultTimeLimitExceeded        = 3
	resultSizeLimitExceeded        = 4
	resultCompareFalse             = 5
	resultCompareTrue              = 6
	resultAuthMethodNotSupported   = 7
	resultStrongerAuthRequired     = 8
	resultReferral                 = 10
	resultAdminLimitExceeded       = 11
	resultUnavailableCritical      = 12 // unavailableCriticalExtension
	resultConfidentialityRequired  = 13
	resultNoSuchAttribute          = 16
	resultUndefinedAttributeType   = 17
	resultInappropriateMatching    = 18
	resultInvalidAttributeSyntax   = 21
	resultNoSuchObject             = 32
	resultInvalidDNSyntax          = 34
	resultInappropriateAuth        = 48 // inappropriateAuthentication
	resultInvalidCredentials       = 49
	resultInsufficientAccessRights = 50
	resultBusy                     = 51
	resultUnavailable              = 52
	resultUnwillingToPerform       = 53
	resultOther                    = 80
	resultCanceled                 = 118
	resultNoSuchOperation          = 119
	resultTooLate                  = 120
	resultCannotCancel             = 121
)

// oidNotice names the Notice of Disconnection (RFC 4511 §4.4.1).
const oidNotice = "1.3.6.1.4.1.1466.20036"

const (
	tagResponseName  = 0x8a
	tagResponseValue = 0x8b
)

// appendResult appends the message that ends an operation; op is a
// response's, as responseTo tells it.
func appendResult(dst []byte, id int32, op byte, r result, controls ...control) []byte {
	n := r.size()
	dst = appendEnvelope(dst, id, sizeOf(n), controls)
	dst = appendHeader(dst, op, n)
	dst = r.append(dst)
	return appendControls(dst, controls)
}

// appendEntry appends a SearchResultEntry (RFC 4511 §4.5.2).
func appendEntry(dst []byte, id int32, dn string, attributes []attribute) []byte {
	list := 0
	for i := range attributes {
		list += sizeOf(attributes[i].size())
	}
	n := sizeOf(len(dn)) + sizeOf(list)
	dst = appendEnvelope(dst, id, sizeOf(n), nil)
	dst = appendHeader(dst, opSearchEntry, n)
	dst = appendString(dst, tagString, dn)
	dst = appendHeader(dst, tagSequence, list)
	for i := range attributes {
		a := &attributes[i]
		dst = appendHeader(dst, tagSequence, a.size())
		dst = appendString(dst, tagString, a.name)
		dst = appendHeader(dst, tagSet, a.sizeOfValues())
		for _, v := range a.values {
			dst = appendString(dst, tagString, v)
		}
	}
	return dst
}

// appendExtended appends an ExtendedResponse (RFC 4511 §4.12). An empty oid
// and a nil value are left out; an empty value that is not nil is sent.
func appendExtended(dst []byte, id int32, r result, oid string, value []byte, controls ...control) []byte {
	n := r.size()
	if oid != "" {
		n += sizeOf(len(oid))
	}
	if value != nil {
		n += sizeOf(len(value))
	}
	dst = appendEnvelope(dst, id, sizeOf(n), controls)
	dst = appendHeader(dst, opExtendedResponse, n)
	dst = r.append(dst)
	if oid != "" {
		dst = appendString(dst, tagResponseName, oid)
	}
	if value != nil {
		dst = appendString(dst, tagResponseValue, value)
	}
	return appendControls(dst, controls)
}

// appendNotice appends a Notice of Disconnection, the last that a client
// hears (RFC 4511 §4.4.1).
func appendNotice(dst []byte, code int, text string) []byte {
	return appendExtended(dst, 0, result{code: code, diagnostic: text}, oidNotice, nil)
}

// appendEnvelope appends the start of a message up to its operation, which
// takes op octets.
func appendEnvelope(dst []byte, id int32, op int, controls []control) []byte {
	dst = appendHeader(dst, tagSequence, sizeOfNumber(id)+op+sizeOfControls(controls))
	return appendNumber(dst, tagInteger, id)
}

func (r result) size() int {
	return sizeOfNumber(int32(r.code)) + sizeOf(len(r.matched)) + sizeOf(len(r.diagnostic))
}

func (r result) append(dst []byte) []byte {
	dst = appendNumber(dst, tagEnumerated, int32(r.code))
	dst = appendString(dst, tagString, r.matched)
	return appendString(dst, tagString, r.diagnostic)
}

func (a *attribute) size() int {
	return sizeOf(len(a.name)) + sizeOf(a.sizeOfValues())
}

func (a *attribute) sizeOfValues() int {
	n := 0
	for _, v := range a.values {
		n += sizeOf(len(v))
	}
	return n
}
