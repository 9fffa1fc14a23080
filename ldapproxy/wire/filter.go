package wire

// maxDepth is how deep filters may be nested, the innermost item counted.
const maxDepth = 32

// AnyAttribute is how many parts an extensible match of any attribute counts
// as: it is looked for in each that an entry can have.
const AnyAttribute = 32

// The choices of Filter (RFC 4511 §4.5.1.7).
const (
	FilterAnd        = 0xa0
	FilterOr         = 0xa1
	FilterNot        = 0xa2
	FilterEqual      = 0xa3
	FilterSubstrings = 0xa4
	FilterGreater    = 0xa5 // or equal
	FilterLess       = 0xa6 // or equal
	FilterPresent    = 0x87
	FilterApprox     = 0xa8
	FilterExtensible = 0xa9
)

const (
	tagInitial = 0x80
	TagAny     = 0x81
	tagFinal   = 0x82

	TagMatchingRule = 0x81
	tagMatchType    = 0x82
	TagMatchValue   = 0x83
	tagDNAttributes = 0x84
)

// filter takes a Filter, at this depth. parts is how many more parts the
// request may have.
func (d *Decoder) filter(depth int, parts *int) *Filter {
	tag, body := d.Next()
	if d.Err != nil {
		return nil
	}
	if *parts--; *parts < 0 {
		d.fail(errMany)
		return nil
	}
	f := &Filter{Kind: tag}
	in := Decoder{Rest: body}
	switch tag {
	case FilterAnd, FilterOr, FilterNot:
		// No component is also a filter: absolute true and false (RFC 4526).
		for in.More() {
			if depth == maxDepth {
				in.fail(errDeep)
				break
			}
			f.Children = append(f.Children, in.filter(depth+1, parts))
		}
		if tag == FilterNot && len(f.Children) != 1 {
			in.fail(ErrFrame)
		}
	case FilterEqual, FilterGreater, FilterLess, FilterApprox:
		f.Attribute = in.Text(TagString)
		f.Value = in.Take(TagString)
		in.End()
	case FilterSubstrings:
		f.substrings(&in, parts)
	case FilterPresent:
		f.Attribute = string(body)
	case FilterExtensible:
		f.extensible(&in, parts)
	default:
		// A choice that we have not is Undefined, not an error; one that we
		// have, primitive for constructed or the reverse, is.
		if tag&classMask != classContext || tag&longTag <= FilterExtensible&longTag {
			in.fail(ErrFrame)
		}
	}
	if in.Err != nil {
		d.fail(in.Err)
	}
	return f
}

// substrings reads a SubstringFilter: at least one part, an initial one first
// only and a final one last only (RFC 4511 §4.5.1.7.2).
func (f *Filter) substrings(d *Decoder, parts *int) {
	f.Attribute = d.Text(TagString)
	in := d.Within(TagSequence)
	d.End()
	if d.Err == nil && !in.More() {
		in.fail(errRequest)
	}
	for first := true; in.More(); first = false {
		if *parts--; *parts < 0 {
			in.fail(errMany)
			break
		}
		switch tag, body := in.Next(); {
		case in.Err != nil:
		case f.Final != nil, tag == tagInitial && !first:
			in.fail(errRequest)
		case tag == tagInitial:
			f.Initial = body
		case tag == TagAny:
			f.Any = append(f.Any, body)
		case tag == tagFinal:
			f.Final = body
		default:
			in.fail(errRequest)
		}
	}
	if in.Err != nil {
		d.fail(in.Err)
	}
}

// extensible reads a MatchingRuleAssertion, which has a rule, an attribute,
// or both (RFC 4511 §4.5.1.7.7).
func (f *Filter) extensible(d *Decoder, parts *int) {
	ruled := d.Peek() == TagMatchingRule
	if ruled {
		f.Rule = d.Text(TagMatchingRule)
	}
	typed := d.Peek() == tagMatchType
	if typed {
		f.Attribute = d.Text(tagMatchType)
	}
	f.Value = d.Take(TagMatchValue)
	if d.Peek() == tagDNAttributes {
		f.DNAttrs = d.boolean(tagDNAttributes)
	}
	d.End(TagMatchingRule, tagMatchType, TagMatchValue, tagDNAttributes)
	if !ruled && !typed {
		d.fail(errRequest)
	}
	if !typed {
		if *parts -= AnyAttribute - 1; *parts < 0 {
			d.fail(errMany)
		}
	}
}

// ParseFilter reads one filter and nothing behind it.
func ParseFilter(b []byte) (*Filter, error) {
	d := Decoder{Rest: b}
	parts := maxParts
	f := d.filter(1, &parts)
	if d.Err == nil && d.More() {
		d.fail(ErrFrame)
	}
	if d.Err != nil {
		return nil, d.Err
	}
	return f, nil
}

// Encode is the filter in BER.
func (f *Filter) Encode() []byte {
	switch f.Kind {
	case FilterAnd, FilterOr, FilterNot:
		var parts [][]byte
		for _, c := range f.Children {
			parts = append(parts, c.Encode())
		}
		return Element(f.Kind, parts...)
	case FilterEqual, FilterGreater, FilterLess, FilterApprox:
		return Element(f.Kind, Octets(f.Attribute), Element(TagString, f.Value))
	case FilterPresent:
		return Element(f.Kind, []byte(f.Attribute))
	case FilterSubstrings:
		var parts [][]byte
		if f.Initial != nil {
			parts = append(parts, Element(tagInitial, f.Initial))
		}
		for _, s := range f.Any {
			parts = append(parts, Element(TagAny, s))
		}
		if f.Final != nil {
			parts = append(parts, Element(tagFinal, f.Final))
		}
		return Element(f.Kind, Octets(f.Attribute), Element(TagSequence, parts...))
	case FilterExtensible:
		var parts [][]byte
		if f.Rule != "" {
			parts = append(parts, Element(TagMatchingRule, []byte(f.Rule)))
		}
		if f.Attribute != "" {
			parts = append(parts, Element(tagMatchType, []byte(f.Attribute)))
		}
		parts = append(parts, Element(TagMatchValue, f.Value))
		if f.DNAttrs {
			parts = append(parts, []byte{tagDNAttributes, 1, 0xff})
		}
		return Element(f.Kind, parts...)
	}
	return Element(f.Kind)
}
