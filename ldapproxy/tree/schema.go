package tree

import "strings"

// attr is an attribute type, by its place in attributeTypes.
type attr uint8

// The attribute types that entries here have. Those that the schema knows
// besides, and nobody has, need no name.
const (
	attrObjectClass attr = iota
	attrUID
	attrCN
	attrSN
	attrDisplayName
	attrMail
	attrUIDNumber
	attrGIDNumber
	attrHomeDirectory
	attrLoginShell
	attrMemberOf
	attrMember
	attrMemberUID
	attrO
	attrOU
	attrDC
	attrStructuralClass
	attrEntryUUID
	attrCreateTimestamp
	attrEntryDN
	attrSubschemaSubentry
	attrHasSubordinates
	attrNamingContexts
	attrSupportedControl
	attrSupportedExtension
	attrSupportedFeatures
	attrSupportedLDAPVersion
	attrVendorName
	attrAttributeTypes
	attrObjectClasses
	attrMatchingRules
	attrLDAPSyntaxes
	attrsHeld // how many these are
)

// kind is a syntax with the matching rules that go with it.
type kind uint8

const (
	kindText      kind = iota // caseIgnoreMatch
	kindMail                  // caseIgnoreIA5Match
	kindExact                 // caseExactIA5Match
	kindPhone                 // telephoneNumberMatch
	kindInteger               // integerMatch, ordered
	kindTime                  // generalizedTimeMatch, ordered
	kindUUID                  // UUIDMatch, ordered
	kindBoolean               // booleanMatch
	kindOID                   // objectIdentifierMatch
	kindDN                    // distinguishedNameMatch
	kindOpaque                // can be asked for, but not compared
	kindAttribute             // so are the definitions in the subschema
	kindClass
	kindRule
	kindSyntax
)

// kinds are RFC 4517's, and RFC 4530's for the UUID.
var kinds = [...]struct{ syntax, about, equality, ordering, substrings string }{
	kindText:      {"1.3.6.1.4.1.1466.115.121.1.15", "Directory String", "caseIgnoreMatch", "", "caseIgnoreSubstringsMatch"},
	kindMail:      {"1.3.6.1.4.1.1466.115.121.1.26", "IA5 String", "caseIgnoreIA5Match", "", "caseIgnoreIA5SubstringsMatch"},
	kindExact:     {"1.3.6.1.4.1.1466.115.121.1.26", "IA5 String", "caseExactIA5Match", "", "caseExactIA5SubstringsMatch"},
	kindPhone:     {"1.3.6.1.4.1.1466.115.121.1.50", "Telephone Number", "telephoneNumberMatch", "", "telephoneNumberSubstringsMatch"},
	kindInteger:   {"1.3.6.1.4.1.1466.115.121.1.27", "INTEGER", "integerMatch", "integerOrderingMatch", ""},
	kindTime:      {"1.3.6.1.4.1.1466.115.121.1.24", "Generalized Time", "generalizedTimeMatch", "generalizedTimeOrderingMatch", ""},
	kindUUID:      {"1.3.6.1.1.16.1", "UUID", "UUIDMatch", "UUIDOrderingMatch", ""},
	kindBoolean:   {"1.3.6.1.4.1.1466.115.121.1.7", "Boolean", "booleanMatch", "", ""},
	kindOID:       {"1.3.6.1.4.1.1466.115.121.1.38", "OID", "objectIdentifierMatch", "", ""},
	kindDN:        {"1.3.6.1.4.1.1466.115.121.1.12", "DN", "distinguishedNameMatch", "", ""},
	kindOpaque:    {"1.3.6.1.4.1.1466.115.121.1.40", "Octet String", "", "", ""},
	kindAttribute: {"1.3.6.1.4.1.1466.115.121.1.3", "Attribute Type Description", "", "", ""},
	kindClass:     {"1.3.6.1.4.1.1466.115.121.1.37", "Object Class Description", "", "", ""},
	kindRule:      {"1.3.6.1.4.1.1466.115.121.1.30", "Matching Rule Description", "", "", ""},
	kindSyntax:    {"1.3.6.1.4.1.1466.115.121.1.54", "LDAP Syntax Description", "", "", ""},
}

// usage is who an attribute is for (RFC 4512 §4.1.2).
type usage uint8

const (
	forUsers     usage = iota
	forDirectory       // directoryOperation: sent only when asked for
	forServer          // dSAOperation
)

