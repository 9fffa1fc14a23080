package config

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// Secrets are shared secrets of one client. Their String hides them.
type Secrets [][]byte

// String returns a placeholder, so that a secret can't slip into a log.
func (Secrets) String() string { return "[secret]" }

// GoString is String, for %#v.
func (s Secrets) GoString() string { return s.String() }

// Secret is the password of a service account. Its String hides it.
type Secret []byte

// String returns a placeholder, so that a password can't slip into a log.
func (Secret) String() string { return "[secret]" }

// GoString is String, for %#v.
func (s Secret) GoString() string { return s.String() }

const (
	// leastSecret is the length RFC 2865 section 3 prefers: 16 octets.
	leastSecret = 16
	maxSecret   = 4096 // octets of a file of secrets
)

func readSecrets(t *table, prefix netip.Prefix) Secrets {
	key, texts := t.secretTexts("secret", `name a file with the shared secret: secret_file = "vpn1.secret"`)
	if key == "" {
		return nil
	}
	var secrets Secrets
	for _, text := range texts {
		secrets = append(secrets, []byte(text))
	}
	t.checkSecrets(key, secrets, prefix)
	return secrets
}

// readPasswordOf reads the one password of a service account of ours. Nothing
// slows down who guesses it, so a short one is a fault.
func readPasswordOf(t *table) Secret {
	key, password := t.onePassword("password", `name a file with the password: password_file = "svc-mail.password"`)
	if n := utf8.RuneCount(password); n < leastSecret && key != "" && !t.r.faults.blames(t.name(key)) {
		t.fault(key, "has %d characters, which can be guessed; make another with: openssl rand -base64 24", n)
	}
	return password
}

// onePassword reads a password, and tells the key that it was read from; ""
// if there is none.
func (t *table) onePassword(inline, missing string) (key string, password Secret) {
	key, texts := t.secretTexts(inline, missing)
	switch {
	case key == "":
		return "", nil
	case len(texts) > 1:
		t.fault(key, "holds %d passwords; keep one, on one line", len(texts))
	case strings.TrimSpace(texts[0]) != texts[0]:
		t.fault(key, "begins or ends with a space; take it away")
	}
	return key, Secret(texts[0])
}

// secretTexts reads what stands in the configuration, or in the file that it
// names: one a line. It also returns the key that it was read from; "" if
// there is nothing that could be checked.
func (t *table) secretTexts(inline, missing string) (key string, texts []string) {
	named := inline + "_file"
	given, words, file := t.has(inline), t.words(inline), t.text(named, "")
	switch {
	case given && t.has(named):
		t.fault(inline, "stands beside %s; keep one of them, better the file", named)
		return "", nil
	case !given && !t.has(named):
		t.fault(named, "is missing; %s", missing)
		return "", nil
	case given:
		key = inline
		if t.r.open {
			t.warn(key, "others can read %s and this in it; run: chmod 0600 %s, or use %s", t.r.file, t.r.file, named)
		}
	default:
		key = named
		if !t.r.faults.blames(t.name(key)) {
			words = t.secretFile(key, file)
		}
	}
	texts = slices.DeleteFunc(words, func(text string) bool { return text == "" })
	switch {
	case t.r.faults.blames(t.name(key)):
		return "", nil
	case len(texts) == 0:
		t.fault(key, "holds no %s; make one with: openssl rand -base64 24", inline)
		return "", nil
	}
	return key, texts
}

// secretFile reads one secret a line.
func (t *table) secretFile(key, name string) []string {
	path := t.r.path(name)
	info, err := os.Stat(path)
	if name == "" {
		t.fault(key, "is empty; name a file with the secret in it")
		return nil
	}
	if !t.private(key, path, info, err, "make it with: (umask 077; openssl rand -base64 24 >"+path+")") {
		return nil
	}
	if info.Size() > maxSecret {
		t.fault(key, "%s is larger than %d octets; one secret a line", path, maxSecret)
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.fault(key, "can't be read: %v; let the user that runs sekisho read it", err)
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
