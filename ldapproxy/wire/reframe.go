package wire

// AppendBind appends a simple bind. Controls is the whole element, nil: none.
func AppendBind[D, P string | []byte](dst []byte, id int32, dn D, password P, controls []byte) []byte {
	n := 3 + sizeOf(len(dn)) + sizeOf(len(password))
	dst = appendHeader(dst, TagSequence, sizeOfNumber(id)+sizeOf(n)+len(controls))
	dst = AppendNumber(dst, TagInteger, id)
	dst = appendHeader(dst, OpBind, n)
	dst = AppendNumber(dst, TagInteger, 3)
	dst = appendString(dst, TagString, dn)
	dst = appendString(dst, TagSimple, password)
	return append(dst, controls...)
}

// ProxyAuthorization is the control by which an operation runs as somebody
// else (RFC 4370 §3); identity is such as "dn:uid=alice,dc=example".
func ProxyAuthorization(identity string) Control {
	return Control{OID: OIDProxyAuthorization, Critical: true, Value: []byte(identity), HasValue: true}
}

// AppendWithControl appends a message with one more control. All else in it
// stays octet by octet what it was. The message is one that ParseStrict has
// read: what it had overlooked could undo the control.
func AppendWithControl(dst, frame []byte, c Control) ([]byte, error) {
	d := Decoder{Rest: frame, Strict: true}
	in := d.Within(TagSequence)
	if d.Err != nil || d.More() {
		return dst, ErrFrame
	}
	whole := in.Rest
	in.Take(TagInteger)
	in.Next()
	start := whole[:len(whole)-len(in.Rest)] // id and operation
	var list []byte
	if in.Peek() == TagControls {
		list = in.Take(TagControls)
	}
	if in.End() != nil {
		return dst, ErrFrame
	}
	n := len(list) + sizeOf(c.size())
	dst = appendHeader(dst, TagSequence, len(start)+sizeOf(n))
	dst = append(dst, start...)
	dst = appendHeader(dst, TagControls, n)
	dst = append(dst, list...)
	return c.append(dst), nil
}
