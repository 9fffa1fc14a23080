package dictionary

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Fault is a line of a dictionary file that can't be read. Its file has not
// been read beyond it.
type Fault struct {
	File string // its name in the folder
	Line int    // counted from 1; 0: the file as a whole
	Text string // what is wrong; what to do
}

func (f *Fault) Error() string {
	if f.Line == 0 {
		return fmt.Sprintf("%s: %s", f.File, f.Text)
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text)
}

const (
	mainFile   = "dictionary" // which names the others by $INCLUDE
	maxFile    = 1 << 20      // octets; the largest of FreeRADIUS has a tenth
	maxInclude = 8            // files within files
)

// Add reads the files of a folder: the one called dictionary, as FreeRADIUS
// does, else all in the order of their names, except hidden ones and those an
// editor left (name~). A vendor's attribute that is there already is replaced;
// one of an RFC keeps its number. The errors are of type [*Fault], at most one
// a file, unless the folder itself can't be read.
func (d *Dictionary) Add(folder string) []error {
	root, err := os.OpenRoot(folder) // no $INCLUDE or link leads out of it
	if err != nil {
		return []error{err}
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return []error{err}
	}
	r := reading{dictionary: d, open: root.FS().Open, read: map[string]bool{}}
	var names []string
	for _, e := range entries {
		kind := e.Type()
		switch name := e.Name(); {
		case !kind.IsRegular() && kind != fs.ModeSymlink: // opening a pipe might never end
		case name == mainFile:
			if fault := r.file(name); fault != nil {
				return []error{fault}
			}
			return nil
		case !strings.HasPrefix(name, ".") && !strings.HasSuffix(name, "~"):
			names = append(names, name)
		}
	}
	var faults []error
	for _, name := range names {
		if fault := r.file(name); fault != nil {
			faults = append(faults, fault)
		}
	}
	return faults
}

// reading is what is known while files are read.
type reading struct {
	dictionary *Dictionary
	open       func(string) (fs.File, error)
	read       map[string]bool // by name: a file that two include counts once
	depth      int
}

// scope is where in a file a line stands.
type scope struct {
	vendor *vendor
	nested int    // how many TLVs it is in
	cannot string // why nothing in it can be sent
}

// file reads one file, and what it includes.
func (r *reading) file(name string) error {
	if r.read[name] {
		return nil
	}
	r.read[name] = true
	text, err := r.text(name)
	if err != nil {
		return &Fault{File: name, Text: err.Error()}
	}
	line, in := 0, scope{}
	for row := range strings.Lines(text) {
		line++
		if err := r.line(name, fields(row), &in); err != nil {
			if other := (*Fault)(nil); errors.As(err, &other) {
				return other // of a file that this one includes
			}
			return &Fault{File: name, Line: line, Text: err.Error()}
		}
	}
	if in.vendor != nil || in.nested > 0 {
		return &Fault{File: name, Line: max(line, 1), Text: "ends within a block; add its END-VENDOR or END-TLV"}
	}
	return nil
}

