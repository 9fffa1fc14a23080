package e2e

import (
	"slices"
	"strings"
	"testing"
)

// replies tells the switch on campus of the staff, in words of our own, and of
// everybody in the words of a dictionary that another program reads, too.
var replies = []string{
	"[[radius.client]]\nname    = \"shell\"", `[[radius.client.reply]]
group = "staff"
[radius.client.reply.attributes]
Filter-Id = "staff"
Fortinet-Group-Name = "staff"
Cisco-AVPair = ["shell:priv-lvl=15", "ip:a=b"]
"Tunnel-Type:1" = "VLAN"
"Tunnel-Medium-Type:1" = "IEEE-802"
"Tunnel-Private-Group-Id:1" = 30
[[radius.client.reply]]
attributes = {Filter-Id = "anybody", Idle-Timeout = 600, Mikrotik-Realm = "campus"}
[[radius.client]]
name    = "shell"`,
	"reject_delay = \"200ms\"\n", "reject_delay = \"200ms\"\ndictionaries = \"/usr/share/freeradius\"\n",
}

func (r reply) all(name string) (values []string) {
	for _, a := range r.attributes {
		if value, ok := strings.CutPrefix(a, name+" = "); ok {
			values = append(values, strings.Trim(value, `"`))
		}
	}
	return values
}

func TestReplyTellsTheGroup(t *testing.T) {
	t.Parallel()
	need(t, "radclient", "root", "tshark")
	s := newSite(t, replies...)
	s.add("alice", "bob")
	s.run("account", "group", "alice", "+staff")
	s.serve()
	c := s.capture()
	staff, other := s.signIn(inside, "alice", password), s.signIn(inside, "bob", password)
	refused := s.signIn(inside, "alice", "wrong")
	c.end()

	for name, want := range map[string][2]string{
		"Filter-Id":                 {"staff", "anybody"},
		"Fortinet-Group-Name":       {"staff", ""},
		"Cisco-AVPair":              {"shell:priv-lvl=15 ip:a=b", ""},
		"Tunnel-Type:1":             {"VLAN", ""},
		"Tunnel-Medium-Type:1":      {"IEEE-802", ""},
		"Tunnel-Private-Group-Id:1": {"30", ""},
		"Idle-Timeout":              {"600", "600"},
		"Mikrotik-Realm":            {"campus", "campus"},
	} {
		for i, r := range []reply{staff, other} {
			wantAccept(t, r)
			if got := strings.Join(r.all(name), " "); got != want[i] {
				t.Errorf("%s: %q, want %q in %v", name, got, want[i], r.attributes)
			}
		}
	}
	s.wantReject(refused, "wrong_password")
	if slices.ContainsFunc(refused.attributes, func(a string) bool { return strings.Contains(a, "anybody") }) {
		t.Errorf("a reject carries %v", refused.attributes)
	}

	// As yet another program sees it on the wire.
	c.verify()
	if bad := c.fields("_ws.malformed || _ws.expert.severity == error || radius.authenticator.invalid == 1", "frame.number"); len(bad) > 0 {
		t.Errorf("tshark complains: %v", bad)
	}
	got := c.fields("radius.code == 2", "radius.Filter_Id", "radius.Fortinet_Group_Name", "radius.Tunnel_Private_Group_Id", "radius.Tunnel_Private_Group_Id.tag")
	if len(got) != 2 || strings.Join(got[0], " ") != "staff staff 30 0x01" || strings.TrimSpace(strings.Join(got[1], " ")) != "anybody" {
		t.Errorf("tshark reads %q", got)
	}
}
