package dictionary

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"layeh.com/radius"
)

// with is a dictionary with files besides, each a name and a text.
func with(t testing.TB, files ...string) (*Dictionary, []error) {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, files[i])), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := New()
	return d, d.Add(dir)
}

func mustAdd(t testing.TB, files ...string) *Dictionary {
	t.Helper()
	d, faults := with(t, files...)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return d
}

const acme = `# what Acme's boxes know
VENDOR		Acme	64999
VENDOR		Wide	64998	format=2,2
VENDOR		Deep	64997	format=1,1,c

BEGIN-VENDOR	Acme
ATTRIBUTE	Acme-Text	1	string
ATTRIBUTE	Acme-Raw	2	octets
ATTRIBUTE	Acme-Key	3	octets[4]
ATTRIBUTE	Acme-Number	4	integer	# a comment
ATTRIBUTE	Acme-Octet	5	byte
ATTRIBUTE	Acme-Short	6	short
ATTRIBUTE	Acme-Long	7	integer64
ATTRIBUTE	Acme-Signed	8	signed
ATTRIBUTE	Acme-Until	9	date
ATTRIBUTE	Acme-Net	10	ipv4prefix
ATTRIBUTE	Acme-MAC	11	ether
ATTRIBUTE	Acme-Secret	12	string	encrypt=2
ATTRIBUTE	Acme-Odd	13	combo-ip
ATTRIBUTE	Acme-Flagged	14	string	virtual
ATTRIBUTE	Acme-Part	15.1	string
ATTRIBUTE	Acme-TLV	16	tlv
ATTRIBUTE	Acme-List	0x11	string	array
BEGIN-TLV	Acme-TLV
ATTRIBUTE	Acme-Inner	1	string
END-TLV		Acme-TLV
VALUE	Acme-Number	Gold#1	010
VALUE	Acme-Number	Silver	0x14
END-VENDOR	Acme

ATTRIBUTE	Acme-Old	200	string	Acme
ATTRIBUTE	Far-Off		1000	string
ATTRIBUTE	Nought		0	string
ATTRIBUTE	Alias-Filter	11	string
BEGIN-VENDOR	Wide
ATTRIBUTE	Wide-Text	1	string
END-VENDOR	Wide
BEGIN-VENDOR	Deep
ATTRIBUTE	Deep-Text	1	string
END-VENDOR	Deep
BEGIN-VENDOR	Acme	format=Extended-Vendor-Specific-1
ATTRIBUTE	Acme-Extended	1	string
END-VENDOR	Acme
FLAGS	internal
`

