package wire

// Change is one of a ModifyRequest (RFC 4511 §4.6).
type Change struct {
	Kind      int64
	Attribute string // as sent, with options
	Values    bool   // has any
}

// ChangeDelete is the kind of a Change that takes values away: those that it
// has, or all.
const ChangeDelete = 1

// Modify reads a ModifyRequest, without its values.
func (m Message) Modify() (dn string, changes []Change, err error) {
	d := Decoder{Rest: m.body}
	dn = d.Text(TagString)
	list := d.Within(TagSequence)
	for list.More() {
		var c Change
		in := list.Within(TagSequence)
		c.Kind = in.Number(TagEnumerated)
		attribute := in.Within(TagSequence)
		c.Attribute = attribute.Text(TagString)
		values := attribute.Within(tagSet)
		c.Values = values.More()
		for values.More() {
			values.Take(TagString)
		}
		for _, inner := range []*Decoder{&values, &attribute, &in} {
			if err := inner.End(); err != nil {
				list.fail(err)
			}
		}
		changes = append(changes, c)
	}
	if list.Err != nil {
		return "", nil, list.Err
	}
	if err := d.End(); err != nil {
		return "", nil, err
	}
	return dn, changes, nil
}

const tagUserIdentity = 0x80

// ParsePasswordModify reads whose password the value of a Password Modify
// request is about (RFC 3062 §2): named is false where it is that of whoever
// asks.
func ParsePasswordModify(e ExtendedRequest) (identity string, named bool, err error) {
	if !e.HasValue {
		return "", false, nil
	}
	d := Decoder{Rest: e.Value}
	in := d.Within(TagSequence)
	if in.Peek() == tagUserIdentity {
		identity, named = in.Text(tagUserIdentity), true
	}
	for _, tag := range []byte{0x81, 0x82} { // oldPasswd, newPasswd
		if in.Peek() == tag {
			in.Take(tag)
		}
	}
	if in.End(tagUserIdentity, 0x81, 0x82) != nil || d.More() {
		return "", false, errRequest
	}
	return identity, named, nil
}

// ParseCancel reads the id of the operation that a Cancel names (RFC 3909
// §2.1).
func ParseCancel(e ExtendedRequest) (int32, error) {
	d := Decoder{Rest: e.Value}
	in := d.Within(TagSequence)
	id := in.Number(TagInteger)
	if in.End() != nil || d.More() {
		return 0, errRequest
	}
	return int32(id), nil
}
