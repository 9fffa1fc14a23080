package wire

// maxParts bounds what a search makes us keep: nodes of the filter, parts of
// its substrings, attributes asked for. An extensible match of any attribute
// counts as one of each.
const maxParts = 512

// Tags of RFC 4511 §4.2 and §4.12.
const (
	TagSimple = 0x80
	TagSASL   = 0xa3

	TagRequestName  = 0x80
	TagRequestValue = 0x81
)

func (m Message) Bind() (BindRequest, error) {
	d := m.content()
	var b BindRequest
	b.Version = d.Number(TagInteger)
	b.DN = d.Take(TagString)
	switch tag, body := d.Next(); {
	case tag == TagSimple:
		b.Simple, b.Password = true, body
	case tag == TagSASL:
		sasl := Decoder{Rest: body, Strict: d.Strict}
		b.mechanism = sasl.Take(TagString)
		if sasl.Peek() == TagString {
			sasl.Take(TagString) // credentials: no mechanism is offered
		}
		if err := sasl.End(); err != nil {
			d.fail(err)
		}
	case tag&classMask != classContext:
		d.fail(ErrFrame)
	}
	if err := d.End(TagSimple, TagSASL); err != nil {
		return BindRequest{}, err
	}
	return b, nil
}

func (m Message) Search() (*SearchRequest, error) {
	d := m.content()
	parts := maxParts
	var s SearchRequest
	s.Base = d.Text(TagString)
	s.Scope = d.Number(TagEnumerated)
	if s.deref = d.Number(TagEnumerated); s.deref > 3 {
		d.fail(errRequest) // the list is closed, unlike that of scopes (RFC 4511 §4.5.1)
	}
	s.SizeLimit = d.Number(TagInteger)
	s.TimeLimit = d.Number(TagInteger)
	s.TypesOnly = d.boolean(TagBoolean)
	s.Filter = d.filter(1, &parts)
	list := d.Within(TagSequence)
	for list.More() {
		s.Attributes = append(s.Attributes, list.Text(TagString))
		if parts--; parts < 0 {
			list.fail(errMany)
		}
	}
	if list.Err != nil {
		return nil, list.Err
	}
	if err := d.End(); err != nil {
		return nil, err
	}
	return &s, nil
}

func (m Message) Compare() (CompareRequest, error) {
	d := m.content()
	var c CompareRequest
	c.DN = d.Text(TagString)
	assertion := d.Within(TagSequence)
	c.Attribute = assertion.Text(TagString)
	c.Value = assertion.Take(TagString)
	if err := assertion.End(); err != nil {
		return CompareRequest{}, err
	}
	if err := d.End(); err != nil {
		return CompareRequest{}, err
	}
	return c, nil
}

func (m Message) Extended() (ExtendedRequest, error) {
	d := m.content()
	var e ExtendedRequest
	e.OID = d.Text(TagRequestName)
	if d.Peek() == TagRequestValue {
		e.Value, e.HasValue = d.Take(TagRequestValue), true
	}
	if err := d.End(TagRequestName, TagRequestValue); err != nil {
		return ExtendedRequest{}, err
	}
	return e, nil
}

// Abandoned is the id of the operation to be abandoned (RFC 4511 §4.11).
func (m Message) Abandoned() (int32, error) {
	n, err := number(m.body)
	return int32(n), err
}