// The wire, octet for octet, by the sections that prescribe it.
func TestOctets(t *testing.T) {
	d := mustAdd(t, "acme", acme)
	for _, test := range []struct{ name, value, number, want string }{
		{"Filter-Id", "staff", "11", "0b07" + "7374616666"},
		{"filter-ID", "staff", "11", "0b07" + "7374616666"},
		{"Alias-Filter", "staff", "11", "0b07" + "7374616666"},
		{"Service-Type", "Framed-User", "6", "0606" + "00000002"},
		{"Service-Type", "framed-user", "6", "0606" + "00000002"},
		{"Service-Type", "2", "6", "0606" + "00000002"},
		{"Idle-Timeout", "4294967295", "28", "1c06" + "ffffffff"},
		{"Idle-Timeout", "0x10", "28", "1c06" + "00000010"},
		{"Idle-Timeout", "010", "28", "1c06" + "0000000a"},
		{"Framed-IP-Address", "192.0.2.1", "8", "0806" + "c0000201"},
		{"Framed-IPv6-Address", "2001:db8::1", "168", "a812" + "20010db8000000000000000000000001"},
		{"Framed-IPv6-Prefix", "2001:db8::/32", "97", "6114" + "0020" + "20010db8000000000000000000000000"}, // RFC 3162 section 2.3
		{"Chargeable-User-Identity", "0x00ff", "89", "5904" + "00ff"},
		{"Chargeable-User-Identity", "ab", "89", "5904" + "6162"},

		// RFC 2868 section 3.1 to 3.6: a text may go without a tag, a number has 0.
		{"Tunnel-Type", "VLAN", "64", "4006" + "0000000d"},
		{"Tunnel-Type:1", "VLAN", "64:1", "4006" + "0100000d"},
		{"Tunnel-Medium-Type:31", "IEEE-802", "65:31", "4106" + "1f000006"},
		{"Tunnel-Private-Group-Id", "30", "81", "5104" + "3330"},
		{"Tunnel-Private-Group-ID:1", "30", "81:1", "5105" + "01" + "3330"},

		// RFC 2865 section 5.26.
		{"Fortinet-Group-Name", "staff", "26.12356.1", "1a0d" + "00003044" + "0107" + "7374616666"},
		{"Cisco-AVPair", "shell:priv-lvl=15", "26.9.1", "1a19" + "00000009" + "0113" + hex.EncodeToString([]byte("shell:priv-lvl=15"))},
		{"F5-LTM-User-Role", "guest", "26.3375.1", "1a0c" + "00000d2f" + "0106" + "000002bc"},
		{"MS-Primary-DNS-Server", "192.0.2.53", "26.311.28", "1a0c" + "00000137" + "1c06" + "c0000235"},

		{"Acme-Raw", "0xFFee", "26.64999.2", "1a0a" + "0000fde7" + "0204" + "ffee"},
		{"Acme-Key", "0x01020304", "26.64999.3", "1a0c" + "0000fde7" + "0306" + "01020304"},
		{"Acme-Number", "gold#1", "26.64999.4", "1a0c" + "0000fde7" + "0406" + "0000000a"},
		{"Acme-Number", "Silver", "26.64999.4", "1a0c" + "0000fde7" + "0406" + "00000014"},
		{"Acme-Octet", "255", "26.64999.5", "1a09" + "0000fde7" + "0503" + "ff"},
		{"Acme-Short", "65535", "26.64999.6", "1a0a" + "0000fde7" + "0604" + "ffff"},
		{"Acme-Long", "18446744073709551615", "26.64999.7", "1a10" + "0000fde7" + "070a" + "ffffffffffffffff"},
		{"Acme-Signed", "-2", "26.64999.8", "1a0c" + "0000fde7" + "0806" + "fffffffe"},
		{"Acme-Until", "2026-04-01T09:00:00+09:00", "26.64999.9", "1a0c" + "0000fde7" + "0906" + "69cc6000"},
		{"Acme-Until", "1", "26.64999.9", "1a0c" + "0000fde7" + "0906" + "00000001"},
		{"Acme-Net", "192.0.2.0/24", "26.64999.10", "1a0e" + "0000fde7" + "0a08" + "0018c0000200"},
		{"Acme-MAC", "02-00-5e-10-00-01", "26.64999.11", "1a0e" + "0000fde7" + "0b08" + "02005e100001"},
		{"Acme-List", "x", "26.64999.17", "1a09" + "0000fde7" + "1103" + "78"},
		{"Acme-Old", "x", "26.64999.200", "1a09" + "0000fde7" + "c803" + "78"},
	} {
		a, err := d.Find(test.name)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		octets, err := a.Octets(test.value)
		if got := hex.EncodeToString(octets); err != nil || got != test.want || a.Number != test.number {
			t.Errorf("%s = %q: %s %v, want %s\nnumber %s, want %s", test.name, test.value, got, err, test.want, a.Number, test.number)
		}
	}
}

