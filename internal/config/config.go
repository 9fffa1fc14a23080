// Package config reads config.toml and hands out plain, checked values.
//
// One file, told: [Load] reads the text, BurntSushi/toml takes it apart, and
// each section is then read key by key, in the file of its name. A key that is
// absent takes its default; a value of the wrong type or out of bounds becomes
// a [Fault], and so does a key that nobody asked for. What a key names (a
// zone, a service, a file of secrets) is looked up. At the end the rules go to
// package policy, which has faults of its own to add. Either everything is
// sound and the caller gets a [Config], or it gets all the faults at once, each
// with its line in the file, its full name and what to do. What is sound but
// unwise is kept in Config.Warnings.
package config

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"sekisho/policy"
)

// Config is a configuration in which everything has been checked and every
// default filled in.
type Config struct {
	File string // as given to Load

	Site      Site
	Store     Store
	Directory Directory
	Rules     []policy.Rule // as written; Policy has the defaults filled in
	Radius    Radius
	LDAP      LDAP
	Web       Web
	Throttle  Throttle
	Password  Password
	OTP       OTP
	Log       Log
	Metrics   Metrics
	Process   Process

	Warnings Faults // sound, but unwise

	zones  *policy.Zones
	policy *policy.Policy
}

// Policy returns the rules, checked against the zones and services.
func (c *Config) Policy() *policy.Policy { return c.policy }

// Zones returns the zones.
func (c *Config) Zones() *policy.Zones { return c.zones }

// maxFile bounds the file; one of a thousand clients is a tenth of it.
const maxFile = 1 << 20

// Load reads the file and every file of secrets it names; their paths count
// from the folder of the configuration. The error is of type [Faults] where
// the text is at fault, else it says why the file can't be read.
func Load(path string) (*Config, error) { return load(path, false) }

// Draft is Load for whoever is about to make the key file: that it is not
// there yet is no fault.
func Draft(path string) (*Config, error) { return load(path, true) }

func load(path string, draft bool) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("read configuration: %s is larger than 1 MiB", path)
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	r := &reader{
		file: path, folder: folder, draft: draft, now: time.Now(),
		open: info.Mode().Perm()&0o077 != 0,
	}
	return r.read(string(text))
}

// read turns the text into a Config.
func (r *reader) read(text string) (*Config, error) {
	values := map[string]any{}
	if _, err := toml.Decode(text, &values); err != nil {
		return nil, r.syntax(err)
	}
	r.lines, r.sockets = scan(text), map[string]string{}
	root := &table{r: r, values: values}
	c := &Config{File: r.file}
	c.Site = readSite(root.table("site"))
	c.Store = readStore(root.table("store"))
	c.Directory = readDirectory(root.table("directory"))
	zones := readZones(root.table("zone"))
	c.Radius = readRadius(root.table("radius"), zones)
	c.LDAP = readLDAP(root.table("ldap"), zones, c.Directory)
	c.Web = readWeb(root.table("web"), zones)
	c.Rules = readRules(root.tables("rule"))
	c.Throttle = readThrottle(root.table("throttle"))
	c.Password = readPassword(root.table("password"))
	c.OTP = readOTP(root.table("otp"), c.Site.Name)
	c.Log = readLog(root.table("log"))
	c.Metrics = readMetrics(root.table("metrics"))
	c.Process = readProcess(root.table("process"))
	root.close()

	c.zones = zones
	r.judge(c)
	c.Password.settle(r, c.policy)
	r.faults.sort()
	if r.faults.serious() {
		// Warnings may only follow from a fault, so they wait.
		isWarning := func(f Fault) bool { return f.Warning }
		return nil, slices.DeleteFunc(r.faults, isWarning)
	}
	c.Warnings = r.faults
	return c, nil
}

// quoted is what the parser repeats of the text. It may be a piece of a secret
// that lacks its quotes.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|^[-+.\d]\S*`)

// syntax tells where the text stops being TOML; nothing after it is known.
func (r *reader) syntax(err error) Faults {
	fault := Fault{File: r.file, Line: 1, Text: err.Error()}
	var parse toml.ParseError
	if errors.As(err, &parse) {
		fault.Line = max(parse.Position.Line, 1)
		if fault.Text = parse.Message; fault.Text == "" {
			fault.Text = strings.TrimPrefix(parse.Error(), "toml: ")
		}
	}
	fault.Text = quoted.ReplaceAllString(fault.Text, "…")
	fault.Text += "; mend this line, the rest has not been read"
	return Faults{fault}
}

// prefixes reads a list of addresses and prefixes. One that can't be read is
// the zero Prefix, so that the others keep their places.
func (t *table) prefixes(key string) []netip.Prefix {
	var list []netip.Prefix
	for _, e := range t.texts(key) {
		prefix, err := policy.ParsePrefix(e.text)
		if err != nil {
			t.r.fault(e.key, "%v", err)
		}
		list = append(list, prefix)
	}
	return list
}

// between keeps a time within bounds that make sense for it.
func (t *table) between(key string, def, low, high time.Duration) time.Duration {
	d := t.time(key, def)
	if d < low || d > high {
		t.fault(key, "%v is out of bounds; choose between %v and %v", d, low, high)
		return def
	}
	return d
}
