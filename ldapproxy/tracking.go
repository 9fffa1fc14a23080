package ldapproxy

import (
	"net/netip"

	"sekisho/gate"
	"sekisho/ldapproxy/wire"
)

// howTold is how an address is known that an application has told.
const howTold = "session-tracking"

// believes reports whether a control tells of the person, by an application
// that is believed.
func (a *app) believes(control wire.Control) bool {
	return control.OID == wire.OIDSessionTracking && a != nil && a.Tracking
}

// toldSource is where an application says that a person is. If it says nothing, or
// nothing that one person's address can be, that is unknown: never where the
// application is. A loopback address would be the application's own, or that
// of what stands in front of it.
func toldSource(controls []wire.Control) gate.Source {
	s := gate.Source{How: howTold}
	for _, c := range controls {
		if c.OID != wire.OIDSessionTracking {
			continue
		}
		text, err := wire.ParseSessionTracking(c.Value)
		if err != nil {
			return s
		}
		addr, err := netip.ParseAddr(text)
		addr = addr.Unmap()
		if err == nil && addr.Zone() == "" && !addr.IsUnspecified() && !addr.IsLoopback() && !addr.IsMulticast() {
			s.Addr = addr
		}
	}
	return s
}