// Another implementation reads what was written.
func TestOctetsAreReadByOthers(t *testing.T) {
	d := New()
	for name, values := range map[string][]string{
		"Filter-Id":                 {"x", strings.Repeat("x", 253)},
		"Fortinet-Group-Name":       {"x", strings.Repeat("x", 247)},
		"Tunnel-Private-Group-Id:2": {"x", strings.Repeat("x", 252)},
	} {
		a, err := d.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range values {
			octets, err := a.Octets(value)
			if err != nil {
				t.Fatal(err)
			}
			list, err := radius.ParseAttributes(octets)
			if err != nil || len(list) != 1 {
				t.Fatalf("%s: %v %v", name, list, err)
			}
			got := []byte(list[0].Attribute)
			switch list[0].Type {
			case 26:
				vendor, inner, err := radius.VendorSpecific(list[0].Attribute)
				if err != nil || vendor != 12356 || inner[0] != 1 || int(inner[1]) != len(inner) {
					t.Fatalf("%s: % x %v", name, got, err)
				}
				got = inner[2:]
			case 81:
				if got[0] != 2 {
					t.Errorf("%s: tag %d", name, got[0])
				}
				got = got[1:]
			}
			if string(got) != value {
				t.Errorf("%s: %q came back as %q", name, value, got)
			}
			if _, err := a.Octets(value + strings.Repeat("x", 253)); err == nil {
				t.Errorf("%s: a value that does not fit was written", name)
			}
		}
	}
}

func TestWhatCanNotBeSent(t *testing.T) {
	d := mustAdd(t, "acme", acme)
	for name, want := range map[string]string{
		"Acme-Nothing": "is in no dictionary", "": "is in no dictionary", ":1": "is in no dictionary",
		"Wide-Text":   "is of a vendor whose format, 2,2, is not supported",
		"Deep-Text":   "is of a vendor whose format, 1,1,c, is not supported",
		"Acme-Secret": "has an encrypted value", "Tunnel-Password": "has an encrypted value", "User-Password": "has an encrypted value",
		"Acme-Odd": "is of the type combo-ip", "Acme-TLV": "is of the type tlv", "Vendor-Specific": "is of the type vsa",
		"Acme-Flagged": "has the flag virtual",
		"Acme-Part":    "is part of another attribute", "Acme-Inner": "is part of another attribute",
		"Acme-Extended": "is of an extended type",
		"Far-Off":       "has the number 1000", "Nought": "has the number 0",
		"Filter-Id:1":   "takes no tag; write Filter-Id",
		"Tunnel-Type:0": "has no tag between 1 and 31", "Tunnel-Type:32": "has no tag between 1 and 31",
		"Tunnel-Type:": "has no tag between 1 and 31", "Tunnel-Type:1:1": "has no tag between 1 and 31",
	} {
		_, err := d.Find(name)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
		if unknown := errors.Is(err, ErrUnknown); unknown != (want == ErrUnknown.Error()) {
			t.Errorf("%q: unknown is %v", name, unknown)
		}
	}
}

