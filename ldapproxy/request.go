package ldapproxy

// maxParts bounds what a search makes us keep: nodes of the filter, parts of
// its substrings, attributes asked for. An extensible match of any attribute
// counts as one of each.
const maxParts = 512

// Tags of RFC 4511 §4.2 and §4.12.
const (
	tagSimple = 0x80
	tagSASL   = 0xa3

	tagRequestName  = 0x80
	tagRequestValue = 0x81
)

func (m message) bind() (bindRequest, error) {
	d := decoder{rest: m.body}
	var b bindRequest
	b.version = d.number(tagInteger)
	b.dn = d.take(tagString)
	switch tag, body := d.next(); {
	case tag == tagSimple:
		b.simple, b.password = true, body
	case tag == tagSASL:
		sasl := decoder{rest: body}
		b.mechanism = sasl.take(tagString)
		if sasl.peek() == tagString {
			sasl.take(tagString) // credentials: no mechanism is offered
		}
		if err := sasl.end(); err != nil {
			d.fail(err)
		}
	case tag&classMask != classContext:
		d.fail(errFrame)
	}
	if err := d.end(tagSimple, tagSASL); err != nil {
		return bindRequest{}, err
	}
	return b, nil
}

func (m message) search() (*searchRequest, error) {
	d := decoder{rest: m.body}
	parts := maxParts
	var s searchRequest
	s.base = d.string(tagString)
	s.scope = d.number(tagEnumerated)
	s.deref = d.number(tagEnumerated)
	s.sizeLimit = d.number(tagInteger)
	s.timeLimit = d.number(tagInteger)
	s.typesOnly = d.boolean(tagBoolean)
	s.filter = d.filter(1, &parts)
	list := d.within(tagSequence)
	for list.more() {
		s.attributes = append(s.attributes, list.string(tagString))
		if parts--; parts < 0 {
			list.fail(errMany)
		}
	}
	if list.err != nil {
		return nil, list.err
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	return &s, nil
}

func (m message) compare() (compareRequest, error) {
	d := decoder{rest: m.body}
	var c compareRequest
	c.dn = d.string(tagString)
	assertion := d.within(tagSequence)
	c.attribute = assertion.string(tagString)
	c.value = assertion.take(tagString)
	if err := assertion.end(); err != nil {
		return compareRequest{}, err
	}
	if err := d.end(); err != nil {
		return compareRequest{}, err
	}
	return c, nil
}

func (m message) extended() (extendedRequest, error) {
	d := decoder{rest: m.body}
	var e extendedRequest
	e.oid = d.string(tagRequestName)
	if d.peek() == tagRequestValue {
		e.value, e.hasValue = d.take(tagRequestValue), true
	}
	if err := d.end(tagRequestName, tagRequestValue); err != nil {
		return extendedRequest{}, err
	}
	return e, nil
}

// abandon is the id of the operation to be abandoned (RFC 4511 §4.11).
func (m message) abandon() (int32, error) {
	n, err := number(m.body)
	return int32(n), err
}
