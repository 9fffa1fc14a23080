package ldapproxy

// maxDepth is how deep filters may be nested, the innermost item counted.
const maxDepth = 32

// The choices of Filter (RFC 4511 §4.5.1.7).
const (
	filterAnd        = 0xa0
	filterOr         = 0xa1
	filterNot        = 0xa2
	filterEqual      = 0xa3
	filterSubstrings = 0xa4
	filterGreater    = 0xa5 // or equal
	filterLess       = 0xa6 // or equal
	filterPresent    = 0x87
	filterApprox     = 0xa8
	filterExtensible = 0xa9
)

const (
	tagInitial = 0x80
	tagAny     = 0x81
	tagFinal   = 0x82

	tagMatchingRule = 0x81
	tagMatchType    = 0x82
	tagMatchValue   = 0x83
	tagDNAttributes = 0x84
)

// filter takes a Filter, at this depth. parts is how many more parts the
// request may have.
func (d *decoder) filter(depth int, parts *int) *filter {
	tag, body := d.next()
	if d.err != nil {
		return nil
	}
	if *parts--; *parts < 0 {
		d.fail(errMany)
		return nil
	}
	f := &filter{kind: tag}
	in := decoder{rest: body}
	switch tag {
	case filterAnd, filterOr, filterNot:
		// No component is also a filter: absolute true and false (RFC 4526).
		for in.more() {
			if depth == maxDepth {
				in.fail(errDeep)
				break
			}
			f.children = append(f.children, in.filter(depth+1, parts))
		}
		if tag == filterNot && len(f.children) != 1 {
			in.fail(errFrame)
		}
	case filterEqual, filterGreater, filterLess, filterApprox:
		f.attribute = in.string(tagString)
		f.value = in.take(tagString)
		in.end()
	case filterSubstrings:
		f.substrings(&in, parts)
	case filterPresent:
		f.attribute = string(body)
	case filterExtensible:
		f.extensible(&in, parts)
	default:
		// A choice that we have not is Undefined, not an error; one that we
		// have, primitive for constructed or the reverse, is.
		if tag&classMask != classContext || tag&longTag <= filterExtensible&longTag {
			in.fail(errFrame)
		}
	}
	if in.err != nil {
		d.fail(in.err)
	}
	return f
}

// substrings reads a SubstringFilter: at least one part, an initial one first
// only and a final one last only (RFC 4511 §4.5.1.7.2).
func (f *filter) substrings(d *decoder, parts *int) {
	f.attribute = d.string(tagString)
	in := d.within(tagSequence)
	d.end()
	if d.err == nil && !in.more() {
		in.fail(errRequest)
	}
	for first := true; in.more(); first = false {
		if *parts--; *parts < 0 {
			in.fail(errMany)
			break
		}
		switch tag, body := in.next(); {
		case in.err != nil:
		case f.final != nil, tag == tagInitial && !first:
			in.fail(errRequest)
		case tag == tagInitial:
			f.initial = body
		case tag == tagAny:
			f.any = append(f.any, body)
		case tag == tagFinal:
			f.final = body
		default:
			in.fail(errRequest)
		}
	}
	if in.err != nil {
		d.fail(in.err)
	}
}

// extensible reads a MatchingRuleAssertion, which has a rule, an attribute,
// or both (RFC 4511 §4.5.1.7.7).
func (f *filter) extensible(d *decoder, parts *int) {
	ruled := d.peek() == tagMatchingRule
	if ruled {
		f.rule = d.string(tagMatchingRule)
	}
	typed := d.peek() == tagMatchType
	if typed {
		f.attribute = d.string(tagMatchType)
	}
	f.value = d.take(tagMatchValue)
	if d.peek() == tagDNAttributes {
		f.dnAttrs = d.boolean(tagDNAttributes)
	}
	d.end(tagMatchingRule, tagMatchType, tagMatchValue, tagDNAttributes)
	if !ruled && !typed {
		d.fail(errRequest)
	}
	if !typed {
		if *parts -= int(attrsHeld) - 1; *parts < 0 {
			d.fail(errMany)
		}
	}
}