// attributeType describes one. The names are the first as it is sent, then
// the others.
type attributeType struct {
	names  string
	oid    string
	kind   kind
	super  string // the supertype
	single bool
	usage  usage
}

// attributeTypes are those of RFC 4512, 4519, 4524, 2798 and 2307 that the
// classes below have, as the standards have them; uidNumber and gidNumber are
// ordered, too. A filter on one that nobody has is False, on any other name
// Undefined. The password is deliberately not known.
var attributeTypes = [...]attributeType{
	attrObjectClass:          {names: "objectClass", oid: "2.5.4.0", kind: kindOID},
	attrUID:                  {names: "uid userid", oid: "0.9.2342.19200300.100.1.1"},
	attrCN:                   {names: "cn commonName", oid: "2.5.4.3", super: "name"},
	attrSN:                   {names: "sn surname", oid: "2.5.4.4", super: "name"},
	attrDisplayName:          {names: "displayName", oid: "2.16.840.1.113730.3.1.241", single: true},
	attrMail:                 {names: "mail rfc822Mailbox", oid: "0.9.2342.19200300.100.1.3", kind: kindMail},
	attrUIDNumber:            {names: "uidNumber", oid: "1.3.6.1.1.1.1.0", kind: kindInteger, single: true},
	attrGIDNumber:            {names: "gidNumber", oid: "1.3.6.1.1.1.1.1", kind: kindInteger, single: true},
	attrHomeDirectory:        {names: "homeDirectory", oid: "1.3.6.1.1.1.1.3", kind: kindExact, single: true},
	attrLoginShell:           {names: "loginShell", oid: "1.3.6.1.1.1.1.4", kind: kindExact, single: true},
	attrMemberOf:             {names: "memberOf", oid: "1.2.840.113556.1.2.102", kind: kindDN},
	attrMember:               {names: "member", oid: "2.5.4.31", kind: kindDN, super: "distinguishedName"},
	attrMemberUID:            {names: "memberUid", oid: "1.3.6.1.1.1.1.12", kind: kindExact},
	attrO:                    {names: "o organizationName", oid: "2.5.4.10", super: "name"},
	attrOU:                   {names: "ou organizationalUnitName", oid: "2.5.4.11", super: "name"},
	attrDC:                   {names: "dc domainComponent", oid: "0.9.2342.19200300.100.1.25", kind: kindMail, single: true},
	attrStructuralClass:      {names: "structuralObjectClass", oid: "2.5.21.9", kind: kindOID, single: true, usage: forDirectory},
	attrEntryUUID:            {names: "entryUUID", oid: "1.3.6.1.1.16.4", kind: kindUUID, single: true, usage: forDirectory},
	attrCreateTimestamp:      {names: "createTimestamp", oid: "2.5.18.1", kind: kindTime, single: true, usage: forDirectory},
	attrEntryDN:              {names: "entryDN", oid: "1.3.6.1.1.20", kind: kindDN, single: true, usage: forDirectory},
	attrSubschemaSubentry:    {names: "subschemaSubentry", oid: "2.5.18.10", kind: kindDN, single: true, usage: forDirectory},
	attrHasSubordinates:      {names: "hasSubordinates", oid: "2.5.18.9", kind: kindBoolean, single: true, usage: forDirectory},
	attrNamingContexts:       {names: "namingContexts", oid: "1.3.6.1.4.1.1466.101.120.5", kind: kindDN, usage: forServer},
	attrSupportedControl:     {names: "supportedControl", oid: "1.3.6.1.4.1.1466.101.120.13", kind: kindOID, usage: forServer},
	attrSupportedExtension:   {names: "supportedExtension", oid: "1.3.6.1.4.1.1466.101.120.7", kind: kindOID, usage: forServer},
	attrSupportedFeatures:    {names: "supportedFeatures", oid: "1.3.6.1.4.1.4203.1.3.5", kind: kindOID, usage: forServer},
	attrSupportedLDAPVersion: {names: "supportedLDAPVersion", oid: "1.3.6.1.4.1.1466.101.120.15", kind: kindInteger, usage: forServer},
	attrVendorName:           {names: "vendorName", oid: "1.3.6.1.1.4", kind: kindExact, single: true, usage: forServer},
	attrAttributeTypes:       {names: "attributeTypes", oid: "2.5.21.5", kind: kindAttribute, usage: forDirectory},
	attrObjectClasses:        {names: "objectClasses", oid: "2.5.21.6", kind: kindClass, usage: forDirectory},
	attrMatchingRules:        {names: "matchingRules", oid: "2.5.21.4", kind: kindRule, usage: forDirectory},
	attrLDAPSyntaxes:         {names: "ldapSyntaxes", oid: "1.3.6.1.4.1.1466.101.120.16", kind: kindSyntax, usage: forDirectory},

	{names: "name", oid: "2.5.4.41"},
	{names: "distinguishedName", oid: "2.5.4.49", kind: kindDN},
	{names: "aliasedObjectName aliasedEntryName", oid: "2.5.4.1", kind: kindDN, single: true},
	{names: "c countryName", oid: "2.5.4.6", super: "name", single: true},
	{names: "l localityName", oid: "2.5.4.7", super: "name"},
	{names: "st stateOrProvinceName", oid: "2.5.4.8", super: "name"},
	{names: "street streetAddress", oid: "2.5.4.9"},
	{names: "title", oid: "2.5.4.12", super: "name"},
	{names: "description", oid: "2.5.4.13"},
	{names: "businessCategory", oid: "2.5.4.15"},
	{names: "postalAddress", oid: "2.5.4.16"},
	{names: "postalCode", oid: "2.5.4.17"},
	{names: "postOfficeBox", oid: "2.5.4.18"},
	{names: "physicalDeliveryOfficeName", oid: "2.5.4.19"},
	{names: "telephoneNumber", oid: "2.5.4.20", kind: kindPhone},
	{names: "facsimileTelephoneNumber fax", oid: "2.5.4.23", kind: kindOpaque},
	{names: "internationaliSDNNumber", oid: "2.5.4.25", kind: kindOpaque},
	{names: "preferredDeliveryMethod", oid: "2.5.4.28", kind: kindOpaque, single: true},
	{names: "owner", oid: "2.5.4.32", kind: kindDN, super: "distinguishedName"},
	{names: "roleOccupant", oid: "2.5.4.33", kind: kindDN, super: "distinguishedName"},
	{names: "seeAlso", oid: "2.5.4.34", kind: kindDN, super: "distinguishedName"},
	{names: "userCertificate", oid: "2.5.4.36", kind: kindOpaque},
	{names: "givenName gn", oid: "2.5.4.42", super: "name"},
	{names: "initials", oid: "2.5.4.43", super: "name"},
	{names: "x500UniqueIdentifier", oid: "2.5.4.45", kind: kindOpaque},
	{names: "uniqueMember", oid: "2.5.4.50", kind: kindDN},
	{names: "roomNumber", oid: "0.9.2342.19200300.100.1.6"},
	{names: "host", oid: "0.9.2342.19200300.100.1.9"},
	{names: "manager", oid: "0.9.2342.19200300.100.1.10", kind: kindDN},
	{names: "secretary", oid: "0.9.2342.19200300.100.1.21", kind: kindDN},
	{names: "homePhone homeTelephoneNumber", oid: "0.9.2342.19200300.100.1.20", kind: kindPhone},
	{names: "homePostalAddress", oid: "0.9.2342.19200300.100.1.39"},
	{names: "mobile mobileTelephoneNumber", oid: "0.9.2342.19200300.100.1.41", kind: kindPhone},
	{names: "pager pagerTelephoneNumber", oid: "0.9.2342.19200300.100.1.42", kind: kindPhone},
	{names: "photo", oid: "0.9.2342.19200300.100.1.7", kind: kindOpaque},
	{names: "audio", oid: "0.9.2342.19200300.100.1.55", kind: kindOpaque},
	{names: "jpegPhoto", oid: "0.9.2342.19200300.100.1.60", kind: kindOpaque},
	{names: "carLicense", oid: "2.16.840.1.113730.3.1.1"},
	{names: "departmentNumber", oid: "2.16.840.1.113730.3.1.2"},
	{names: "employeeNumber", oid: "2.16.840.1.113730.3.1.3", single: true},
	{names: "employeeType", oid: "2.16.840.1.113730.3.1.4"},
	{names: "preferredLanguage", oid: "2.16.840.1.113730.3.1.39", single: true},
	{names: "userSMIMECertificate", oid: "2.16.840.1.113730.3.1.40", kind: kindOpaque},
	{names: "userPKCS12", oid: "2.16.840.1.113730.3.1.216", kind: kindOpaque},
	{names: "labeledURI", oid: "1.3.6.1.4.1.250.1.57"},
	{names: "gecos", oid: "1.3.6.1.1.1.1.2", kind: kindMail, single: true},
	{names: "shadowLastChange", oid: "1.3.6.1.1.1.1.5", kind: kindInteger, single: true},
	{names: "shadowMin", oid: "1.3.6.1.1.1.1.6", kind: kindInteger, single: true},
	{names: "shadowMax", oid: "1.3.6.1.1.1.1.7", kind: kindInteger, single: true},
	{names: "shadowWarning", oid: "1.3.6.1.1.1.1.8", kind: kindInteger, single: true},
	{names: "shadowInactive", oid: "1.3.6.1.1.1.1.9", kind: kindInteger, single: true},
	{names: "shadowExpire", oid: "1.3.6.1.1.1.1.10", kind: kindInteger, single: true},
	{names: "shadowFlag", oid: "1.3.6.1.1.1.1.11", kind: kindInteger, single: true},
	{names: "creatorsName", oid: "2.5.18.3", kind: kindDN, single: true, usage: forDirectory},
	{names: "modifiersName", oid: "2.5.18.4", kind: kindDN, single: true, usage: forDirectory},
	{names: "modifyTimestamp", oid: "2.5.18.2", kind: kindTime, single: true, usage: forDirectory},
	{names: "altServer", oid: "1.3.6.1.4.1.1466.101.120.6", kind: kindMail, usage: forServer},
	{names: "supportedSASLMechanisms", oid: "1.3.6.1.4.1.1466.101.120.14", kind: kindExact, usage: forServer},
	{names: "vendorVersion", oid: "1.3.6.1.1.5", kind: kindExact, single: true, usage: forServer},
}