func TestWrongValues(t *testing.T) {
	d := mustAdd(t, "acme", acme)
	for _, test := range []struct{ name, value, want string }{
		{"Filter-Id", "", "is empty"},
		{"Filter-Id", strings.Repeat("x", 254), "has 254 octets, 253 fit in"},
		{"Filter-Id", "a\x00b", "holds a NUL"},
		{"Fortinet-Group-Name", strings.Repeat("x", 248), "has 248 octets, 247 fit in"},
		{"Service-Type", "Framed", `"Framed" is not a whole number; write one, or one of Administrative-User, Authenticate-Only`},
		{"Idle-Timeout", "4294967296", `"4294967296" is too large; write at most 4294967295`},
		{"Idle-Timeout", "-1", `"-1" is not a whole number; write one`},
		{"Idle-Timeout", "1h", `"1h" is not a whole number`},
		{"Idle-Timeout", "", `"" is not a whole number`},
		{"Idle-Timeout", "1_000", `"1_000" is not a whole number`},
		{"Tunnel-Type:1", "16777216", "is too large beside a tag"},
		{"Tunnel-Private-Group-Id", "\x01x", "begins with what would be read as a tag"},
		{"Tunnel-Private-Group-Id", "", "is empty"},
		{"Framed-IP-Address", "2001:db8::1", `"2001:db8::1" is not an IPv4 address`},
		{"Framed-IP-Address", "192.0.2.256", "is not an IPv4 address"},
		{"Framed-IPv6-Address", "192.0.2.1", "is not an IPv6 address"},
		{"Framed-IPv6-Address", "fe80::1%eth0", "is not an IPv6 address"},
		{"Framed-IPv6-Prefix", "2001:db8::1/32", "is not an IPv6 prefix"},
		{"Framed-IPv6-Prefix", "192.0.2.0/24", "is not an IPv6 prefix"},
		{"Chargeable-User-Identity", "0x0", `"0x0" is not hexadecimal`},
		{"Chargeable-User-Identity", "0x", "is empty"},
		{"Acme-Key", "0x010203", "has 3 octets; write 4"},
		{"Acme-Octet", "256", `"256" is too large; write at most 255`},
		{"Acme-Short", "65536", "is too large; write at most 65535"},
		{"Acme-Long", "18446744073709551616", "is not a whole number"},
		{"Acme-Signed", "2147483648", "is not a whole number of 32 bits"},
		{"Acme-Until", "tomorrow", "is not a time"},
		{"Acme-Until", "2107-01-01T00:00:00Z", "is out of bounds"},
		{"Acme-Until", "1969-12-31T23:59:59Z", "is out of bounds"},
		{"Acme-Net", "192.0.2.1/24", "is not an IPv4 prefix"},
		{"Acme-MAC", "02:00:5e:10:00:01:02:03", "is not a MAC address"},
	} {
		a, err := d.Find(test.name)
		if err != nil {
			t.Fatal(err)
		}
		octets, err := a.Octets(test.value)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "; ") {
			t.Errorf("%s = %q: % x %v, want %s", test.name, test.value, octets, err, test.want)
		}
	}
}

// Everything that is built in can be sent, but what nobody may configure.
func TestBuiltIn(t *testing.T) {
	d := New()
	for _, name := range d.Names() {
		_, err := d.Find(name)
		switch name {
		case "User-Password", "Tunnel-Password", "Vendor-Specific":
			if err == nil {
				t.Errorf("%s can be sent", name)
			}
		default:
			if err != nil {
				t.Errorf("%s %v", name, err)
			}
		}
	}
	for attribute := range d.values {
		if _, ok := d.attributes[attribute]; !ok {
			t.Errorf("%s has values, but is no attribute", attribute)
		}
	}
}

func FuzzDictionary(f *testing.F) {
	f.Add(acme, "Acme-Number", "Silver")
	f.Add("VALUE Filter-Id x 1", "Filter-Id", "x")
	f.Add("$INCLUDE dictionary", "Tunnel-Type:1", "VLAN")
	f.Add("BEGIN-TLV x\nEND-TLV x\n", "Framed-IPv6-Prefix", "::/0")
	builtIn, folder := New(), os.DirFS(f.TempDir())
	f.Fuzz(func(t *testing.T, text, name, given string) {
		d := &Dictionary{attributes: map[string]*definition{}, vendors: map[string]*vendor{}, values: map[string]map[string]value{}}
		r := reading{dictionary: d, open: folder.Open, read: map[string]bool{}}
		in := scope{}
		for line := range strings.Lines(text) {
			if err := r.line("file", fields(line), &in); err != nil && err.Error() == "" {
				t.Error("an error without a word")
			}
		}
		for _, d := range []*Dictionary{builtIn, d} {
			a, err := d.Find(name)
			if err != nil {
				continue
			}
			octets, err := a.Octets(given)
			if err != nil {
				continue
			}
			list, err := radius.ParseAttributes(octets)
			if err != nil || len(list) != 1 || len(list[0].Attribute) == 0 {
				t.Fatalf("%s = %q is no attribute: % x %v", name, given, octets, err)
			}
			if a.vendor == nil {
				continue
			}
			vendor, inner, err := radius.VendorSpecific(list[0].Attribute)
			if err != nil || vendor != a.vendor.number || int(inner[1]) != len(inner) || len(inner) < 3 {
				t.Fatalf("%s = %q is no vendor's attribute: % x %v", name, given, octets, err)
			}
		}
	})
}
