package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// add makes an account with everybody's password.
func (s *site) add(names ...string) {
	s.t.Helper()
	for _, name := range names {
		s.feed(password+"\n", "account", "add", name, "--password-stdin")
	}
}

// device is a code device in somebody's hand.
type device struct {
	t      *testing.T
	Secret string `json:"secret"`

	algorithm string // "": SHA1
	digits    int    // 0: 6
}

// enrol makes an account with a code device.
func (s *site) enrol(name string, flags ...string) *device {
	s.t.Helper()
	s.add(name)
	return s.device(name, flags...)
}

func (s *site) device(name string, flags ...string) *device {
	s.t.Helper()
	d := &device{t: s.t}
	line := s.run(append([]string{"otp", "enrol", name, "--json"}, flags...)...)
	if err := json.Unmarshal([]byte(line), d); err != nil {
		s.t.Fatalf("otp enrol --json: %v\n%s", err, line)
	}
	return d
}

// code is what the device shows now.
func (d *device) code() string {
	d.t.Helper()
	return d.codeAt(time.Now())
}

func (d *device) codeAt(at time.Time) string {
	d.t.Helper()
	return d.oathtool("--totp="+cmp.Or(d.algorithm, "SHA1"), "--now", at.UTC().Format("2006-01-02 15:04:05 UTC"))
}

// press is what a device with a button shows after so many presses.
func (d *device) press(n int) string {
	d.t.Helper()
	return d.oathtool("--hotp", "--counter", fmt.Sprint(n))
}

func (d *device) oathtool(args ...string) string {
	d.t.Helper()
	need(d.t, "oathtool")
	args = append(args, "--digits", fmt.Sprint(cmp.Or(d.digits, 6)), "--base32", d.Secret)
	a := execute(d.t, "", "oathtool", args...)
	if a.code != 0 {
		d.t.Fatalf("oathtool %v: %s", args, a.err)
	}
	return strings.TrimSpace(a.out)
}
