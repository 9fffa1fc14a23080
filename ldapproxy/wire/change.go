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
	d := m.content()
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

// Add reads an AddRequest (RFC 4511 §4.7), without its values.
func (m Message) Add() error {
	d := m.content()
	d.Take(TagString)
	list := d.Within(TagSequence)
	for list.More() {
		attribute := list.Within(TagSequence)
		attribute.Take(TagString)
		values := attribute.Within(tagSet)
		for values.More() {
			values.Take(TagString)
		}
		for _, inner := range []*Decoder{&values, &attribute} {
			if err := inner.End(); err != nil {
				list.fail(err)
			}
		}
	}
	if list.Err != nil {
		return list.Err
	}
	return d.End()
}

const tagNewSuperior = 0x80

// ModifyDN reads a ModifyDNRequest (RFC 4511 §4.9).
func (m Message) ModifyDN() error {
	d := m.content()
	d.Take(TagString) // entry
	d.Take(TagString) // newrdn
	d.boolean(TagBoolean)
	if d.Peek() == tagNewSuperior {
		d.Take(tagNewSuperior)
	}
	return d.End(tagNewSuperior)
}

// PasswordModify is what a Password Modify request is about (RFC 3062 §2).
type PasswordModify struct {
	Identity string // whose password
	Named    bool   // there is an Identity; else it is that of whoever asks
	Old      bool   // has the old password
}

const (
	tagUserIdentity = 0x80
	tagOldPassword  = 0x81
	tagNewPassword  = 0x82
)

// ParsePasswordModify reads the value of a Password Modify request.
func ParsePasswordModify(e ExtendedRequest) (p PasswordModify, err error) {
	if !e.HasValue {
		return PasswordModify{}, nil
	}
	d := Decoder{Rest: e.Value, Strict: true}
	in := d.Within(TagSequence)
	if in.Peek() == tagUserIdentity {
		p.Identity, p.Named = in.Text(tagUserIdentity), true
	}
	if in.Peek() == tagOldPassword {
		p.Old = len(in.Take(tagOldPassword)) > 0
	}
	if in.Peek() == tagNewPassword {
		in.Take(tagNewPassword)
	}
	if in.End() != nil || d.More() {
		return PasswordModify{}, errRequest
	}
	return p, nil
}

// ParseCancel reads the id of the operation that a Cancel names (RFC 3909
// §2.1).
func ParseCancel(e ExtendedRequest) (int32, error) {
	d := Decoder{Rest: e.Value, Strict: true}
	in := d.Within(TagSequence)
	id := in.Number(TagInteger)
	if in.End() != nil || d.More() {
		return 0, errRequest
	}
	return int32(id), nil
}
