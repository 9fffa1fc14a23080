//go:build linux

package ldapproxy

import "sekisho/ldapproxy/wire"

// What requests are written of.
var (
	names = []string{
		testBase, aliceDN, mailDN, "", "ou=people," + testBase, "ou=groups," + testBase, "ou=services," + testBase,
		"cn=staff,ou=groups," + testBase, "cn=students,ou=groups," + testBase, "uid=bob,ou=people," + testBase, "cn=Subschema", "cn=scanner,ou=services," + testBase,
		"UID=Alice , OU=People,DC=Example,DC=ac,dc=JP", `uid=\61lice,ou=people,` + testBase, "uid=#0405616c696365,ou=people," + testBase,
		"0.9.2342.19200300.100.1.1=alice,ou=people," + testBase, "userid=alice,2.5.4.11=people," + testBase, "oid.2.5.4.11=people," + testBase,
		"uid=alice+cn=Alice Liddell,ou=people," + testBase, "uid=nobody,ou=people," + testBase, "uid=a,uid=alice,ou=people," + testBase, "ou=nowhere," + testBase,
		"dc=ac,dc=jp", "dc=jp", "o=elsewhere", "nosuch=x," + testBase, "uid=o'neil,ou=people," + testBase, `cn=guests\2Bco\2C ltd,ou=groups,` + testBase,
		`cn="guests+co, ltd",ou=groups,` + testBase, "uid=alice;ou=people;" + testBase, "uid=alice,ou=people," + testBase + ",", "uid=alice,,ou=people", ",", "alice", "alice@example.ac.jp",
		`EXAMPLE\alice`, "uid=", "uid=,ou=people," + testBase, "=alice", "uid=al\x00ice,ou=people," + testBase, `uid=al\00ice,ou=people,` + testBase, "uid=\xff,ou=people," + testBase,
		"uid=\\ alice\\ ,ou=people," + testBase, "uid=alice\\,ou=people", `uid=\zz`, "uid=#", "uid=#04", "uid=#0405616c6963", "cn=Jose\u0301,ou=people," + testBase, "uid=alice, ou=people, " + testBase, "  " + aliceDN, aliceDN + "  ",
		"uid;x=alice,ou=people," + testBase, "1uid=alice", "uid=alice=bob,ou=people," + testBase, "uid=a\"b,ou=people," + testBase, "uid=<a>,ou=people," + testBase, "uid=a#b,ou=people," + testBase, "uid-=a", "2.5.=a", "uid=ＡＬＩＣＥ,ou=people," + testBase,
	}
	facts = [][2]string{
		{"objectClass", "person"}, {"objectClass", "posixAccount"}, {"objectClass", "groupOfNames"}, {"objectClass", "2.5.6.6"}, {"objectClass", "TOP"}, {"objectClass", "posixGroup"}, {"objectClass", "account"}, {"objectClass", "inetOrgPerson"},
		{"uid", "alice"}, {"UID", "ALICE"}, {"uid", "bob"}, {"userid", "o'neil"}, {"0.9.2342.19200300.100.1.1", "hanako"}, {"uid", " jose "}, {"uid", "svc-mail"}, {"cn", "Alice Liddell"}, {"cn", "alice  liddell"}, {"commonName", "Bob van der Berg"},
		{"2.5.4.3", "staff"}, {"cn", "José Ñandú"}, {"cn", "jose\u0301 n\u0303andu\u0301"}, {"cn", "山田 花子"}, {"cn", "山田\u3000花子"}, {"cn", `Pat "Pip" O'Neil, Jr. <x>; a+b=c\d #1`}, {"cn", "guests+co, ltd"}, {"cn", "carol"}, {"sn", "Liddell"}, {"surname", "berg"}, {"sn", "山田"},
		{"name", "carol"}, {"name", "people"}, {"displayName", "Alice Liddell"}, {"mail", "alice@example.ac.jp"}, {"mail", "BOB@example.AC.JP"}, {"rfc822Mailbox", "o'neil@example.ac.jp"},
		{"uidNumber", "1001"}, {"uidNumber", "1002"}, {"uidNumber", "70000"}, {"gidNumber", "100"}, {"gidNumber", "2000"}, {"gidNumber", "65534"}, {"homeDirectory", "/home/alice"}, {"loginShell", "/bin/sh"},
		{"memberOf", "cn=staff,ou=groups," + testBase}, {"memberOf", "CN=Students, OU=groups," + testBase}, {"member", aliceDN}, {"member", "uid=bob,ou=people," + testBase}, {"member", "uid=nobody,ou=people," + testBase}, {"memberUid", "alice"}, {"memberUid", "carol"}, {"memberUid", "BOB"},
		{"ou", "people"}, {"organizationalUnitName", "Groups"}, {"dc", "example"}, {"entryDN", aliceDN}, {"entryDN", testBase}, {"hasSubordinates", "TRUE"}, {"hasSubordinates", "FALSE"}, {"structuralObjectClass", "inetOrgPerson"}, {"subschemaSubentry", "cn=Subschema"},
		{"createTimestamp", "20260401080000Z"}, {"createTimestamp", "20260401170000+0900"}, {"createTimestamp", "2026040108Z"}, {"createTimestamp", "20260401080001Z"}, {"entryUUID", "80000000-0000-0000-0000-000000000000"},
		{"description", "x"}, {"telephoneNumber", "+81 3 1234"}, {"seeAlso", aliceDN}, {"userPassword", "secret123456"},
	}
	attributes = []string{
		"objectClass", "uid", "cn", "sn", "mail", "name", "displayName", "uidNumber", "gidNumber", "homeDirectory", "loginShell", "memberOf", "member", "memberUid", "ou", "dc", "o",
		"createTimestamp", "entryUUID", "entryDN", "hasSubordinates", "structuralObjectClass", "subschemaSubentry", "description", "telephoneNumber", "seeAlso", "jpegPhoto", "userCertificate", "uniqueMember",
		"UID", "userid", "commonName", "2.5.4.3", "0.9.2342.19200300.100.1.1", "oid.2.5.4.3", "nosuchattribute", "x-y", "1.2.3.4.5", "cn;lang-en", "cn;binary", "cn;x-y", "cn;", "cn;lang-", "name;lang-en", "userCertificate;binary",
		"", " ", "1cn", "c n", "cn ", "2.5.4", "2.5.4.", "*", "c_n", "-", "\xff", "userPassword", "USERPASSWORD;x", "2.5.4.35", "distinguishedName", "shadowLastChange", "c", "postalAddress", "labeledURI", "supportedControl", "attributeTypes",
	}
	selectors = append([]string{"*", "+", "1.1", "@inetOrgPerson", "!cn"}, attributes...)
	words     = []string{
		"alice", "secret123456", "ALICE", "", "a", "li", "e", "*", " ", "  ", "Alice Liddell", "alice  liddell", " alice liddell ", "Bob van der", "van  der", "der Berg", "staff", "student", "person", "top", "posixAccount",
		"inetOrgPerson", "x", "1001", "José", "Jose\u0301", "JOSÉ ÑANDÚ", "山田", "山田\u3000花子", "Ｂｏｂ", "ﬁ", "ß", "\x00", "\xff", "al\x00", "\u00ad", "\u200b", "o'neil", "nobody", "example.ac.jp", "@", "/home/", "/home/alice", "/BIN/SH", "wrong",
	}
	values = []string{
		"1001", "01001", "-1", "+1001", " 1001", "1001 ", "0", "-0", "100", "65534", "70000", "99999999999999999999", "-99999999999999999999", "1e3", "0x10", "",
		"20260401080000Z", "20260401080000.0Z", "202604010800Z", "2026040108Z", "20260401170000+0900", "20260401170000+09", "20260401080000", "20260401080000z", "20260401080000,5Z", "2026040108.5Z", "20261301080000Z", "20260401240000Z", "20260401080060Z", "20260401080000-0000", "20260401080000+2400", "20260401080000.Z", "2027Z",
		"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "ffffffffffffffffffffffffffffffff", "0123456789abcdef",
		"TRUE", "FALSE", "true", "TRUE ", "2.5.6.6", "2.5.6.0", "2.16.840.1.113730.3.2.2", "1.2.3", "1", "1.", "01.2", "Person", "groupOfNames", "posixGroup", "organizationalUnit", "nosuchclass", "domain", "account", "subschema", "extensibleObject", "1..2",
		"cn=subschema", "+81 3 1234", "alice@example.ac.jp", "ALICE@EXAMPLE.AC.JP", "alice@exämple.jp",
	}
	matchingRules = []string{
		"caseIgnoreMatch", "2.5.13.2", "caseExactMatch", "2.5.13.5", "integerMatch", "2.5.13.14", "distinguishedNameMatch", "2.5.13.1", "objectIdentifierMatch", "booleanMatch", "caseIgnoreIA5Match", "1.3.6.1.4.1.1466.109.114.1",
		"generalizedTimeMatch", "generalizedTimeOrderingMatch", "integerOrderingMatch", "UUIDMatch", "UUIDOrderingMatch", "nosuchMatch", "", "1.2.3", "CASEIGNOREMATCH", "caseIgnoreSubstringsMatch", "caseIgnoreOrderingMatch", "2.5.13.3",
		"telephoneNumberMatch", "octetStringMatch", "numericStringMatch", "integerBitAndMatch", "1.2.840.113556.1.4.803", "wordMatch",
	}
	controlNames = []string{
		wire.OIDManageDsaIT, "1.2.3.4", "", wire.OIDPaged, wire.OIDProxyAuthorization, wire.OIDPasswordPolicy, wire.OIDSync, oidAssertion, oidMatchedValues, oidSort, wire.OIDSessionTracking, "1.3.6.1.4.1.4203.1.10.1", "1.3.6.1.4.1.4203.666.5.12",
		"1.2.840.113556.1.4.1339", "1.3.6.1.1.13.2", "2.16.840.1.113730.3.4.3", "1.3.6.1.4.1.4203.666.5.2",
	}
)
