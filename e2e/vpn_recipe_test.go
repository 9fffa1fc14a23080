package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var secretFile = regexp.MustCompile(`secret_file *= "([^"]+)"`)

// What the pages of docs/vpn/ have for Sekisho is a good configuration, and
// none of them needs a warning that it does not explain.
func TestVPNRecipesAreGood(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../docs/vpn/*.md")
	if err != nil || len(pages) != 9 {
		t.Fatalf("pages: %v, %v", pages, err)
	}
	for _, page := range pages {
		name := filepath.Base(page)
		if name == "README.md" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			block := fenced(t, "../vpn/"+name, "toml", 0)
			for _, file := range secretFile.FindAllStringSubmatch(block, -1) {
				s.file(file[1], "a-secret-of-twenty-octets\n")
			}
			campus := vpnCampus
			if !strings.Contains(block, "[zone.vpn]") {
				campus = replaced(t, campus, `, "vpn"]`, "]")
			}
			s.write(block + campus)
			a := s.command("", "check")
			if a.code != 0 {
				t.Fatalf("%s%s", a.out, a.err)
			}
			for line := range strings.Lines(a.err) {
				if strings.Contains(line, "warning") && !strings.Contains(line, "password.argon2") {
					t.Error(line)
				}
			}
		})
	}
}
