package config

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// reply is sound with a block; its attributes stand on line 21.
func reply(attributes string) string { return sound + block(attributes) }

func block(attributes string) string {
	return "[[radius.client.reply]]\ngroup = \"staff\"\nattributes = {" + attributes + "}\n"
}

func TestReplies(t *testing.T) {
	dir := folder(t)
	if err := os.Mkdir(filepath.Join(dir, "words"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "words", "acme"), "VENDOR Acme 64999\nBEGIN-VENDOR Acme\nATTRIBUTE Acme-Until 1 date\nEND-VENDOR Acme\n", 0o600)
	c, _, err := loadText(t, dir, strings.Replace(sound, "[[radius.client]]", "[radius]\ndictionaries = 'words'\n[[radius.client]]", 1)+`
[[radius.client.reply]]
group = ["staff", "library-*"]
[radius.client.reply.attributes]
Filter-Id = "staff"
"Tunnel-Private-Group-Id:1" = 30
"tunnel-type:1" = "VLAN"
Cisco-AVPair = ["a", "b"]
Acme-Until = 2027-03-31T00:00:00Z
[[radius.client.reply]]
attributes = {Filter-Id = "anybody", Idle-Timeout = 600}
`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range c.Radius.Clients[0].Reply {
		got = append(got, fmt.Sprintln(a.Name, a.Number, a.Groups, a.Only, hex.EncodeToString(a.Octets)))
	}
	want := `Acme-Until 26.64999.1 [staff library-*] true 1a0c0000fde701066bac4200
Cisco-AVPair 26.9.1 [staff library-*] false 1a0900000009010361` + `1a0900000009010362
Filter-Id 11 [staff library-*] true 0b077374616666
Tunnel-Private-Group-Id:1 81:1 [staff library-*] true 5105013330
Tunnel-Type:1 64:1 [staff library-*] true 40060100000d
Filter-Id 11 [] true 0b09616e79626f6479
Idle-Timeout 28 [] true 1c0600000258
`
	if strings.Join(got, "") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, ""), want)
	}
}

func TestReplyFaults(t *testing.T) {
	dir := folder(t)
	for name, text := range map[string]string{
		"words/one": "# a comment\nATTRIBUTE Ours 25 string has_tag\nATTRIBUTE Raw 26 octets\n",
		"bad/one":   "ATTRIBUTE One 200 string\nATTRIBUTE Two two string\n",
		"bad/two":   "ATTRIBUTE Class 11 string\n",
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, name), text, 0o600)
	}
	words := func(folder, text string) string {
		return strings.Replace(text, "[[radius.client]]", "[radius]\ndictionaries = '"+folder+"'\n[[radius.client]]", 1)
	}
	const key = "c:21: radius.client[0].reply[0].attributes"
	long := strings.Repeat("x", 240)
	lists := "Cisco-AVPair = ['" + strings.Repeat(long+"','", 4) + long + "']"
	for _, test := range []faulty{
		{"no attributes", change("", "[[radius.client.reply]]\ngroup = 'staff'\n"), `c:19: radius.client[0].reply[0].attributes: is missing`},
		{"empty attributes", reply(""), key + ": is missing"},
		{"attributes of a wrong type", change("", "[[radius.client.reply]]\nattributes = 5\n"), `c:20: radius.client[0].reply[0].attributes: is a number; write a table`},
		{"a reply that is a table", change("", "[radius.client.reply]\nattributes = {Filter-Id = 'x'}\n"), `c:19: radius.client[0].reply: is a table; write each in a table of its own: [[radius.client[0].reply]]`},
		{"unknown key", change("", "[[radius.client.reply]]\ngruop = 'x'\nattributes = {Filter-Id = 'x'}\n"), `c:20: radius.client[0].reply[0].gruop: is not known; did you mean "group"?`},
		{"no group", change("", "[[radius.client.reply]]\ngroup = []\nattributes = {Filter-Id = 'x'}\n"), `c:20: radius.client[0].reply[0].group: is an empty list`},
		{"empty group", change("", "[[radius.client.reply]]\ngroup = ''\nattributes = {Filter-Id = 'x'}\n"), `c:20: radius.client[0].reply[0].group: holds an empty name`},
		{"no pattern", change("", "[[radius.client.reply]]\ngroup = 'a['\nattributes = {Filter-Id = 'x'}\n"), `c:20: radius.client[0].reply[0].group: "a[" is not a pattern`},

		{"unknown attribute", reply("Acme-Name = 'x'"), key + `.Acme-Name: is in no dictionary; put its vendor's dictionary into`},
		{"misspelt attribute", reply("Fitler-Id = 'x'"), key + `.Fitler-Id: is in no dictionary; did you mean "Filter-Id"?`},
		{"upper case", reply("FILTER-ID = 'x'"), ""},
		{"the same twice", reply("Filter-Id = 'x', filter-id = 'y'"), key + `.filter-id: is Filter-Id, too; put all its values into one list`},
		{"two faults", reply("Filter-Id = true, Idle-Timeout = 'x'"), key + ".Filter-Id: is true or false; write text\n" + key + `.Idle-Timeout: "x" is not a whole number`},
		{"value in a list", reply("Filter-Id = ['x', '', 5.5]"), key + ".Filter-Id[1]: is empty\n" + key + ".Filter-Id[2]: is a fraction"},
		{"empty list", reply("Filter-Id = []"), key + ".Filter-Id: is an empty list"},
		{"table", reply("Filter-Id = {a = 1}"), key + ".Filter-Id: is a table; write text"},
		{"no such value", reply("Service-Type = 'Frame'"), key + `.Service-Type: "Frame" is not a whole number; write one, or one of`},
		{"address", reply("Framed-IP-Address = '192.0.2.300'"), key + `.Framed-IP-Address: "192.0.2.300" is not an IPv4 address`},
		{"tag", reply("'Tunnel-Type:99' = 'VLAN'"), key + ".Tunnel-Type:99: has no tag between 1 and 31"},
		{"password", reply("User-Password = 'x'"), key + ".User-Password: has an encrypted value"},

		{"Class", reply("Class = 'x'"), key + ".Class: is the ticket; tell the group by another attribute"},
		{"Session-Timeout", reply("Session-Timeout = 60"), key + ".Session-Timeout: follows from the ticket; set ticket in the rule"},
		{"State", reply("State = 'x'"), key + ".State: belongs to the server"},
		{"Proxy-State", reply("Proxy-State = 'x'"), key + ".Proxy-State: belongs to the proxy"},
		{"Message-Authenticator", reply("Message-Authenticator = 'x'"), key + ".Message-Authenticator: is made for each reply"},
		{"Reply-Message", reply("Reply-Message = 'x'"), key + ".Reply-Message: is what a refusal tells"},
		{"EAP-Message", reply("EAP-Message = 'x'"), key + ".EAP-Message: belongs to EAP"},
		{"EAP-Key-Name", reply("EAP-Key-Name = 'x'"), key + ".EAP-Key-Name: belongs to EAP"},
		{"User-Name", reply("User-Name = 'x'"), key + ".User-Name: is what was asked for"},
		{"CHAP-Password", reply("CHAP-Password = 'x'"), key + ".CHAP-Password: is a secret"},
		{"CHAP-Challenge", reply("CHAP-Challenge = 'x'"), key + ".CHAP-Challenge: is a secret"},
		{"Class by another name", words("words", reply("Ours = 'x'")), strings.Replace(key, "21", "23", 1) + ".Ours: is the ticket"},
		{"Class by another name and a tag", words("words", reply("'Ours:1' = 'x'")), strings.Replace(key, "21", "23", 1) + ".Ours:1: is the ticket"},
		{"Vendor-Specific by another name", words("words", reply("Raw = 'x'")), strings.Replace(key, "21", "23", 1) + ".Raw: has no value of its own"},

		{"broken dictionaries", words("bad", sound), "c:15: radius.dictionaries: DIR/bad/one:2: \"two\" is not the number\nc:15: radius.dictionaries: DIR/bad/two:1: Class is attribute 25"},
		{"no dictionaries", words("none", sound), "c:15: radius.dictionaries: open DIR/none: no such file or directory; name a folder"},
		{"dictionaries that are a file", words("ring", sound), "c:15: radius.dictionaries: "},
		{"dictionaries of a wrong type", strings.Replace(words("x", sound), "'x'", "5", 1), "c:15: radius.dictionaries: is a number"},

		{"too much in one list", reply("Cisco-AVPair = ['" + strings.Repeat(long+"','", 8) + long + "']"), "c:19: radius.client[0].reply: comes to 2232 octets for somebody in all the groups, 2048 is the most"},
		{"too much in the lists of two groups", reply(lists) + block(lists), "c:19: radius.client[0].reply: comes to 2480 octets"},
		{"too much in lists beside single values", reply(lists) + block("Cisco-AVPair = 'x'") + block(lists), "c:19: radius.client[0].reply: comes to 2480 octets"},
	} {
		_, faults, _ := loadText(t, dir, test.text)
		compare(t, test, faults)
	}

	// Of values by themselves one is sent, so many groups fit.
	if _, faults, err := loadText(t, dir, sound+strings.Repeat(block("Filter-Id = '"+long+"'"), 100)); err != nil {
		t.Error(faults)
	}
}

