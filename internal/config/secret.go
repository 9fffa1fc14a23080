package config

import (
	"net/netip"
	"os"
	"strings"
)

// Secrets are shared secrets of one client. Their String hides them.
type Secrets [][]byte

// String returns a placeholder, so that a secret can't slip into a log.
func (Secrets) String() string { return "[secret]" }

// GoString is String, for %#v.
func (s Secrets) GoString() string { return s.String() }

const (
	// leastSecret is the length RFC 2865 section 3 prefers: 16 octets.
	leastSecret = 16
	maxSecret   = 4096 // octets of a file of secrets
)

func readSecrets(t *table, prefix netip.Prefix) Secrets {
	inline, named := t.has("secret"), t.has("secret_file")
	texts := t.words("secret")
	file := t.text("secret_file", "")
	key := "secret"
	switch {
	case inline && named:
		t.fault("secret", "stands beside secret_file; keep one of them, better the file")
		return nil
	case !inline && !named:
		t.fault("secret_file", `is missing; name a file with the shared secret: secret_file = "vpn1.secret"`)
		return nil
	case named:
		key = "secret_file"
		if t.r.faults.blames(t.name(key)) {
			return nil
		}
		texts = t.secretFile(file)
	case t.r.open:
		t.warn("secret", "others can read %s and this in it; run: chmod 0600 %s, or use secret_file", t.r.file, t.r.file)
	}
	if t.r.faults.blames(t.name(key)) {
		return nil
	}
	var secrets Secrets
	for _, text := range texts {
		if text != "" {
			secrets = append(secrets, []byte(text))
		}
	}
	if len(secrets) == 0 {
		t.fault(key, "holds no secret; make one with: openssl rand -base64 24")
	}
	t.checkSecrets(key, secrets, prefix)
	return secrets
}

// secretFile reads one secret a line.
func (t *table) secretFile(name string) []string {
	path := t.r.path(name)
	info, err := os.Stat(path)
	if name == "" {
		t.fault("secret_file", "is empty; name a file with the shared secret")
		return nil
	}
	if !t.private("secret_file", path, info, err, "make it with: (umask 077; openssl rand -base64 24 >"+path+")") {
		return nil
	}
	if info.Size() > maxSecret {
		t.fault("secret_file", "%s is larger than %d octets; one secret a line", path, maxSecret)
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.fault("secret_file", "can't be read: %v; let the user that runs sekisho read it", err)
		return nil
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		lines = append(lines, strings.TrimRight(line, "\r\n"))
	}
	return lines
}

// checkSecrets never names a secret, only its place.
func (t *table) checkSecrets(key string, secrets Secrets, prefix netip.Prefix) {
	for i, secret := range secrets {
		text := string(secret)
		switch {
		case strings.TrimSpace(text) != text:
			t.fault(key, "secret %d begins or ends with a space; take it away", i+1)
		case text == "testing123" && prefix.IsValid() && prefix.Addr().IsLoopback():
		case text == "testing123":
			t.warn(key, "secret %d is the one that everybody tries first; make another with: openssl rand -base64 24", i+1)
		case len(secret) < leastSecret:
			t.warn(key, "secret %d has %d octets, which can be guessed from a recorded request; use %d or more", i+1, len(secret), leastSecret)
		}
	}
}
