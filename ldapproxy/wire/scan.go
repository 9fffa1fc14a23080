package wire

// Scan is what has to be known of a search that somebody else answers.
type Scan struct {
	Base  []byte // aliases the frame
	Scope int64
	// Secret tells that the filter asks about a secret attribute, or might:
	// an extensible match of whatever attribute, or a filter that we can't
	// read.
	Secret bool
}

// ScanSearch reads a search just so far, whatever its size, and keeps nothing
// of it; secret tells which attribute descriptions are secret.
func (m Message) ScanSearch(secret func(description []byte) bool) (Scan, error) {
	d := m.content()
	var s Scan
	s.Base = d.Take(TagString)
	s.Scope = d.Number(TagEnumerated)
	d.Number(TagEnumerated) // derefAliases
	d.Number(TagInteger)    // sizeLimit
	d.Number(TagInteger)    // timeLimit
	d.boolean(TagBoolean)   // typesOnly
	s.Secret = d.scanFilter(1, secret)
	list := d.Within(TagSequence)
	for list.More() {
		list.Take(TagString)
	}
	if list.Err != nil {
		return Scan{}, list.Err
	}
	if err := d.End(); err != nil {
		return Scan{}, err
	}
	return s, nil
}

// ScanFilter reports the same of a filter that stands alone, such as that of
// a control. What is none is reported, too.
func ScanFilter(filter []byte, secret func(description []byte) bool) bool {
	d := Decoder{Rest: filter, Strict: true}
	found := d.scanFilter(1, secret)
	return found || d.Err != nil || d.More()
}

// scanFilter takes a Filter and reports whether it asks about a secret. It
// refuses the same as filter does, but for the number of parts: nothing of
// them is kept.
func (d *Decoder) scanFilter(depth int, secret func([]byte) bool) (found bool) {
	tag, body := d.Next()
	if d.Err != nil {
		return false
	}
	in := Decoder{Rest: body, Strict: d.Strict}
	switch tag {
	case FilterAnd, FilterOr, FilterNot:
		n := 0
		for ; in.More(); n++ {
			if depth == maxDepth {
				in.fail(errDeep)
				break
			}
			if in.scanFilter(depth+1, secret) {
				found = true
			}
		}
		if tag == FilterNot && n != 1 {
			in.fail(ErrFrame)
		}
	case FilterEqual, FilterGreater, FilterLess, FilterApprox:
		found = secret(in.Take(TagString))
		in.Take(TagString)
		in.End()
	case FilterSubstrings:
		found = secret(in.Take(TagString))
		parts := in.Within(TagSequence)
		for parts.More() {
			parts.Next()
		}
		if parts.Err != nil {
			in.fail(parts.Err)
		}
		in.End()
	case FilterPresent:
		found = secret(body)
	case FilterExtensible:
		found = in.scanExtensible(secret)
	default:
		// Whoever answers may know a choice that we do not.
		if tag&classMask != classContext || tag&longTag <= FilterExtensible&longTag {
			in.fail(ErrFrame)
		}
		found = true
	}
	if in.Err != nil {
		d.fail(in.Err)
	}
	return found
}

// scanExtensible reads a MatchingRuleAssertion. One without an attribute is
// matched with each that an entry has (RFC 4511 §4.5.1.7.7).
func (d *Decoder) scanExtensible(secret func([]byte) bool) (found bool) {
	if d.Peek() == TagMatchingRule {
		d.Take(TagMatchingRule)
	}
	if d.Peek() == tagMatchType {
		found = secret(d.Take(tagMatchType))
	} else {
		found = true
	}
	d.Take(TagMatchValue)
	if d.Peek() == tagDNAttributes {
		d.boolean(tagDNAttributes)
	}
	d.End(TagMatchingRule, tagMatchType, TagMatchValue, tagDNAttributes)
	return found
}
