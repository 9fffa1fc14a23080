// Package dictionary knows RADIUS attributes by their names, and writes their
// values as they go over the wire.
//
// A few hundred names are built in: those of the RFCs, and what the common
// vendors take from an Access-Accept. More are read from files in the format
// of FreeRADIUS 3 (dictionary(5)). What this package can't write, such as an
// extended type (RFC 6929) or an encrypted value, may stand in a file all the
// same: only who asks for it by [Dictionary.Find] is told.
package dictionary

import (
	"embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Dictionary is a set of attributes. It is made by [New].
type Dictionary struct {
	attributes map[string]*definition // by name; all names in lower case
	vendors    map[string]*vendor
	values     map[string]map[string]value // by attribute and name
}

// vendor is who has numbers of its own (RFC 2865 section 5.26).
type vendor struct {
	name   string
	number uint32
	format string // octets of type and length; "1,1" is what the RFC recommends
}

// value is a number that has a name.
type value struct {
	name   string
	number uint64
}

// definition is what a dictionary says of one attribute.
type definition struct {
	name      string
	vendor    *vendor // nil: of the RFCs
	number    int
	kind      string // the type of its value, in lower case
	size      int    // octets of its value; 0: any
	tagged    bool
	encrypted bool
	cannot    string // why it can't be sent; "": it can
	fixed     bool   // of an RFC, and built in
}

//go:embed dictionary.rfc dictionary.vendors
var builtIn embed.FS

// New returns what is built in.
func New() *Dictionary {
	d := &Dictionary{
		attributes: map[string]*definition{},
		vendors:    map[string]*vendor{},
		values:     map[string]map[string]value{},
	}
	r := reading{dictionary: d, open: builtIn.Open, read: map[string]bool{}}
	for _, name := range []string{"dictionary.rfc", "dictionary.vendors"} {
		if err := r.file(name); err != nil {
			panic(err) // it is part of the program
		}
	}
	for _, a := range d.attributes {
		a.fixed = a.vendor == nil
	}
	return d
}

// ErrUnknown is the error of Find for a name that no dictionary has.
var ErrUnknown = errors.New("is in no dictionary")

// Names lists the attributes, sorted.
func (d *Dictionary) Names() []string {
	var names []string
	for _, a := range d.attributes {
		names = append(names, a.name)
	}
	slices.Sort(names)
	return names
}

// Attribute is an attribute whose values can be written.
type Attribute struct {
	Name   string // as the dictionary spells it, with its tag: Tunnel-Type:1
	Number string // the same for all its names: "11", of a vendor "26.9.1", with a tag "64:1"

	*definition
	tag    byte // 0: none
	values map[string]value
}

// Find returns the attribute of a name. Upper and lower case are the same, as
// they are to FreeRADIUS. A tag (RFC 2868 section 3.1) stands behind a colon.
// The error is [ErrUnknown], or says why the attribute can't be sent and what
// to do.
func (d *Dictionary) Find(name string) (Attribute, error) {
	plain, tag, tagged := strings.Cut(name, ":")
	found, ok := d.attributes[strings.ToLower(plain)]
	if !ok {
		return Attribute{}, ErrUnknown
	}
	a := Attribute{Name: found.name, Number: strconv.Itoa(found.number), definition: found, values: d.values[strings.ToLower(plain)]}
	if v := found.vendor; v != nil {
		a.Number = fmt.Sprintf("26.%d.%d", v.number, found.number)
	}
	switch v := found.vendor; {
	case v != nil && v.format != "1,1":
		return Attribute{}, fmt.Errorf("is of a vendor whose format, %s, is not supported; take it out", v.format)
	case found.cannot != "":
		return Attribute{}, fmt.Errorf("%s; take it out", found.cannot)
	case found.encrypted:
		return Attribute{}, errors.New("has an encrypted value, which is not supported; take it out")
	case found.number > 255, found.number == 0 && found.vendor == nil:
		return Attribute{}, fmt.Errorf("has the number %d, which no packet has room for; take it out", found.number)
	case tagged && !found.tagged:
		return Attribute{}, fmt.Errorf("takes no tag; write %s", found.name)
	case tagged:
		n, err := strconv.ParseUint(tag, 10, 8)
		if err != nil || n < 1 || n > maxTag {
			return Attribute{}, fmt.Errorf("has no tag between 1 and %d; write %s:1", maxTag, found.name)
		}
		a.tag = byte(n)
		a.Name, a.Number = fmt.Sprintf("%s:%d", found.name, n), fmt.Sprintf("%s:%d", a.Number, n)
	}
	if _, ok := kinds[found.kind]; !ok {
		return Attribute{}, fmt.Errorf("is of the type %s, which is not supported; take it out", found.kind)
	}
	return a, nil
}

// names tells what else than a number may be written.
func (a Attribute) names() string {
	var names []string
	for _, v := range a.values {
		names = append(names, v.name)
	}
	slices.Sort(names)
	if len(names) == 0 || len(names) > 20 {
		return "; write one"
	}
	return "; write one, or one of " + strings.Join(names, ", ")
}
