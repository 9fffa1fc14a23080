package tree

import "sekisho/ldapproxy/wire"

// The features that we have (RFC 4512 §5.1).
const (
	featureAllOperational = "1.3.6.1.4.1.4203.1.5.1" // "+": RFC 3673
	featureTrueFalse      = "1.3.6.1.4.1.4203.1.5.3" // (&) and (|): RFC 4526
)

// rootDSE is what the server tells of itself (RFC 4512 §5.1). Programs act on
// it, so it has nothing that is not served here; no SASL, for one.
func rootDSE(startTLS bool) fixedEntry {
	e := fixedEntry{
		attrObjectClass:        {"top", "extensibleObject"},
		attrSupportedControl:   {wire.OIDPaged, wire.OIDManageDsaIT},
		attrSupportedExtension: {wire.OIDWhoAmI, wire.OIDCancel},
		attrSupportedFeatures:  {featureAllOperational, featureTrueFalse},
		attrVendorName:         {"Sekisho"},
	}
	if startTLS {
		e[attrSupportedExtension] = append(e[attrSupportedExtension], wire.OIDStartTLS)
	}
	return e
}
