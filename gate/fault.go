package gate

import "sekisho/internal/reason"

// Fault is why a door refuses a request before anything in it is judged: it
// could not be understood, or its method can't be checked here. A door hands
// it to [Gate.Refuse], which books it and words the answer.
type Fault = reason.Code

// The faults that a request can have at a door.
const (
	FaultCHAP           Fault = reason.MethodCHAP     // a response can't be checked against a hash, nor carry a code
	FaultMSCHAP         Fault = reason.MethodMSCHAP   // likewise
	FaultEAP            Fault = reason.MethodEAP      // not spoken here
	FaultCallCheck      Fault = reason.CallCheck      // asks about a telephone call
	FaultAuthorizeOnly  Fault = reason.AuthorizeOnly  // wants an authorization without a proof
	FaultTwoCredentials Fault = reason.TwoCredentials // which one would count?
	FaultNoCredential   Fault = reason.NoCredential
	FaultBadAttribute   Fault = reason.BadAttribute // well framed, wrong size for its type
	FaultForeignState   Fault = reason.ForeignState // a State that was not given here
	FaultBadName        Fault = reason.BadName      // no name, not UTF-8, or with a NUL
	FaultBadPassword    Fault = reason.BadPassword  // an inner NUL, or too long

	FaultTLSRequired        Fault = reason.TLSRequired        // a password in clear text
	FaultUnknownApp         Fault = reason.UnknownApp         // an address that no application has
	FaultServiceAccount     Fault = reason.ServiceAccount     // wrong password, or from elsewhere
	FaultForwardedUntrusted Fault = reason.ForwardedUntrusted // headers of a proxy that is not listed
	FaultForwardedConflict  Fault = reason.ForwardedConflict  // two sets of them that disagree
	FaultHandshake          Fault = reason.Handshake          // a word that is used, late or somebody else's
)
