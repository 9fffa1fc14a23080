package tree

import "strings"

// passwords are the attributes that hold a password, a hash of one, or a key
// made from one. Each by its name and, where it is known, its OID.
var passwords = [...]string{
	"userPassword", "2.5.4.35",
	"authPassword", "1.3.6.1.4.1.4203.1.3.4", // RFC 3112
	"pwdHistory", "1.3.6.1.4.1.42.2.27.8.1.20", // draft-behera-ldap-password-policy
	"passwordHistory", "2.16.840.1.113730.3.1.96", // 389 Directory Server

	// Active Directory
	"unicodePwd", "1.2.840.113556.1.4.90",
	"dBCSPwd", "1.2.840.113556.1.4.55",
	"ntPwdHistory", "1.2.840.113556.1.4.94",
	"lmPwdHistory", "1.2.840.113556.1.4.160",
	"supplementalCredentials", "1.2.840.113556.1.4.125",
	"unixUserPassword", "1.2.840.113556.1.4.1910",
	"clearTextPassword", "1.3.6.1.4.1.7165.4.1.32", // what Samba makes all others from
	"msDS-ManagedPassword", "1.2.840.113556.1.4.2196",
	"ms-Mcs-AdmPwd", "msLAPS-Password", "msLAPS-EncryptedPassword", "msLAPS-EncryptedPasswordHistory",

	// Samba on another directory
	"lmPassword", "1.3.6.1.4.1.7165.2.1.1",
	"ntPassword", "1.3.6.1.4.1.7165.2.1.2",
	"sambaLMPassword", "1.3.6.1.4.1.7165.2.1.24",
	"sambaNTPassword", "1.3.6.1.4.1.7165.2.1.25",
	"sambaPasswordHistory", "1.3.6.1.4.1.7165.2.1.54",
	"sambaClearTextPassword", "1.3.6.1.4.1.7165.2.1.68",
	"sambaPreviousClearTextPassword", "1.3.6.1.4.1.7165.2.1.69",

	// FreeIPA and Kerberos
	"ipaNTHash",
	"krbPrincipalKey", "2.16.840.1.113719.1.301.4.39.1",
	"krbPwdHistory", "2.16.840.1.113719.1.301.4.44.1",
	"krb5Key", "1.3.6.1.4.1.5322.10.1.10",
	"krbMKey", "2.16.840.1.113719.1.301.4.12.1",

	// Keys of code devices, and of servers
	"oathSecret", "1.3.6.1.4.1.5427.1.389.4226.4.1",
	"ipatokenOTPkey", "2.16.840.1.113730.3.8.16.1.4",
	"nspmPassword", "2.16.840.1.113719.1.39.43.4.6",
	"olcRootPW", "1.3.6.1.4.1.4203.1.12.2.3.2.0.11",
}

// IsPassword reports whether an attribute description is that of a password,
// with whatever options.
func IsPassword[T string | []byte](description T) bool {
	if strings.IndexByte(string(description), 0) >= 0 {
		return true // a server that keeps it as a C string sees what stands before the NUL
	}
	name, _, _ := strings.Cut(string(description), ";")
	name = strings.TrimSpace(name)
	if len(name) > 4 && strings.EqualFold(name[:4], "oid.") {
		name = name[4:]
	}
	for _, p := range passwords {
		if len(p) == len(name) && strings.EqualFold(p, name) {
			return true
		}
	}
	return false
}

// MayBePassword reports whether an attribute could be a password by its name.
// Some that could are none, such as pwdLastSet.
func MayBePassword(description string) bool {
	name := strings.ToLower(description)
	return strings.Contains(name, "pass") || strings.Contains(name, "pwd")
}