func (r *reading) text(name string) (string, error) {
	f, err := r.open(name)
	if err != nil {
		return "", fmt.Errorf("can't be opened: %v; take out what names it", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("can't be read: %v; mend or remove it", err)
	case len(text) > maxFile:
		return "", fmt.Errorf("is larger than %d octets; no dictionary is, take it out of the folder", maxFile)
	}
	return string(text), nil
}

// fields are the words of a line up to a comment. A # within a word is part
// of it.
func fields(line string) []string {
	words := strings.Fields(line)
	for i, word := range words {
		if strings.HasPrefix(word, "#") {
			return words[:i]
		}
	}
	return words
}

// keywords are those whose line may be told to be faulty.
var keywords = []string{"ATTRIBUTE", "VALUE", "VENDOR", "BEGIN-VENDOR", "END-VENDOR", "BEGIN-TLV", "END-TLV", "$INCLUDE"}

// line takes one line of a file, in words.
func (r *reading) line(file string, words []string, in *scope) error {
	d, n := r.dictionary, len(words)
	if n == 0 {
		return nil
	}
	switch keyword := strings.ToUpper(words[0]); {
	case keyword == "ATTRIBUTE" && (n == 4 || n == 5):
		return d.define(words[1:], in)
	case keyword == "VALUE" && n == 4:
		return d.name(words[1], words[2], words[3])
	case keyword == "VENDOR" && (n == 3 || n == 4):
		return d.meet(words[1:])
	case keyword == "BEGIN-VENDOR" && (n == 2 || n == 3) && in.vendor == nil:
		v, ok := d.vendors[strings.ToLower(words[1])]
		if !ok {
			return fmt.Errorf("%q is no VENDOR yet; name it first", words[1])
		}
		in.vendor = v
		if n == 3 {
			in.cannot = "is of an extended type, which is not supported"
		}
	case keyword == "END-VENDOR" && n == 2 && in.vendor != nil && strings.EqualFold(words[1], in.vendor.name):
		in.vendor, in.cannot = nil, ""
	case keyword == "BEGIN-TLV" && n == 2:
		in.nested++
	case keyword == "END-TLV" && n == 2 && in.nested > 0:
		in.nested--
	case keyword == "FLAGS":
	case keyword == "$INCLUDE" && n == 2 && in.vendor == nil:
		if r.depth == maxInclude {
			return errors.New("too many files include each other; take this one out")
		}
		r.depth++
		defer func() { r.depth-- }()
		err := r.file(path.Join(path.Dir(file), words[1]))
		if fault := (*Fault)(nil); errors.As(err, &fault) && fault.Line == 0 {
			return fmt.Errorf("%s %s", fault.File, fault.Text) // this line is what named it
		}
		return err
	case slices.Contains(keywords, keyword):
		return fmt.Errorf("%s can't be read here; write it as dictionary(5) of FreeRADIUS 3 does", keyword)
	default: // and not repeated: it may be any file, even one of secrets
		return errors.New("is no line of a dictionary; take it out, or the file out of the folder")
	}
	return nil
}

// define takes NAME NUMBER TYPE [FLAGS].
func (d *Dictionary) define(words []string, in *scope) error {
	a := &definition{name: words[0], vendor: in.vendor, kind: strings.ToLower(words[2]), cannot: in.cannot}
	n, err := number(words[1], 32)
	switch {
	case err == nil:
		a.number = int(n)
	case dotted(words[1]):
		a.cannot = "is part of another attribute, which is not supported"
	default:
		return fmt.Errorf("%q is not the number of an attribute; write it like 11", words[1])
	}
	if in.nested > 0 {
		a.cannot = "is part of another attribute, which is not supported"
	}
	if kind, size, ok := strings.Cut(a.kind, "["); ok {
		n, err := strconv.Atoi(strings.TrimSuffix(size, "]"))
		if err != nil || n < 1 || !strings.HasSuffix(size, "]") {
			return fmt.Errorf("%q is no type; write it like octets[16]", words[2])
		}
		a.kind, a.size = kind, n
	}
	if len(words) == 4 {
		for flag := range strings.SplitSeq(words[3], ",") {
			switch {
			case flag == "has_tag":
				a.tagged = true
			case strings.HasPrefix(flag, "encrypt="):
				a.encrypted = true
			case flag == "array", flag == "concat", flag == "secret": // nothing that a value shows
			case d.vendors[strings.ToLower(flag)] != nil: // as it was written before there was BEGIN-VENDOR
				a.vendor = d.vendors[strings.ToLower(flag)]
			default:
				a.cannot = fmt.Sprintf("has the flag %s, which is not supported", flag)
			}
		}
	}
	key := strings.ToLower(a.name)
	if old := d.attributes[key]; old != nil && old.fixed {
		if a.vendor != nil || a.number != old.number || a.cannot != "" {
			return fmt.Errorf("%s is attribute %d by its RFC; give this one another name", old.name, old.number)
		}
		return nil
	}
	d.attributes[key] = a
	return nil
}

// dotted says whether an attribute's number tells which it is part of: 241.1.
func dotted(number string) bool {
	return strings.Contains(number, ".") && strings.Trim(number, "0123456789.") == ""
}

// name takes ATTRIBUTE NAME NUMBER. The attribute may be defined later.
func (d *Dictionary) name(attribute, name, text string) error {
	n, err := number(text, 64)
	if err != nil {
		return fmt.Errorf("%q is not a number; write it like 2", text)
	}
	key := strings.ToLower(attribute)
	if d.values[key] == nil {
		d.values[key] = map[string]value{}
	}
	d.values[key][strings.ToLower(name)] = value{name, n}
	return nil
}

// number reads a number as dictionaries have it: 0 before it means nothing.
func number(text string, bits int) (uint64, error) {
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		return strconv.ParseUint(digits, 16, bits)
	}
	return strconv.ParseUint(text, 10, bits)
}

// meet takes NAME NUMBER [format=TYPE,LENGTH].
func (d *Dictionary) meet(words []string) error {
	n, err := number(words[1], 24) // the first of its four octets is 0
	if err != nil {
		return fmt.Errorf("%q is not the number of a vendor; write it like 9", words[1])
	}
	v := &vendor{name: words[0], number: uint32(n), format: "1,1"}
	if len(words) == 3 {
		format, ok := strings.CutPrefix(words[2], "format=")
		if !ok {
			return fmt.Errorf("%q is no format; write it like format=1,1", words[2])
		}
		v.format = format
	}
	d.vendors[strings.ToLower(v.name)] = v
	return nil
}
