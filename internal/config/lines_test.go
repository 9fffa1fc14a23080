package config

import (
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestLines(t *testing.T) {
	lines := scan(`# a comment with [a] = "b"
top = 1 # another
a.b."c.d" = 'x'

[site] # here
name = "a # is no comment"
help = """
[not.a.table]
x = 1 \"""
"""
after = '''
y = 1
'''''
list = [ # comment ]
  "one",
  ["two", "]"], # two
  { k = 1, l = { m = "}" } },
]
date = 1979-05-27 07:32:00

[[radius.client]]
name = "1"
[[radius.client]]
name = "2"
[radius.client.tls]
cert = "x"
[[radius.client.more]]
z = 1
[zone."a b"]
prefixes = []
`)
	for name, want := range map[string]int{
		"top": 2, "a": 3, "a.b": 3, "a.b.c.d": 3,
		"site": 5, "site.name": 6, "site.help": 7, "site.after": 11,
		"site.list": 14, "site.list[0]": 15, "site.list[1]": 16, "site.list[1][1]": 16, "site.list[2]": 17,
		"site.list[2].k": 17, "site.list[2].l.m": 17, "site.date": 19,
		"radius": 21, "radius.client": 21, "radius.client[0]": 21, "radius.client[0].name": 22,
		"radius.client[1]": 23, "radius.client[1].name": 24, "radius.client[1].tls.cert": 26,
		"radius.client[1].more[0].z": 28, "zone.a b": 29, "zone.a b.prefixes": 30,
	} {
		if lines[name] != want {
			t.Errorf("%s: line %d, want %d", name, lines[name], want)
		}
	}
	for _, name := range []string{"not", "not.a.table", "x", "y", "site.x", "site.y", "site.list[3]"} {
		if line, ok := lines[name]; ok {
			t.Errorf("%s is nowhere, found at %d", name, line)
		}
	}
}

func TestLineOfWhatIsMissing(t *testing.T) {
	r := &reader{lines: scan("x = 1\n[a]\n[[a.b]]\nk = [\n1]\n")}
	for key, want := range map[string]int{
		"": 1, "store.url": 1, "a.z": 2, "a.b[0].z": 3, "a.b[0].k[7]": 4, "a.b[0].k[0]": 5, "a.b[3].k": 3,
	} {
		if got := r.line(key); got != want {
			t.Errorf("%q: line %d, want %d", key, got, want)
		}
	}
}

// Whatever the parser accepts, each of its keys has a line, and no text keeps
// the scanner from coming to an end.
func FuzzLines(f *testing.F) {
	for _, text := range []string{sound, "a = [}", "a = {]", "[[", "a = \"\"\"", "[a.'b'.\"c\\\"d\"]\nx.y=[[],{}]", "a.", "=", "a = [,,", "\x00=\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := scan(text)
		var values map[string]any
		meta, err := toml.Decode(text, &values)
		if err != nil || strings.ContainsAny(text, "\\\x00") { // escapes in keys stay as they are written
			return
		}
		for _, key := range meta.Keys() {
			if len(key) != 1 {
				continue
			}
			if line := lines[key[0]]; line < 1 || line > strings.Count(text, "\n")+1 {
				t.Errorf("%q is at line %d of\n%s", key[0], line, text)
			}
		}
	})
}
