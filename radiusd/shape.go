package radiusd

import (
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3162"
	"layeh.com/radius/rfc6911"
)

// shape is what the RFCs say of an attribute's value. A value that does not
// fit is no malformed packet: the request is refused, and the log names the
// attribute (RFC 2865 §5). The zero shape fits anything.
type shape struct {
	name     string
	min, max int // octets of the value; max 0: any
	once     bool
}

func (s *shape) fits(value []byte, again bool) bool {
	switch {
	case s.name == "":
		return true
	case again && s.once:
		return false
	}
	return len(value) >= s.min && (s.max == 0 || len(value) <= s.max)
}

// shapes are those of the attributes that a NAS sends in an Access-Request,
// by type. Those that decide something may be there once only; a second
// User-Password or CHAP-Password is a second credential, which has a reason
// of its own, and a second Calling-Station-Id makes the first worthless.
var shapes = [256]shape{
	rfc2865.UserName_Type:          {name: "User-Name", once: true},
	rfc2865.CHAPPassword_Type:      {name: "CHAP-Password", min: 17, max: 17},
	rfc2865.NASIPAddress_Type:      {name: "NAS-IP-Address", min: 4, max: 4},
	rfc2865.NASPort_Type:           {name: "NAS-Port", min: 4, max: 4},
	rfc2865.ServiceType_Type:       {name: "Service-Type", min: 4, max: 4, once: true},
	rfc2865.FramedProtocol_Type:    {name: "Framed-Protocol", min: 4, max: 4},
	rfc2865.FramedIPAddress_Type:   {name: "Framed-IP-Address", min: 4, max: 4},
	rfc2865.FramedIPNetmask_Type:   {name: "Framed-IP-Netmask", min: 4, max: 4},
	rfc2865.FramedMTU_Type:         {name: "Framed-MTU", min: 4, max: 4},
	rfc2865.FramedCompression_Type: {name: "Framed-Compression", min: 4, max: 4},
	rfc2865.LoginIPHost_Type:       {name: "Login-IP-Host", min: 4, max: 4},
	rfc2865.LoginService_Type:      {name: "Login-Service", min: 4, max: 4},
	rfc2865.LoginTCPPort_Type:      {name: "Login-TCP-Port", min: 4, max: 4},
	rfc2865.State_Type:             {name: "State", once: true},
	rfc2865.VendorSpecific_Type:    {name: "Vendor-Specific", min: 5},
	rfc2865.SessionTimeout_Type:    {name: "Session-Timeout", min: 4, max: 4},
	rfc2865.IdleTimeout_Type:       {name: "Idle-Timeout", min: 4, max: 4},
	rfc2865.NASPortType_Type:       {name: "NAS-Port-Type", min: 4, max: 4},
	rfc2865.PortLimit_Type:         {name: "Port-Limit", min: 4, max: 4},
	rfc2869.EventTimestamp_Type:    {name: "Event-Timestamp", min: 4, max: 4},
	rfc3162.NASIPv6Address_Type:    {name: "NAS-IPv6-Address", min: 16, max: 16},
	rfc3162.FramedInterfaceID_Type: {name: "Framed-Interface-Id", min: 8, max: 8},
}

// recordShapes are those of the attributes that are read from an
// Accounting-Request. One that does not fit does not spoil the others: the
// session is there all the same.
var recordShapes = [256]shape{
	rfc2865.UserName_Type:            {name: "User-Name", once: true},
	rfc2865.NASIPAddress_Type:        {name: "NAS-IP-Address", min: 4, max: 4, once: true},
	rfc2865.NASIdentifier_Type:       {name: "NAS-Identifier", once: true},
	rfc2865.FramedIPAddress_Type:     {name: "Framed-IP-Address", min: 4, max: 4, once: true},
	rfc2866.AcctStatusType_Type:      {name: "Acct-Status-Type", min: 4, max: 4, once: true},
	rfc2866.AcctDelayTime_Type:       {name: "Acct-Delay-Time", min: 4, max: 4, once: true},
	rfc2866.AcctInputOctets_Type:     {name: "Acct-Input-Octets", min: 4, max: 4, once: true},
	rfc2866.AcctOutputOctets_Type:    {name: "Acct-Output-Octets", min: 4, max: 4, once: true},
	rfc2866.AcctSessionID_Type:       {name: "Acct-Session-Id", once: true},
	rfc2866.AcctSessionTime_Type:     {name: "Acct-Session-Time", min: 4, max: 4, once: true},
	rfc2866.AcctTerminateCause_Type:  {name: "Acct-Terminate-Cause", min: 4, max: 4, once: true},
	rfc2869.AcctInputGigawords_Type:  {name: "Acct-Input-Gigawords", min: 4, max: 4, once: true},
	rfc2869.AcctOutputGigawords_Type: {name: "Acct-Output-Gigawords", min: 4, max: 4, once: true},
	rfc2869.EventTimestamp_Type:      {name: "Event-Timestamp", min: 4, max: 4, once: true},
	rfc3162.NASIPv6Address_Type:      {name: "NAS-IPv6-Address", min: 16, max: 16, once: true},
	rfc3162.FramedIPv6Prefix_Type:    {name: "Framed-IPv6-Prefix", min: 2, max: 18, once: true},
	rfc6911.FramedIPv6Address_Type:   {name: "Framed-IPv6-Address", min: 16, max: 16, once: true},
}