// attributeNames finds an attribute by each of its names, as it is written
// and in lower case, and by its OID.
var attributeNames = func() map[string]attr {
	names := make(map[string]attr)
	for a, of := range attributeTypes {
		names[of.oid] = attr(a)
		for _, name := range strings.Fields(of.names) {
			names[name] = attr(a)
			names[strings.ToLower(name)] = attr(a)
		}
	}
	return names
}()

// attributeNamed finds an attribute by its description. With options it is
// another attribute, which nobody has (RFC 4512 §2.5).
func attributeNamed(description string) (attr, bool) {
	a, ok := attributeNames[description]
	if !ok {
		a, ok = attributeNames[strings.ToLower(description)]
	}
	return a, ok
}

// name is the attribute's, as it is sent.
func (a attr) name() string {
	first, _, _ := strings.Cut(attributeTypes[a].names, " ")
	return first
}

func (a attr) kind() kind { return attributeTypes[a].kind }

// families are the attributes with their subtypes: who asks for name asks for
// cn, too (RFC 4512 §2.5.1).
var families = func() (all [len(attributeTypes)][]attr) {
	for a := range attributeTypes {
		all[a] = []attr{attr(a)}
		for sub, of := range attributeTypes {
			if of.super == attr(a).name() {
				all[a] = append(all[a], attr(sub))
			}
		}
	}
	return all
}()

