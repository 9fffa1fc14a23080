package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/policy"
)

// reader collects what is wrong while the tables are read.
type reader struct {
	file    string
	folder  string // absolute; where relative paths count from
	draft   bool   // the key file need not be there
	open    bool   // others may read the configuration
	now     time.Time
	lines   map[string]int
	sockets map[string]string // who listens at an address
	zones   []policy.Zone     // as written
	faults  Faults
}

func (r *reader) fault(key, format string, args ...any) {
	r.faults = append(r.faults, Fault{File: r.file, Line: r.line(key), Key: key, Text: fmt.Sprintf(format, args...)})
}

func (r *reader) warn(key, format string, args ...any) {
	r.faults = append(r.faults, Fault{File: r.file, Line: r.line(key), Key: key, Text: fmt.Sprintf(format, args...), Warning: true})
}

// line is where the key stands, else where the table stands that lacks it.
func (r *reader) line(key string) int {
	for key != "" {
		if line, ok := r.lines[key]; ok {
			return line
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return 1
}

// table is one table of the file. It remembers what has been asked for, so
// that close can tell which keys nobody knows.
type table struct {
	r      *reader
	key    string // full name; "" for the file as a whole
	values map[string]any
	known  []string
}

func (t *table) name(key string) string {
	if t.key == "" {
		return key
	}
	return t.key + "." + key
}

func (t *table) fault(key, format string, args ...any) { t.r.fault(t.name(key), format, args...) }
func (t *table) warn(key, format string, args ...any)  { t.r.warn(t.name(key), format, args...) }

// has says whether the key is there.
func (t *table) has(key string) bool {
	_, ok := t.values[key]
	return ok
}

func (t *table) value(key string) (any, bool) {
	t.known = append(t.known, key)
	v, ok := t.values[key]
	return v, ok
}

// value reads a key of one type; ok is false if it is absent or of another.
func value[T any](t *table, key, want string) (v T, ok bool) {
	given, ok := t.value(key)
	if !ok {
		return v, false
	}
	if v, ok = given.(T); !ok {
		t.fault(key, "is %s; write %s", kind(given), want)
	}
	return v, ok
}

// kind names the type of a value as its author would.
func kind(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case int64:
		return "a number"
	case float64:
		return "a fraction"
	case bool:
		return "true or false"
	case time.Time:
		return "a date"
	case map[string]any:
		return "a table"
	}
	return "a list"
}

func (t *table) text(key, def string) string {
	if v, ok := value[string](t, key, "text in quotes"); ok {
		return v
	}
	return def
}

// one reads a text that is one of a few.
func (t *table) one(key, def string, of ...string) string {
	v := t.text(key, def)
	if !slices.Contains(of, v) {
		t.fault(key, "%q is not known; write one of %s", v, strings.Join(of, ", "))
		return def
	}
	return v
}

func (t *table) flag(key string, def bool) bool {
	if v, ok := value[bool](t, key, "true or false"); ok {
		return v
	}
	return def
}

func (t *table) number(key string, def, low, high int) int {
	v, ok := value[int64](t, key, "a whole number")
	if !ok {
		return def
	}
	if v < int64(low) || v > int64(high) {
		t.fault(key, "%d is out of bounds; choose between %d and %d", v, low, high)
		return def
	}
	return int(v)
}

func (t *table) time(key string, def time.Duration) time.Duration {
	text, ok := value[string](t, key, `a time in quotes, such as "10h" or "30s"`)
	if !ok {
		return def
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		t.fault(key, `%q is not a time; write it like "10h", "30m" or "1m30s"`, text)
		return def
	case d < 0:
		t.fault(key, `%q is negative; write it like "10h"`, text)
		return def
	}
	return d
}

// size reads a number of octets.
func (t *table) size(key string, def int64) int64 {
	text, ok := value[string](t, key, `a size in quotes, such as "64MiB"`)
	if !ok {
		return def
	}
	units := []struct {
		name   string
		octets int64
	}{
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
		{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9},
	}
	for _, unit := range units {
		digits, ok := strings.CutSuffix(text, unit.name)
		if !ok {
			continue
		}
		if n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64); err == nil && n >= 0 && n <= (1<<50)/unit.octets {
			return n * unit.octets
		}
	}
	t.fault(key, `%q is not a size; write it like "64MiB" or "200MB"`, text)
	return def
}

// entry is one text of a list, with the full name it goes by.
type entry struct{ key, text string }

// texts reads a list of texts; a single text is a list of one.
func (t *table) texts(key string) []entry {
	given, ok := t.value(key)
	if !ok {
		return nil
	}
	switch v := given.(type) {
	case string:
		return []entry{{t.name(key) + "[0]", v}}
	case []any:
		var list []entry
		for i, item := range v {
			name := fmt.Sprintf("%s[%d]", t.name(key), i)
			text, ok := item.(string)
			if !ok {
				t.r.fault(name, "is %s; write text in quotes", kind(item))
				continue
			}
			list = append(list, entry{name, text})
		}
		return list
	}
	t.fault(key, "is %s; write a list of texts in quotes", kind(given))
	return nil
}

// words is texts without their names.
func (t *table) words(key string) []string {
	var list []string
	for _, e := range t.texts(key) {
		list = append(list, e.text)
	}
	return list
}

// table reads a table; one that is absent is empty.
func (t *table) table(key string) *table {
	v, _ := value[map[string]any](t, key, "a table: ["+t.name(key)+"]")
	return &table{r: t.r, key: t.name(key), values: v}
}

// tables reads a list of tables.
func (t *table) tables(key string) []*table {
	given, ok := t.value(key)
	if !ok {
		return nil
	}
	var list []*table
	add := func(values map[string]any) {
		list = append(list, &table{r: t.r, key: fmt.Sprintf("%s[%d]", t.name(key), len(list)), values: values})
	}
	switch v := given.(type) {
	case []map[string]any:
		for _, values := range v {
			add(values)
		}
		return list
	case []any:
		for _, item := range v {
			if values, ok := item.(map[string]any); ok {
				add(values)
			}
		}
		if len(list) == len(v) {
			return list
		}
	}
	t.fault(key, "is %s; write each in a table of its own: [[%s]]", kind(given), t.name(key))
	return nil
}

// close blames every key that nobody asked for.
func (t *table) close() {
	for _, key := range slices.Sorted(maps.Keys(t.values)) {
		if slices.Contains(t.known, key) {
			continue
		}
		if near := nearest(key, t.known); near != "" {
			t.fault(key, "is not known; did you mean %q?", near)
		} else {
			t.fault(key, "is not known here; take it out")
		}
	}
}
