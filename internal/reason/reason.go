// Package reason is the closed list of reasons: why a decision fell as it
// did, with what the person is told and what the help desk reads.
package reason

// Code names one reason. It is stable: scripts and dashboards count by it.
type Code string

// The codes. Every decision in the book carries exactly one of them.
const (
	Admitted Code = "admitted"      // the factors the rule needs were shown
	Repeated Code = "repeated"      // the same credential again, inside the rule's repeat
	Reused   Code = "ticket_reused" // a presented ticket lent the factors

	WrongPassword Code = "wrong_password"
	WrongCode     Code = "wrong_code"      // matches nothing near now
	CodeMissing   Code = "code_missing"    // a code is needed, none was typed
	CodeUsed      Code = "code_used"       // right password, used code: perhaps theft
	CodeStale     Code = "code_stale"      // right device, but outside the window
	CodeWide      Code = "code_full_width" // １２３４５６
	RecoveryNot   Code = "recovery_not_here"
	NoDevice      Code = "no_device" // a code is needed, no device is enrolled
	NoMeans       Code = "no_means"  // the rule needs a factor this door can't take
	UnknownUser   Code = "unknown_user"
	BadName       Code = "bad_name"       // not UTF-8, or with a NUL
	EmptyPassword Code = "empty_password" // nothing, or only a code
	BadPassword   Code = "bad_password"   // an inner NUL, or too long
	Disabled      Code = "disabled"
	MustChange    Code = "must_change" // an initial password opens only the change page
	NoRule        Code = "no_rule"
	RuleDenies    Code = "rule_denies"
	Throttled     Code = "throttled"
	Changed       Code = "changed_meanwhile" // the account changed while it was judged
	CannotJudge   Code = "cannot_judge"      // this request or record can't be judged
	PasswordKnown Code = "password_known"    // alarm: many wrong codes behind the right password
	StalePassword Code = "stale_password"    // notice: a device sends the password from before

	PasswordExpired Code = "password_expired" // the right one, as far as the directory behind tells
	AccountShut     Code = "account_shut"     // right password; the directory behind lets nobody in by it
	AccountLocked   Code = "account_locked"   // the directory behind judges no password for a while

	WrongAppPassword   Code = "wrong_app_password"   // has the shape of one, and fits none of the person's for this service
	AppPasswordIdle    Code = "app_password_idle"    // was not used for too long
	AppPasswordNetwork Code = "app_password_network" // from outside the network that it is for

	MethodCHAP     Code = "method_chap"
	MethodMSCHAP   Code = "method_mschap"
	MethodEAP      Code = "method_eap"
	CallCheck      Code = "call_check"
	AuthorizeOnly  Code = "authorize_only"
	TwoCredentials Code = "two_credentials"
	NoCredential   Code = "no_credential"
	BadAttribute   Code = "bad_attribute" // well framed, wrong size for its type
	ForeignState   Code = "foreign_state"

	Challenged   Code = "challenged" // asked for the code, in a round of its own; never booked
	StateExpired Code = "state_expired"
	StateSpent   Code = "state_spent" // an answer to the same question came before
	WrongWord    Code = "wrong_word"  // one that fits none that was made for the person
	WordUsed     Code = "word_used"
	WordLate     Code = "word_late" // or what it was made from has ended

	TLSRequired        Code = "tls_required"
	UnknownApp         Code = "unknown_app"         // an address that no application has
	ServiceAccount     Code = "service_account"     // wrong password, or from elsewhere
	ForwardedUntrusted Code = "forwarded_untrusted" // by a proxy that is not listed
	ForwardedConflict  Code = "forwarded_conflict"  // two sets of headers that disagree
	Handshake          Code = "handshake"           // a word that is used, late, or of another browser or service

	WordMade         Code = "word_made"
	AppPasswordAdded Code = "app_password_added"
	AppPasswordEnded Code = "app_password_ended"
	AccountAdded     Code = "account_added"
	AccountDisabled  Code = "account_disabled"
	AccountEnabled   Code = "account_enabled"
	PasswordSet      Code = "password_set"
	GroupsSet        Code = "groups_set"
	OTPEnrolled      Code = "otp_enrolled"
	OTPReset         Code = "otp_reset"
	OTPResynced      Code = "otp_resynced"
	OTPFenced        Code = "otp_fenced"
	ClockAccepted    Code = "clock_accepted"
	TicketRevoked    Code = "ticket_revoked"
	VPNEnded         Code = "vpn_ended" // a VPN session, by an administrator
	SignedOut        Code = "signed_out"
	SessionEnded     Code = "session_ended"
	SignedOutAll     Code = "signed_out_everywhere"
	EndedBehind      Code = "ended_behind" // all that somebody was signed in to: the directory behind lets them in no more
	KeysRotated      Code = "keys_rotated"
	KeysRetired      Code = "keys_retired"

	SessionStarted     Code = "session_started" // a NAS tells so, by accounting
	SessionStopped     Code = "session_stopped"
	NASRestarted       Code = "nas_restarted"
	AccountingLate     Code = "accounting_late"     // too old, or of a session that is over: perhaps a replay
	AccountingStranger Code = "accounting_stranger" // another's Class, or another person in the same session
	AccountingOther    Code = "accounting_other"    // a status that means nothing here
	AddressForeign     Code = "address_foreign"     // a tunnel address that is not the client's to give
	DisconnectDone     Code = "disconnect_done"
	DisconnectFailed   Code = "disconnect_failed"
	ChangeDone         Code = "change_done"
	ChangeFailed       Code = "change_failed"
)