// class is an object class.
type class struct {
	name, oid, super string
	sort             string // "STRUCTURAL" …
	must, may        string
}

var classes = [...]class{
	{"top", "2.5.6.0", "", "ABSTRACT", "objectClass", ""},
	{"person", "2.5.6.6", "top", "STRUCTURAL", "sn cn", "telephoneNumber seeAlso description"},
	{"organizationalPerson", "2.5.6.7", "person", "STRUCTURAL", "",
		"title facsimileTelephoneNumber street postOfficeBox postalCode postalAddress physicalDeliveryOfficeName " +
			"ou st l internationaliSDNNumber preferredDeliveryMethod"},
	{"inetOrgPerson", "2.16.840.1.113730.3.2.2", "organizationalPerson", "STRUCTURAL", "",
		"audio businessCategory carLicense departmentNumber displayName employeeNumber employeeType givenName " +
			"homePhone homePostalAddress initials jpegPhoto labeledURI mail manager mobile o pager photo roomNumber " +
			"secretary uid userCertificate x500UniqueIdentifier preferredLanguage userSMIMECertificate userPKCS12 memberOf"},
	{"posixAccount", "1.3.6.1.1.1.2.0", "top", "AUXILIARY", "cn uid uidNumber gidNumber homeDirectory", "loginShell gecos description"},
	{"shadowAccount", "1.3.6.1.1.1.2.1", "top", "AUXILIARY", "uid",
		"shadowLastChange shadowMin shadowMax shadowWarning shadowInactive shadowExpire shadowFlag description"},
	{"posixGroup", "1.3.6.1.1.1.2.2", "top", "AUXILIARY", "gidNumber", "memberUid description"},
	{"groupOfNames", "2.5.6.9", "top", "STRUCTURAL", "cn", "member businessCategory seeAlso owner ou o description memberUid"},
	{"groupOfUniqueNames", "2.5.6.17", "top", "STRUCTURAL", "cn uniqueMember", "businessCategory seeAlso owner ou o description"},
	{"organization", "2.5.6.4", "top", "STRUCTURAL", "o", "description l st street postalAddress postalCode telephoneNumber seeAlso"},
	{"organizationalUnit", "2.5.6.5", "top", "STRUCTURAL", "ou", "description l st street postalAddress postalCode telephoneNumber seeAlso"},
	{"organizationalRole", "2.5.6.8", "top", "STRUCTURAL", "cn", "roleOccupant ou l st description telephoneNumber seeAlso"},
	{"dcObject", "1.3.6.1.4.1.1466.344", "top", "AUXILIARY", "dc", ""},
	{"domain", "0.9.2342.19200300.100.4.13", "top", "STRUCTURAL", "dc", "o description l st street postalAddress postalCode telephoneNumber seeAlso"},
	{"account", "0.9.2342.19200300.100.4.5", "top", "STRUCTURAL", "uid", "description seeAlso l o ou host"},
	{"applicationProcess", "2.5.6.11", "top", "STRUCTURAL", "cn", "seeAlso ou l description"},
	{"subschema", "2.5.20.1", "", "AUXILIARY", "", "attributeTypes objectClasses matchingRules"},
	{"extensibleObject", "1.3.6.1.4.1.1466.101.120.111", "top", "AUXILIARY", "", ""},
}