func TestOwnAddress(t *testing.T) {
	const station = address + "\nsource = 'calling-station-id'"
	c, _, err := loadText(t, folder(t), change(address, station+"\ntunnel_client_endpoint = true"))
	if err != nil {
		t.Fatal(err)
	}
	if client := c.Radius.Clients[0]; !client.OwnAddress || !client.TunnelEndpoint || client.Zone != "" || c.Warnings != nil {
		t.Errorf("%+v, warnings %v", client, c.Warnings)
	}
	for _, test := range []faulty{
		{"an address that anybody could alter", change(address, station+"\nrequire_message_authenticator = false"), `c:17: radius.client[0].source: "calling-station-id" can't go with require_message_authenticator = false`},
		{"a tunnel without the address", change(address, address+"\ntunnel_client_endpoint = true"), `c:17: radius.client[0].tunnel_client_endpoint: only goes with source = "calling-station-id"`},
		{"a tunnel that is no flag", change(address, station+"\ntunnel_client_endpoint = 1"), `c:18: radius.client[0].tunnel_client_endpoint: is a number`},
	} {
		_, faults, _ := loadText(t, folder(t), test.text)
		compare(t, test, faults)
	}

	// Its people may be in any zone: a rule for one of them serves it.
	inner := strings.Replace(change(address, station), "[[rule]]\nname = \"outside\"\n"+outside+"\n", "", 1)
	if c, faults, err := loadText(t, folder(t), inner); err != nil || c.Warnings != nil {
		t.Error(faults, err)
	}
	none := strings.Replace(change(address, station), outside, outside+"\nservice = 'other'", 1)
	none = strings.Replace(none, inside, inside+"\nservice = 'other'", 1) + strings.Replace(client2, "ssl-vpn", "other", 1)
	c, faults, err := loadText(t, folder(t), none)
	if err != nil || len(c.Warnings) != 1 || !strings.Contains(c.Warnings.Error(), `no rule admits anybody to "ssl-vpn" from campus, off-campus;`) {
		t.Error(faults, err, c)
	}
}
