package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

var at = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)

func campusZones(t testing.TB) *Zones {
	t.Helper()
	zones, err := NewZones([]Zone{
		{Name: "campus", Prefixes: prefixes("192.0.2.0/24", "2001:db8:1::/48"), Enrol: true},
		{Name: "vpn", Prefixes: prefixes("198.51.100.0/24")},
		{Name: OffCampus, Prefixes: prefixes("192.0.2.128/26"), Shared: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	return zones
}

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func mustNew(t testing.TB, services []string, rules ...Rule) *Policy {
	t.Helper()
	p, err := New(campusZones(t), services, rules)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func needs(texts ...string) []Need {
	var list []Need
	for _, text := range texts {
		list = append(list, ParseNeed(text))
	}
	return list
}

// shown reads "password otp/11h": factors and how long ago each was shown.
func shown(t testing.TB, text string) map[Factor]time.Time {
	t.Helper()
	m := map[Factor]time.Time{}
	for f := range strings.FieldsSeq(text) {
		name, age, _ := strings.Cut(f, "/")
		if age == "" {
			age = "0s"
		}
		d, err := time.ParseDuration(age)
		if err != nil {
			t.Fatal(err)
		}
		m[Factor(name)] = at.Add(-d)
	}
	return m
}

// brief puts a decision into one line: "ask otp | certificate by outside".
func brief(d Decision) string {
	s := d.Verdict.String()
	var open []string
	for _, n := range d.Need {
		open = append(open, n.String())
	}
	if len(open) > 0 {
		s += " " + strings.Join(open, " | ")
	}
	if len(d.Proves) > 0 {
		s += " " + Need(d.Proves).String()
	}
	if d.Rule != "" {
		s += " by " + d.Rule
	}
	if d.Why != WhyNone && d.Why != WhyMissing {
		s += ", " + string(d.Why)
	}
	return s
}

type row struct {
	attempt string // door service zone user groups,…
	shown   string
	want    string
}

func rows(t *testing.T, p *Policy, table []row) {
	t.Helper()
	for _, r := range table {
		a := attempt(r.attempt)
		a.Shown = shown(t, r.shown)
		if got := brief(p.Decide(a)); got != r.want {
			t.Errorf("%s, shown %q:\n got %s\nwant %s", r.attempt, r.shown, got, r.want)
		}
	}
}

// attempt reads "radius ssl-vpn campus alice staff,admin"; - leaves a field
// empty, a ! in front throttles.
func attempt(text string) Attempt {
	text, throttled := strings.CutPrefix(text, "!")
	f := strings.Fields(text)
	for i := range f {
		if f[i] == "-" {
			f[i] = ""
		}
	}
	a := Attempt{Door: f[0], Service: f[1], Zone: f[2], User: f[3], At: at}
	a.Throttled = throttled
	if len(f) > 4 {
		a.Groups = strings.Split(f[4], ",")
	}
	return a
}

func TestCampus(t *testing.T) {
	p := mustNew(t, nil,
		Rule{Name: "suspended", Group: []string{"suspended"}, Deny: true},
		Rule{Name: "inside", Zone: []string{"campus", "vpn"}, Need: needs("password")},
		Rule{Name: "outside", Need: needs("password+otp", "password+certificate"), Ticket: 10 * time.Hour, Reuse: 8 * time.Hour},
	)
	rows(t, p, []row{
		{"radius ssl-vpn campus alice", "", "ask password by inside"},
		{"radius ssl-vpn campus alice", "password", "allow password by inside"},
		{"web mail vpn alice", "password", "allow password by inside"},
		{"radius ssl-vpn off-campus alice", "", "ask password+otp | password+certificate by outside"},
		{"radius ssl-vpn off-campus alice", "password", "ask otp | certificate by outside"},
		{"radius ssl-vpn off-campus alice", "otp", "ask password | password+certificate by outside"},
		{"radius ssl-vpn off-campus alice", "otp certificate", "ask password by outside"},
		{"radius ssl-vpn off-campus alice", "password otp", "allow password+otp by outside"},
		{"radius ssl-vpn off-campus alice", "password certificate", "allow password+certificate by outside"},
		{"radius ssl-vpn off-campus alice", "password otp passkey", "allow password+otp+passkey by outside"},
		// A zone that is not known is outside.
		{"radius ssl-vpn - alice", "password", "ask otp | certificate by outside"},
		{"radius ssl-vpn guest alice", "password", "ask otp | certificate by outside"},
		// What is no factor proves nothing.
		{"radius ssl-vpn off-campus alice", "password sms", "ask otp | certificate by outside"},
		{"radius ssl-vpn off-campus alice", "password campus", "ask otp | certificate by outside"},
		// Reuse is 8 h for the outside.
		{"web mail off-campus alice", "password otp/8h", "allow password+otp by outside"},
		{"web mail off-campus alice", "password otp/8h1ns", "ask otp | certificate by outside"},
		{"web mail off-campus alice", "password/9h otp/9h", "ask password+otp | password+certificate by outside"},
		// A factor that lies ahead by more than clocks differ has no age.
		{"web mail off-campus alice", "password otp/-1m", "allow password+otp by outside"},
		{"web mail off-campus alice", "password otp/-61s", "ask otp | certificate by outside"},
		// What is stale is not asserted, even where it is not needed.
		{"web mail campus alice", "password otp/13h", "allow password by inside"},

		{"radius ssl-vpn campus alice suspended", "password otp", "deny by suspended, rule_denies"},
		{"radius ssl-vpn campus alice staff,suspended", "password otp", "deny by suspended, rule_denies"},
		{"!radius ssl-vpn campus alice", "password", "deny by inside, throttled"},
		{"!radius ssl-vpn off-campus alice", "password otp", "deny by outside, throttled"},
	})
}

func TestFirstMatchDecides(t *testing.T) {
	p := mustNew(t, []string{"ssl-vpn", "mail"},
		Rule{Name: "admins", Door: []string{"web"}, User: []string{"adm-*", "root"}, Need: needs("password+passkey")},
		Rule{Name: "adm-elsewhere", User: []string{"adm-*", "root"}, Deny: true},
		Rule{Name: "vpn", Service: []string{"ssl-vpn"}, Group: []string{"staff", "students-20??"}, Need: needs("password+otp")},
		Rule{Name: "mail-inside", Service: []string{"mail"}, Zone: []string{"campus"}, Need: needs("password")},
	)
	rows(t, p, []row{
		{"web mail campus adm-alice", "password", "ask passkey by admins"},
		{"ldap mail campus adm-alice", "password", "deny by adm-elsewhere, rule_denies"},
		{"radius ssl-vpn campus root staff", "password otp", "deny by adm-elsewhere, rule_denies"},
		{"radius ssl-vpn campus rooter staff", "password otp", "allow password+otp by vpn"},
		{"radius ssl-vpn campus bob students-2026", "password otp", "allow password+otp by vpn"},
		{"radius ssl-vpn campus bob students-old", "password otp", "deny, no_rule"},
		{"radius ssl-vpn campus bob", "password otp", "deny, no_rule"},
		{"!radius ssl-vpn campus bob", "password otp", "deny, no_rule"},
		{"ldap mail campus bob", "password", "allow password by mail-inside"},
		{"ldap mail vpn bob", "password", "deny, no_rule"},
		{"ldap - campus bob", "password", "deny, no_rule"},
		{"- mail campus bob", "password", "allow password by mail-inside"},
	})
}

// An application password proves itself, and neither a password nor a code.
func TestAppPasswordStandsAlone(t *testing.T) {
	p := mustNew(t, []string{"webmail"},
		Rule{Name: "inside", Zone: []string{"campus"}, Need: needs("password")},
		Rule{Name: "programs", Group: []string{"programs"}, Need: needs("password+otp", "app-password")},
		Rule{Name: "outside", Need: needs("password+otp")},
	)
	rows(t, p, []row{
		{"ldap webmail off-campus alice programs", "app-password", "allow app-password by programs"},
		{"ldap webmail off-campus alice programs", "", "ask password+otp | app-password by programs"},
		{"ldap webmail off-campus alice programs", "password", "ask otp | app-password by programs"},
		{"ldap webmail off-campus alice", "app-password", "ask password+otp by outside"},
		{"ldap webmail off-campus alice", "app-password otp", "ask password by outside"},
		{"ldap webmail campus alice", "app-password", "ask password by inside"},
	})
	for _, test := range []struct {
		door, service, zone string
		want                bool
	}{
		{DoorLDAP, "webmail", "", true}, {DoorRADIUS, "webmail", OffCampus, true}, {DoorLDAP, "webmail", "campus", false},
	} {
		if got := p.ServesAppPassword(test.door, test.service, test.zone); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
	alone := mustNew(t, nil, Rule{Name: "programs", Need: needs("app-password")})
	if alone.PasswordAlone() || alone.ServesPassword(DoorLDAP, "webmail", "") {
		t.Error("it counts as a password")
	}
}

func TestZeroValuesDeny(t *testing.T) {
	var p *Policy
	if d := p.Decide(Attempt{}); d.Verdict != Deny || d.Why != WhyNoRule {
		t.Error("the nil policy does not deny:", d)
	}
	if d := new(Policy).Decide(Attempt{}); d.Verdict != Deny || d.Why != WhyNoRule {
		t.Error("the zero policy does not deny:", d)
	}
	if p.PasswordAlone() || p.Serves("radius", "", "") || p.Explain(Attempt{}) != nil {
		t.Error("the nil policy admits")
	}
	if v := Verdict(0); v != Deny {
		t.Error("the zero verdict is", v)
	}
	// Without a time no factor has an age.
	q := mustNew(t, nil, Rule{Name: "all", Need: needs("password")})
	if d := q.Decide(Attempt{Shown: map[Factor]time.Time{Password: at}}); d.Verdict != Ask {
		t.Error("an attempt without a time:", brief(d))
	}
	if d := q.Decide(Attempt{At: at, Shown: map[Factor]time.Time{Password: {}}}); d.Verdict != Ask {
		t.Error("a factor without a time:", brief(d))
	}
}

func TestTimesOfATicket(t *testing.T) {
	const h = time.Hour
	for _, test := range []struct {
		rule         Rule
		ticket, idle time.Duration
	}{
		{Rule{Zone: []string{"campus"}}, 12 * h, 12 * h},
		{Rule{Zone: []string{"campus", "vpn"}, Ticket: 2 * h}, 2 * h, 2 * h},
		{Rule{Zone: []string{"campus"}, Idle: h}, 12 * h, h},
		{Rule{}, 12 * h, h},
		{Rule{Zone: []string{"campus", OffCampus}}, 12 * h, h},
		{Rule{Zone: []string{OffCampus}, Ticket: 24 * h}, 24 * h, h},
		{Rule{Zone: []string{OffCampus}, Ticket: 24 * h, Idle: 24 * h}, 24 * h, 24 * h},
		{Rule{Ticket: h / 2}, h / 2, h / 2},
	} {
		test.rule.Name, test.rule.Need = "r", needs("password")
		zone := OffCampus
		if len(test.rule.Zone) > 0 {
			zone = test.rule.Zone[0]
		}
		for _, shown := range []map[Factor]time.Time{nil, {Password: at}} {
			d := mustNew(t, nil, test.rule).Decide(Attempt{Zone: zone, At: at, Shown: shown})
			if d.Ticket != test.ticket || d.Idle != test.idle {
				t.Errorf("%+v: ticket %v, idle %v; want %v, %v", test.rule, d.Ticket, d.Idle, test.ticket, test.idle)
			}
		}
	}
}

func TestRepeatOfADoor(t *testing.T) {
	own := Repeat{Idle: time.Minute, Max: time.Hour}
	p := mustNew(t, nil,
		Rule{Name: "own", Service: []string{"mail"}, Need: needs("password+otp"), Repeat: &own},
		Rule{Name: "off", Service: []string{"bank"}, Need: needs("password+otp"), Repeat: &Repeat{}},
		Rule{Name: "denied", Service: []string{"none"}, Deny: true},
		Rule{Name: "session", Service: []string{"tunnel"}, Need: needs("password+otp"), Repeat: &Repeat{Session: true}},
		Rule{Name: "default", Need: needs("password+otp")},
	)
	radius := Repeat{Idle: 15 * time.Second, Max: 15 * time.Second, Answers: 3}
	session := radius
	session.Session = true
	for _, test := range []struct {
		door, service string
		want          Repeat
	}{
		{DoorRADIUS, "vpn", radius}, {DoorLDAP, "vpn", Repeat{}}, {DoorWeb, "vpn", Repeat{}},
		{DoorRADIUS, "mail", own}, {DoorLDAP, "mail", own},
		{DoorRADIUS, "bank", Repeat{}}, {DoorRADIUS, "none", Repeat{}},
		{DoorRADIUS, "tunnel", session}, {DoorLDAP, "tunnel", Repeat{}},
	} {
		if got := p.Decide(Attempt{Door: test.door, Service: test.service, At: at}).Repeat; got != test.want {
			t.Errorf("%s %s: %+v, want %+v", test.door, test.service, got, test.want)
		}
	}
}

func TestExplain(t *testing.T) {
	p := mustNew(t, nil,
		Rule{Name: "ldap", Door: []string{"ldap"}, Need: needs("password")},
		Rule{Name: "mail", Service: []string{"mail", "files"}, Need: needs("password")},
		Rule{Name: "inside", Zone: []string{"campus", "vpn"}, Need: needs("password")},
		Rule{Name: "admins", User: []string{"adm-*"}, Deny: true},
		Rule{Name: "staff", Group: []string{"staff"}, Need: needs("password+otp")},
		Rule{Name: "outside", Need: needs("password+otp", "password+passkey")},
	)
	for _, test := range []struct {
		attempt, shown string
		want           []string
	}{
		{"radius ssl-vpn off-campus alice", "", []string{
			"  door is radius, rule wants ldap",
			"  service is ssl-vpn, rule wants mail or files",
			"  zone is off-campus, rule wants campus or vpn",
			"  user is alice, rule wants adm-*",
			"  person is in no group, rule wants staff",
			"=>asks for password+otp or password+passkey",
		}},
		{"- - off-campus - guests,alumni", "password otp", []string{
			"  door is not known, rule wants ldap",
			"  service is not known, rule wants mail or files",
			"  zone is off-campus, rule wants campus or vpn",
			"  user is not known, rule wants adm-*",
			"  groups are guests and alumni, rule wants staff",
			"=>admits: password+otp shown",
		}},
		{"radius ssl-vpn campus adm-bob staff", "", []string{
			"  door is radius, rule wants ldap",
			"  service is ssl-vpn, rule wants mail or files",
			"=>asks for password",
			`= would match, but "inside" comes first`,
			`= would match, but "inside" comes first`,
			`= would match, but "inside" comes first`,
		}},
		{"radius ssl-vpn - adm-bob", "", []string{
			"  door is radius, rule wants ldap",
			"  service is ssl-vpn, rule wants mail or files",
			"  zone is off-campus, rule wants campus or vpn",
			"=>denies",
			"  person is in no group, rule wants staff",
			`= would match, but "admins" comes first`,
		}},
		{"!ldap ssl-vpn off-campus alice", "password", []string{
			"=>matches, but too many attempts failed; refused for now",
			"  service is ssl-vpn, rule wants mail or files",
			"  zone is off-campus, rule wants campus or vpn",
			"  user is alice, rule wants adm-*",
			"  person is in no group, rule wants staff",
			`= would match, but "ldap" comes first`,
		}},
	} {
		a := attempt(test.attempt)
		a.Shown = shown(t, test.shown)
		var got []string
		for _, line := range p.Explain(a) {
			mark := map[[2]bool]string{{false, false}: "  ", {true, false}: "= ", {true, true}: "=>"}[[2]bool{line.Match, line.Decides}]
			got = append(got, mark+line.Why)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s:\n%s\nwant\n%s", test.attempt, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

func TestPasswordAlone(t *testing.T) {
	for _, test := range []struct {
		need []Need
		want bool
	}{
		{needs("password"), true},
		{needs("passkey", "password"), true},
		{needs("password+otp"), false},
		{needs("passkey"), false},
	} {
		p := mustNew(t, nil, Rule{Name: "no", User: []string{"nobody"}, Deny: true}, Rule{Name: "r", Need: test.need})
		if got := p.PasswordAlone(); got != test.want {
			t.Errorf("%v: %v", test.need, got)
		}
	}
}

func TestServes(t *testing.T) {
	p := mustNew(t, nil,
		Rule{Name: "no-printing", Service: []string{"printer"}, Deny: true},
		Rule{Name: "no-guests", Service: []string{"mail"}, Group: []string{"guests"}, Deny: true},
		Rule{Name: "web", Door: []string{"web"}, Service: []string{"mail"}, Need: needs("password+otp")},
		Rule{Name: "inside", Zone: []string{"campus"}, Need: needs("password")},
	)
	for _, test := range []struct {
		door, service, zone string
		want                bool
	}{
		{"radius", "printer", "", false},
		{"radius", "printer", "campus", false},
		{"radius", "mail", "", true},
		{"radius", "mail", OffCampus, false},
		{"radius", "mail", "campus", true},
		{"web", "mail", OffCampus, true},
		{"radius", "other", "campus", true},
		{"radius", "other", "nowhere", false},
	} {
		if got := p.Serves(test.door, test.service, test.zone); got != test.want {
			t.Errorf("%s %s %q: %v", test.door, test.service, test.zone, got)
		}
	}
}

func TestServesPassword(t *testing.T) {
	p := mustNew(t, nil,
		Rule{Name: "closed", Service: []string{"vault"}, Deny: true},
		Rule{Name: "staff", Service: []string{"mail", "vault"}, Group: []string{"staff"}, Need: needs("certificate", "password")},
		Rule{Name: "inside", Zone: []string{"campus"}, Door: []string{"web"}, Need: needs("password")},
		Rule{Name: "outside", Need: needs("password+otp", "certificate")},
	)
	for _, test := range []struct {
		door, service, zone string
		want                bool
	}{
		{"radius", "mail", OffCampus, true},
		{"radius", "vault", OffCampus, false},
		{"radius", "other", "campus", false},
		{"web", "other", "campus", true},
		{"web", "other", OffCampus, false},
		{"web", "other", "", true},
	} {
		if got := p.ServesPassword(test.door, test.service, test.zone); got != test.want {
			t.Errorf("%s %s %q: %v", test.door, test.service, test.zone, got)
		}
	}
	if (*Policy)(nil).ServesPassword("web", "", "") {
		t.Error("no policy serves")
	}
}

func TestDecideAllocatesNothing(t *testing.T) {
	p := mustNew(t, nil,
		Rule{Name: "inside", Zone: []string{"campus"}, Need: needs("password")},
		Rule{Name: "staff", Group: []string{"st?ff"}, Need: needs("password+otp")},
		Rule{Name: "outside", Need: needs("password+otp")},
	)
	for _, text := range []string{"radius vpn campus a", "radius vpn off-campus a b,staff", "radius vpn off-campus a b,c"} {
		a := attempt(text)
		a.Shown = shown(t, "password")
		if n := testing.AllocsPerRun(100, func() { p.Decide(a) }); n > 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	var rules []Rule
	for i := range 50 {
		rules = append(rules, Rule{Name: fmt.Sprint("r", i), Group: []string{fmt.Sprintf("g%d-*", i)}, Need: needs("password")})
	}
	rules = append(rules, Rule{Name: "outside", Need: needs("password+otp")})
	p := mustNew(b, nil, rules...)
	a := attempt("radius vpn off-campus alice staff,students")
	a.Shown = shown(b, "password otp")
	for b.Loop() {
		p.Decide(a)
	}
}