// classNames finds the name of a class by its name in lower case or its OID.
var classNames = func() map[string]string {
	names := make(map[string]string)
	for _, c := range classes {
		names[strings.ToLower(c.name)] = c.name
		names[c.oid] = c.name
	}
	return names
}()

// rule is a matching rule that a filter may name.
type rule struct {
	name, oid string
	ordering  bool // the value is less than the one asserted (RFC 4517 §4.2.16)
	text      bool // applies to every kind of text
	exact     bool // case counts
	ascii     bool // the assertion is an IA5 string
}

var rules = [...]rule{
	{name: "objectIdentifierMatch", oid: "2.5.13.0"},
	{name: "distinguishedNameMatch", oid: "2.5.13.1"},
	{name: "caseIgnoreMatch", oid: "2.5.13.2", text: true},
	{name: "caseExactMatch", oid: "2.5.13.5", text: true, exact: true},
	{name: "booleanMatch", oid: "2.5.13.13"},
	{name: "integerMatch", oid: "2.5.13.14"},
	{name: "integerOrderingMatch", oid: "2.5.13.15", ordering: true},
	{name: "telephoneNumberMatch", oid: "2.5.13.20"},
	{name: "generalizedTimeMatch", oid: "2.5.13.27"},
	{name: "generalizedTimeOrderingMatch", oid: "2.5.13.28", ordering: true},
	{name: "caseExactIA5Match", oid: "1.3.6.1.4.1.1466.109.114.1", text: true, exact: true, ascii: true},
	{name: "caseIgnoreIA5Match", oid: "1.3.6.1.4.1.1466.109.114.2", text: true, ascii: true},
	{name: "UUIDMatch", oid: "1.3.6.1.1.16.2"},
	{name: "UUIDOrderingMatch", oid: "1.3.6.1.1.16.3", ordering: true},
}

// substringRules are told in the subschema, but can't be named in an
// extensible filter here: their assertion is a syntax of its own.
var substringRules = [...]rule{
	{name: "caseIgnoreSubstringsMatch", oid: "2.5.13.4"},
	{name: "telephoneNumberSubstringsMatch", oid: "2.5.13.21"},
	{name: "caseExactIA5SubstringsMatch", oid: "1.3.6.1.4.1.4203.1.2.1"},
	{name: "caseIgnoreIA5SubstringsMatch", oid: "1.3.6.1.4.1.1466.109.114.3"},
}

func ruleNamed(name string) *rule {
	for i := range rules {
		if r := &rules[i]; r.oid == name || strings.EqualFold(r.name, name) {
			return r
		}
	}
	return nil
}

// fits reports whether the rule can compare values of this kind.
func (r *rule) fits(k kind) bool {
	if k == kindText || k == kindMail || k == kindExact {
		return r.text
	}
	return r.name == kinds[k].equality || r.name == kinds[k].ordering
}
