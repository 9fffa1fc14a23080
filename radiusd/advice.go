package radiusd

import (
	"fmt"
	"time"
)

// Advice is something for the operator to do at a client, or not to do yet.
type Advice struct {
	Code string `json:"code"` // closed list
	Text string `json:"text"`
}

// lately is how long something that a client did is held against it: what it
// has not done for longer was put right.
const lately = 7 * 24 * time.Hour

// enoughChallenges were sent without an answer when a client does not know
// what to do with them.
const enoughChallenges = 10

// Advice is what follows from what was seen, the most urgent first.
func (r *Readiness) Advice() []Advice {
	var list []Advice
	say := func(code, format string, args ...any) {
		list = append(list, Advice{code, fmt.Sprintf(format, args...)})
	}
	mac := &r.MessageAuthenticator
	if r.LastSeen.IsZero() && r.SecretMismatches.Count+mac.Without.Count == 0 {
		say("not_seen", "not seen yet: nothing came from its address")
		return list
	}
	switch t := r.SecretMismatches; {
	case !r.lately(t):
	case mac.With.Last.After(t.Last), r.Accounting.Records.Last.After(t.Last): // these prove the secret
		say("secret_differs", "secret differs: %s failed, the last on %s, but later ones did not: they may be forged, or of another machine at this address; if not, compare the secrets for sign-ins and for accounting",
			packets(t.Count), r.day(t.Last))
	default:
		say("secret_differs", "secret differs: %s failed, the last on %s; set the same secret here and there", packets(t.Count), r.day(t.Last))
	}
	for _, m := range []struct{ label, name string }{{"chap", "CHAP"}, {"mschap", "MS-CHAP"}, {"eap", "EAP"}} {
		if t := r.Methods[m.label]; r.lately(t) {
			say("method_"+m.label, "asks by %s, the last time on %s: set the client to PAP", m.name, r.day(t.Last))
		}
	}
	all := mac.With.Count + mac.Without.Count
	switch required := r.Settings.RequireMessageAuthenticator; {
	case r.lately(mac.Without) && required && r.lately(mac.With):
		say("message_authenticator_missing", "%d of %d requests without Message-Authenticator were dropped, the last on %s, and others came with it: they may be forged, or of another machine at this address",
			mac.Without.Count, all, r.day(mac.Without.Last))
	case r.lately(mac.Without) && required:
		say("message_authenticator_missing", "%d of %d requests without Message-Authenticator were dropped, the last on %s: update the NAS, or only if there is no update set require_message_authenticator = false",
			mac.Without.Count, all, r.day(mac.Without.Last))
	case r.lately(mac.Without):
		say("message_authenticator_keep", "%d of %d requests without Message-Authenticator, the last on %s: keep require_message_authenticator = false and update the NAS",
			mac.Without.Count, all, r.day(mac.Without.Last))
	case !required && mac.Without.Count > 0 && mac.With.Last.After(mac.Without.Last):
		say("message_authenticator_safe", "sends Message-Authenticator in all requests since %s: require_message_authenticator = true is safe", r.day(mac.Without.Last))
	case !required && mac.With.Count > 0 && mac.Without.Count == 0:
		say("message_authenticator_safe", "sends Message-Authenticator in all %d requests since %s: require_message_authenticator = true is safe", mac.With.Count, r.day(r.Since))
	}
	r.stationAdvice(say)
	r.accountingAdvice(say)
	if r.Settings.Challenge && r.Challenges.Count >= enoughChallenges && r.Continued.Count == 0 {
		say("challenge", `none of %d challenges was answered: it takes them for refusals; write otp = "append", or "both"`, r.Challenges.Count)
	}
	if r.Disconnect.Result == "silent" {
		say("disconnect", "did not answer the Disconnect-Request of %s: let it listen for them, from this server's address and with the secret of disconnect", r.day(r.Disconnect.At))
	}
	return list
}

func (r *Readiness) stationAdvice(say func(code, format string, args ...any)) {
	station := &r.Station
	told := station.Address.Count + station.Other.Count
	switch {
	case r.Settings.OwnAddress && (r.lately(station.Other) || r.lately(station.None)):
		say("calling_station", "%d of %d requests told no address in Calling-Station-Id: those people are outside",
			station.Other.Count+station.None.Count, told+station.None.Count)
	case told == 0 && station.None.Count > 0:
		say("calling_station", "no Calling-Station-Id: nobody's own address is known, so a session without Class is not found, nor the same code from its second server taken again")
	}
}

func (r *Readiness) accountingAdvice(say func(code, format string, args ...any)) {
	a := &r.Accounting
	switch {
	case !r.Settings.Tunnel:
	case a.Records.Count == 0 && r.Accepts.Count > 0:
		say("accounting", "no accounting seen: VPN sign-ins won't count for the web; let it send accounting to this server")
	case a.Records.Count > 0 && a.Interims.Count == 0:
		say("interim", "no Interim-Update seen: switch them on, every 60 s")
	}
	if r.lately(a.Behind) {
		say("clock", "%d accounting records were more than five minutes old by its clock and did nothing, the last on %s: set the clock of the NAS",
			a.Behind.Count, r.day(a.Behind.Last))
	}
	if r.Settings.Class && a.Records.Count > 0 && a.Records.Last.Sub(a.Class.Last) > lately {
		say("class", "Class is not echoed: sessions are found by name and address")
	}
}

func (r *Readiness) lately(t Tally) bool {
	return t.Count > 0 && r.At.Sub(t.Last) < lately
}

// day is a time as the operator's clock shows it.
func (r *Readiness) day(t time.Time) string {
	return t.In(r.At.Location()).Format("2006-01-02 15:04")
}

func packets(n uint64) string {
	if n == 1 {
		return "1 packet"
	}
	return fmt.Sprintf("%d packets", n)
}
