package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows is who may import whom; docs/architecture.md draws it. Whatever is
// not listed imports nothing of ours.
var arrows = map[string]string{
	"cmd/sekisho":               "*",
	"e2e":                       "*",
	"bench":                     "*",
	"radiusd":                   "gate policy internal/metrics internal/histogram",
	"ldapproxy":                 "ldapproxy/insight ldapproxy/links ldapproxy/tree ldapproxy/wire gate policy internal/metrics internal/directory internal/recent",
	"ldapproxy/insight":         "gate internal/histogram",
	"ldapproxy/links":           "ldapproxy/wire internal/directory",
	"ldapproxy/links/linkstest": "ldapproxy/wire",
	"ldapproxy/tree":            "ldapproxy/wire internal/directory",
	"weblogin":                  "gate policy internal/metrics internal/account internal/book internal/reason internal/recent",
	"gate":                      "policy internal/directory internal/otp internal/keyring internal/store internal/reason internal/metrics internal/recent",
	"internal/account":          "internal/store internal/otp internal/keyring internal/passwd",
	"internal/directory":        "internal/store internal/passwd internal/recent internal/upstream",
	"internal/book":             "internal/store internal/reason",
	"internal/config":           "policy internal/dictionary",
	"internal/store":            "internal/recent",
}

func TestArrowsRunDownward(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "sekisho/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		names := strings.Fields(line)
		from := strings.TrimPrefix(names[0], "sekisho/")
		allowed := strings.Fields(arrows[from])
		for _, name := range names[1:] {
			to, ours := strings.CutPrefix(name, "sekisho/")
			if ours && !slices.Contains(allowed, "*") && !slices.Contains(allowed, to) {
				t.Errorf("%s imports %s", from, to)
			}
		}
	}
}
