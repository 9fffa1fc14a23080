package wire

import "math"

// Response is a response that ends an operation (RFC 4511 §4.1.9), as a
// server sent it. It is a view into its frame.
type Response struct {
	ID         int32
	Op         byte
	Code       int
	Matched    []byte
	Diagnostic []byte
	Referral   []byte // content of the referral; nil: there is none
	rest       []byte // what the operation has behind it
	trailer    []byte // what stands behind the operation: controls
}

// ParseResponse reads any response but those of a search that are not its
// end.
func ParseResponse(frame []byte) (Response, error) {
	d := Decoder{Rest: frame}
	in := d.Within(TagSequence)
	if d.Err != nil || d.More() {
		return Response{}, ErrFrame
	}
	var r Response
	r.ID = int32(in.Number(TagInteger))
	var body []byte
	r.Op, body = in.Next()
	r.trailer = in.Rest
	if in.Err != nil {
		return Response{}, ErrFrame
	}
	b := Decoder{Rest: body}
	r.Code = int(b.Number(TagEnumerated))
	r.Matched = b.Take(TagString)
	r.Diagnostic = b.Take(TagString)
	if b.Peek() == TagReferral {
		r.Referral = b.Take(TagReferral)
	}
	r.rest = b.Rest
	if b.End(TagReferral) != nil {
		return Response{}, ErrFrame
	}
	return r, nil
}

// Append appends the response without its referral; all else is as it came,
// or as it was changed.
func (r Response) Append(dst []byte) []byte {
	code := int32(min(r.Code, math.MaxInt32))
	n := sizeOfNumber(code) + sizeOf(len(r.Matched)) + sizeOf(len(r.Diagnostic)) + len(r.rest)
	dst = appendHeader(dst, TagSequence, sizeOfNumber(r.ID)+sizeOf(n)+len(r.trailer))
	dst = AppendNumber(dst, TagInteger, r.ID)
	dst = appendHeader(dst, r.Op, n)
	dst = AppendNumber(dst, TagEnumerated, code)
	dst = appendString(dst, TagString, r.Matched)
	dst = appendString(dst, TagString, r.Diagnostic)
	dst = append(dst, r.rest...)
	return append(dst, r.trailer...)
}

// Controls are the response's.
func (r Response) Controls() ([]Control, error) {
	d := Decoder{Rest: r.trailer}
	var list []byte
	if d.Peek() == TagControls {
		list = d.Take(TagControls)
	}
	if d.End(TagControls) != nil {
		return nil, ErrFrame
	}
	return parseControls(Decoder{Rest: list})
}

// Without is the response less one control, for a client that has not asked
// for it. What is in the others stays as it came.
func (r Response) Without(oid string) Response {
	d := Decoder{Rest: r.trailer}
	if d.Peek() != TagControls {
		return r
	}
	list := Decoder{Rest: d.Take(TagControls)}
	r.trailer = nil
	var kept []byte
	for list.More() {
		tag, body := list.Next()
		if c := (Decoder{Rest: body}); c.Text(TagString) != oid {
			kept = append(kept, Element(tag, body)...)
		}
	}
	if len(kept) > 0 {
		r.trailer = Element(TagControls, kept)
	}
	return r
}

// Value is the responseValue of an ExtendedResponse (RFC 4511 §4.12).
func (r Response) Value() string {
	d := Decoder{Rest: r.rest}
	if d.Peek() == TagResponseName {
		d.Take(TagResponseName)
	}
	if d.Peek() != TagResponseValue {
		return ""
	}
	return d.Text(TagResponseValue)
}

// Name is the responseName of an ExtendedResponse (RFC 4511 §4.12).
func (r Response) Name() string {
	d := Decoder{Rest: r.rest}
	if d.Peek() != TagResponseName {
		return ""
	}
	return d.Text(TagResponseName)
}
