package tree

import "strings"

const subschemaDN = "cn=Subschema"

// subschema is the entry that tells the schema (RFC 4512 §4.2), for JNDI and
// browsers of directories.
func subschema() fixedEntry {
	e := fixedEntry{
		attrObjectClass:     {"top", "subschema", "extensibleObject"},
		attrStructuralClass: {"subschema"},
		attrCN:              {"Subschema"},
		attrHasSubordinates: {"FALSE"},
	}
	for _, of := range attributeTypes {
		e[attrAttributeTypes] = append(e[attrAttributeTypes], of.String())
	}
	for _, c := range classes {
		e[attrObjectClasses] = append(e[attrObjectClasses], c.String())
	}
	syntaxOf := make(map[string]string)
	told := make(map[string]bool)
	for _, k := range kinds {
		for _, name := range []string{k.equality, k.ordering, k.substrings} {
			syntaxOf[name] = k.syntax
		}
		if !told[k.syntax] {
			e[attrLDAPSyntaxes] = append(e[attrLDAPSyntaxes], "( "+k.syntax+" DESC '"+k.about+"' )")
		}
		told[k.syntax] = true
	}
	syntaxOf["caseExactMatch"] = kinds[kindText].syntax
	for _, name := range []string{"caseIgnoreSubstringsMatch", "telephoneNumberSubstringsMatch",
		"caseExactIA5SubstringsMatch", "caseIgnoreIA5SubstringsMatch"} {
		syntaxOf[name] = "1.3.6.1.4.1.1466.115.121.1.58" // Substring Assertion
	}
	e[attrLDAPSyntaxes] = append(e[attrLDAPSyntaxes], "( 1.3.6.1.4.1.1466.115.121.1.58 DESC 'Substring Assertion' )")
	for _, list := range [][]rule{rules[:], substringRules[:]} {
		for _, r := range list {
			e[attrMatchingRules] = append(e[attrMatchingRules], "( "+r.oid+" NAME '"+r.name+"' SYNTAX "+syntaxOf[r.name]+" )")
		}
	}
	return e
}

// String is the AttributeTypeDescription (RFC 4512 §4.1.2).
func (of attributeType) String() string {
	var b strings.Builder
	b.WriteString("( " + of.oid + " NAME ")
	if names := strings.Fields(of.names); len(names) == 1 {
		b.WriteString("'" + of.names + "'")
	} else {
		b.WriteString("( '" + strings.Join(names, "' '") + "' )")
	}
	say := func(word, value string) {
		if value != "" {
			b.WriteString(" " + word + " " + value)
		}
	}
	say("SUP", of.super)
	say("EQUALITY", kinds[of.kind].equality)
	say("ORDERING", kinds[of.kind].ordering)
	say("SUBSTR", kinds[of.kind].substrings)
	say("SYNTAX", kinds[of.kind].syntax)
	if of.single {
		b.WriteString(" SINGLE-VALUE")
	}
	switch of.usage {
	case forDirectory:
		b.WriteString(" NO-USER-MODIFICATION USAGE directoryOperation")
	case forServer:
		b.WriteString(" USAGE dSAOperation")
	}
	b.WriteString(" )")
	return b.String()
}

// String is the ObjectClassDescription (RFC 4512 §4.1.1).
func (c class) String() string {
	var b strings.Builder
	b.WriteString("( " + c.oid + " NAME '" + c.name + "'")
	if c.super != "" {
		b.WriteString(" SUP " + c.super)
	}
	b.WriteString(" " + c.sort)
	for _, list := range [][2]string{{"MUST", c.must}, {"MAY", c.may}} {
		if list[1] != "" {
			b.WriteString(" " + list[0] + " ( " + strings.Join(strings.Fields(list[1]), " $ ") + " )")
		}
	}
	b.WriteString(" )")
	return b.String()
}
