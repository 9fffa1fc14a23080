package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNewRefuses(t *testing.T) {
	ok := Rule{Name: "ok", Group: []string{"ok"}, Need: needs("password")}
	with := func(change func(*Rule)) []Rule {
		r := ok
		change(&r)
		return []Rule{r}
	}
	repeat := func(r Repeat) []Rule { return with(func(x *Rule) { x.Repeat = &r }) }
	const h = time.Hour
	for _, test := range []struct {
		name  string
		rules []Rule
		want  string
	}{
		{"no name", with(func(r *Rule) { r.Name = " " }), `rule[0].name: is missing`},
		{"doubled name", []Rule{ok, {Name: "ok", Deny: true}}, `rule[1].name: "ok" is the name of rule[0], too`},
		{"door", with(func(r *Rule) { r.Door = []string{"radius", "ssh"} }), `rule[0].door: "ssh" does not exist; there is "radius", "ldap" and "web"`},
		{"zone", with(func(r *Rule) { r.Zone = []string{"campsu"} }), `rule[0].zone: "campsu" does not exist; there is "campus", "off-campus" and "vpn"`},
		{"empty zone", with(func(r *Rule) { r.Zone = []string{""} }), `rule[0].zone: "" does not exist`},
		{"service", with(func(r *Rule) { r.Service = []string{"mial"} }), `rule[0].service: "mial" does not exist; there is "mail" and "ssl-vpn"`},
		{"factor", with(func(r *Rule) { r.Need = needs("password+sms") }), `rule[0].need: "sms" is not a factor; there is "password", "otp"`},
		{"a network as a factor", with(func(r *Rule) { r.Need = needs("password+campus") }), `rule[0].need: "campus" is not a factor`},
		{"half a need", with(func(r *Rule) { r.Need = needs("password+") }), `rule[0].need: "" is not a factor`},
		{"empty alternative", with(func(r *Rule) { r.Need = needs("password", "") }), `rule[0].need: has an empty alternative, which would admit anybody`},
		{"factor twice", with(func(r *Rule) { r.Need = needs("otp+otp") }), `rule[0].need: "otp+otp" names otp twice`},
		{"an application password and more", with(func(r *Rule) { r.Need = needs("password+app-password") }), `rule[0].need: "password+app-password" can't be shown, app-password is typed in place of all else`},
		{"an application password and a code", with(func(r *Rule) { r.Need = needs("password", "app-password+otp") }), `rule[0].need: "app-password+otp" can't be shown`},
		{"alternative twice", with(func(r *Rule) { r.Need = needs("password+otp", "otp+password") }), `rule[0].need: "otp+password" stands twice`},
		{"weaker beside stronger", with(func(r *Rule) { r.Need = needs("password", "password+otp") }), `rule[0].need: "password+otp" is never asked for, "password" suffices`},
		{"stronger beside weaker", with(func(r *Rule) { r.Need = needs("password+otp", "password") }), `rule[0].need: "password+otp" is never asked for, "password" suffices`},
		{"neither need nor deny", with(func(r *Rule) { r.Need = nil }), `rule[0].need: is missing`},
		{"need and deny", with(func(r *Rule) { r.Deny = true }), `rule[0].need: contradicts deny`},
		{"deny with a ticket", with(func(r *Rule) { r.Deny, r.Need, r.Ticket = true, nil, h }), `rule[0].deny: gives no ticket`},
		{"deny with repeat", with(func(r *Rule) { r.Deny, r.Need, r.Repeat = true, nil, &Repeat{} }), `rule[0].deny: gives no ticket`},
		{"user pattern", with(func(r *Rule) { r.User = []string{"adm[in"} }), `rule[0].user: "adm[in" is not a pattern`},
		{"group pattern", with(func(r *Rule) { r.Group = []string{`a\`} }), `rule[0].group: "a\\" is not a pattern`},
		{"empty user", with(func(r *Rule) { r.User = []string{""} }), `rule[0].user: holds an empty name`},
		{"upper case", with(func(r *Rule) { r.User = []string{"Admin"} }), `rule[0].user: "Admin" can't match, names are judged in lower case; write "admin"`},
		{"negative ticket", with(func(r *Rule) { r.Ticket = -1 }), `rule[0].ticket: is negative`},
		{"negative idle", with(func(r *Rule) { r.Idle = -1 }), `rule[0].idle: is negative`},
		{"negative reuse", with(func(r *Rule) { r.Reuse = -1 }), `rule[0].reuse: is negative`},
		{"reuse beyond the ticket", with(func(r *Rule) { r.Ticket, r.Reuse = h, 2*h }), `rule[0].reuse: 2h0m0s is longer than the ticket lives, 1h0m0s`},
		{"idle beyond the default ticket", with(func(r *Rule) { r.Idle = 13 * h }), `rule[0].idle: 13h0m0s is longer than the ticket lives, 12h0m0s`},
		{"negative repeat", repeat(Repeat{Idle: -1, Max: 1}), `rule[0].repeat: has a negative value`},
		{"repeat without max", repeat(Repeat{Idle: h}), `rule[0].repeat: wants both idle and max`},
		{"repeat without idle", repeat(Repeat{Max: h}), `rule[0].repeat: wants both idle and max`},
		{"repeat idle beyond max", repeat(Repeat{Idle: 2 * h, Max: h}), `rule[0].repeat: has an idle of 2h0m0s that its max of 1h0m0s can't reach`},
		{"repeat only counted", repeat(Repeat{Answers: 3}), `rule[0].repeat: counts answers but gives no time`},
	} {
		p, err := New(campusZones(t), []string{"mail", "ssl-vpn"}, test.rules)
		var faults Faults
		if !errors.As(err, &faults) || p != nil {
			t.Errorf("%s: policy %v, error %v", test.name, p, err)
			continue
		}
		if len(faults) != 1 || !strings.HasPrefix(faults.Error(), test.want) {
			t.Errorf("%s:\n got %v\nwant %s…", test.name, faults, test.want)
		}
		if !strings.Contains(err.Error(), "; ") {
			t.Errorf("%s: %v does not say what to do", test.name, err)
		}
	}
}

func TestNewListsAllFaults(t *testing.T) {
	_, err := New(nil, nil, []Rule{
		{Door: []string{"ssh"}, Zone: []string{"campus"}, Need: needs("sms")},
		{Name: "b", Deny: true, Need: needs("password")},
		{Name: "b", Need: needs("password"), Ticket: -1},
	})
	var keys []string
	var faults Faults
	if errors.As(err, &faults) {
		for _, f := range faults {
			keys = append(keys, fmt.Sprint(f.Rule, f.Key))
		}
	}
	if want := []string{"0name", "0door", "0zone", "0need", "1need", "2name", "2ticket"}; !slices.Equal(keys, want) {
		t.Errorf("got %v, want %v", keys, want)
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != 7 {
		t.Errorf("%d lines:\n%v", lines, err)
	}
}

func TestNewAccepts(t *testing.T) {
	for _, rules := range [][]Rule{
		nil,
		{{Name: "a", Need: needs("recovery+password", "passkey"), Ticket: time.Hour, Idle: time.Hour, Reuse: time.Hour}},
		{{Name: "a", Service: []string{"anything"}, Need: needs("password"), Repeat: &Repeat{Session: true, Answers: 4}}},
		{{Name: "a", Zone: []string{OffCampus}, Deny: true}},
		{{Name: "a", Need: needs("password+otp", "app-password")}},
		{{Name: "a", Need: needs("app-password")}},
	} {
		if _, err := New(nil, nil, rules); err != nil {
			t.Error(err)
		}
	}
	// No service exists yet: a rule for any service is no fault, a named one is.
	if _, err := New(nil, []string{}, []Rule{{Name: "a", Need: needs("password")}}); err != nil {
		t.Error(err)
	}
	_, err := New(nil, []string{}, []Rule{{Name: "a", Service: []string{"mail"}, Need: needs("password")}})
	if err == nil || !strings.Contains(err.Error(), `rule[0].service: "mail" does not exist, there is no service yet`) {
		t.Error(err)
	}
}

func TestRuleThatCanNeverMatch(t *testing.T) {
	r := func(door, service, zone, user, group string) Rule {
		list := func(s string) []string { return strings.Fields(s) }
		return Rule{Door: list(door), Service: list(service), Zone: list(zone), User: list(user), Group: list(group), Need: needs("password")}
	}
	for _, test := range []struct {
		name  string
		rules []Rule
		dead  string // the text about the last rule; "": it can match
	}{
		{"everything twice", []Rule{r("", "", "", "", ""), r("", "", "", "", "")}, `rule "0"`},
		{"narrower", []Rule{r("", "", "campus", "", ""), r("web", "mail", "campus", "alice", "staff")}, `rule "0"`},
		{"wider", []Rule{r("", "", "campus", "", ""), r("", "", "campus vpn", "", "")}, ""},
		{"two rules together", []Rule{r("", "", "campus vpn", "", ""), r("", "", "off-campus", "", ""), r("", "", "", "", "staff")}, `rules "0" and "1"`},
		{"all doors", []Rule{r("radius", "", "", "", ""), r("ldap", "", "", "", ""), r("web", "", "", "", ""), r("", "", "campus", "", "")}, `rules "0", "1" and "2"`},
		{"all services", []Rule{r("", "mail", "", "", ""), r("", "ssl-vpn", "", "", ""), r("", "", "campus", "", "")}, `rules "0" and "1"`},
		{"a zone is left", []Rule{r("", "", "campus", "", ""), r("", "", "off-campus", "", ""), r("", "", "", "", "staff")}, ""},
		{"users differ", []Rule{r("", "", "", "alice", ""), r("", "", "", "bob", "")}, ""},
		{"a user of several", []Rule{r("", "", "", "alice bob", ""), r("", "", "", "bob", "")}, `rule "0"`},
		{"any user after one", []Rule{r("", "", "", "alice", ""), r("", "", "", "", "")}, ""},
		{"any user after a star", []Rule{r("", "", "", "*", ""), r("", "", "", "", "")}, ""},
		{"pattern holds name", []Rule{r("", "", "", "adm-*", ""), r("", "", "", "adm-1", "")}, `rule "0"`},
		{"pattern holds pattern", []Rule{r("", "", "", "adm-*", ""), r("", "", "", "adm-?x*", "")}, `rule "0"`},
		{"pattern with a class may hold a slash", []Rule{r("", "", "", "a*", ""), r("", "", "", "a[^b]", "")}, ""},
		{"pattern with a question mark", []Rule{r("", "", "", "a?", ""), r("", "", "", "a*", "")}, ""},
		{"same pattern", []Rule{r("", "", "", "a[bc]", ""), r("", "", "", "a[bc]", "")}, `rule "0"`},
		{"group and user are different conditions", []Rule{r("", "", "", "", "staff"), r("", "", "", "alice", "")}, ""},
	} {
		for i := range test.rules {
			test.rules[i].Name = fmt.Sprint(i)
		}
		_, err := New(campusZones(t), []string{"mail", "ssl-vpn"}, test.rules)
		got := ""
		if err != nil {
			got = err.Error()
		}
		want := ""
		if test.dead != "" {
			want = fmt.Sprintf("rule[%d]: can never match, %s before it take everything; move it up or take it out", len(test.rules)-1, test.dead)
		}
		if got != want {
			t.Errorf("%s:\n got %q\nwant %q", test.name, got, want)
		}
	}
}

func TestUnprovable(t *testing.T) {
	can := map[string][]Factor{DoorRADIUS: {Password, OTP, AppPassword}, DoorWeb: {Password, OTP, Passkey}}
	for _, test := range []struct {
		rule Rule
		want string
	}{
		{Rule{Need: needs("password+otp")}, ""},
		{Rule{Need: needs("password+certificate", "password+otp")}, ""},
		{Rule{Need: needs("password+certificate")}, "need"},
		{Rule{Need: needs("passkey")}, ""},
		{Rule{Need: needs("passkey"), Door: []string{DoorRADIUS}}, "need"},
		{Rule{Need: needs("app-password")}, ""},
		{Rule{Need: needs("app-password"), Door: []string{DoorWeb}}, "need"},
		{Rule{Need: needs("password"), Door: []string{DoorLDAP}}, "door"},
		{Rule{Need: needs("password"), Door: []string{DoorLDAP, DoorWeb}}, ""},
		{Rule{Deny: true, Door: []string{DoorLDAP}}, ""},
	} {
		got := ""
		for _, f := range Unprovable([]Rule{test.rule}, can) {
			got += f.Key
		}
		if got != test.want {
			t.Errorf("%+v: fault %q, want %q", test.rule, got, test.want)
		}
	}
}

func TestUnprovableWithoutDoors(t *testing.T) {
	if faults := Unprovable([]Rule{{Need: needs("password")}}, nil); faults != nil {
		t.Error(faults)
	}
}

func TestNeedText(t *testing.T) {
	for text, want := range map[string]string{
		"password": "password", " password + otp ": "password+otp", "": "", " ": "", "a++b": "a++b",
	} {
		if got := ParseNeed(text).String(); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
