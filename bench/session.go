package main

import (
	"fmt"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
)

// session is a connection that a NAS tells of: its Start, then an
// Interim-Update after each interval, then its Stop.
type session struct {
	person
	name  string
	began time.Time
	class []byte // of the Access-Accept

	records [records][]byte // as they left
}

const (
	records  = 10 // of a session
	interval = 10 * time.Second
)

// lasts is how long a session is.
const lasts = (records - 1) * interval

// record is the k-th Accounting-Request of the session. No two are duplicates:
// each has a time and counters of its own.
func (s *session) record(f *forge, k int, id byte) []byte {
	status := rfc2866.AcctStatusType_Value_InterimUpdate
	switch k {
	case 0:
		status = rfc2866.AcctStatusType_Value_Start
	case records - 1:
		status = rfc2866.AcctStatusType_Value_Stop
	}
	b := f.begin(radius.CodeAccountingRequest, id)
	b = integer(b, rfc2866.AcctStatusType_Type, uint32(status))
	b = attribute(b, rfc2866.AcctSessionID_Type, []byte(s.name))
	b = attribute(b, rfc2865.UserName_Type, []byte(s.person.name()))
	b = attribute(b, rfc2865.NASIdentifier_Type, []byte("bench"))
	b = attribute(b, rfc2865.CallingStationID_Type, []byte(s.station()))
	b = attribute(b, rfc2865.FramedIPAddress_Type, s.address())
	b = attribute(b, rfc2865.Class_Type, s.class)
	b = integer(b, rfc2869.EventTimestamp_Type, uint32(s.began.Add(s.seconds(k)).Unix()))
	if k > 0 {
		b = integer(b, rfc2866.AcctSessionTime_Type, uint32(s.seconds(k)/time.Second))
		b = integer(b, rfc2866.AcctInputOctets_Type, s.octets(k))
		b = integer(b, rfc2866.AcctOutputOctets_Type, s.octets(k))
	}
	if k == records-1 {
		b = integer(b, rfc2866.AcctTerminateCause_Type, uint32(rfc2866.AcctTerminateCause_Value_UserRequest))
	}
	return f.seal(b)
}

func (s *session) seconds(k int) time.Duration { return time.Duration(k) * interval }
func (s *session) octets(k int) uint32         { return uint32(k) * (1_000 + uint32(s.person)) }

// tunnelPrefix is where the sessions have their addresses (RFC 6598).
const tunnelPrefix = "100.64.0.0/10"

func (s *session) address() []byte {
	return []byte{100, 64 + byte(s.person>>16)&63, byte(s.person >> 8), byte(s.person)}
}

// recordAt is the k-th record of a session of a line.
type recordAt struct{ session, k int }

// timetable is in which order the records of a line's sessions leave. Sessions
// begin one after the other, so that all kinds of records come mixed; apart is
// how many begin between two records of one, more than a window holds, so that
// none overtakes another.
func timetable(sessions, apart int) []recordAt {
	var list []recordAt
	for slot := range sessions + (records-1)*apart {
		for k := range records {
			if s := slot - k*apart; s >= 0 && s < sessions {
				list = append(list, recordAt{s, k})
			}
		}
	}
	return list
}

// tell lays out the records of these sessions on so many sockets, and notes
// them. All of one session leave through the same.
func tell(sessions []*session, sockets, apart int) [][][]byte {
	f := newForge()
	plan := timetable(len(sessions)/sockets, apart)
	return spread(len(plan)*sockets, sockets, func(i int, id byte) []byte {
		at := plan[i/sockets]
		s := sessions[at.session*sockets+i%sockets]
		s.records[at.k] = s.record(f, at.k, id)
		return s.records[at.k]
	})
}

// newSessions are sessions that end now, of one person for each Class.
func newSessions(round int, now time.Time, classes [][]byte) []*session {
	list := make([]*session, len(classes))
	for i, class := range classes {
		list[i] = &session{person: person(i), name: fmt.Sprintf("bench-%d-%d", round, i), began: now.Add(-lasts), class: class}
	}
	return list
}
