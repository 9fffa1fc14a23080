package dictionary

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

const (
	maxTag         = 0x1f // RFC 2868 section 3.1
	maxValue       = 253  // octets in an attribute (RFC 2865 section 5)
	vendorHeader   = 6    // vendor, type and length before a vendor's value
	vendorSpecific = 26
)

// Octets is the attribute with this value as it stands in a packet. The error
// says what is wrong with the value and what to write.
func (a Attribute) Octets(text string) ([]byte, error) {
	value, err := kinds[a.kind](a, text)
	if err != nil {
		return nil, err
	}
	if a.size > 0 && len(value) != a.size {
		return nil, fmt.Errorf("has %d octets; write %d", len(value), a.size)
	}
	if a.tagged {
		if value, err = a.tagging(value); err != nil {
			return nil, err
		}
	}
	room := maxValue
	if a.vendor != nil {
		room -= vendorHeader
	}
	switch {
	case len(value) == 0:
		return nil, errors.New("is empty; give it a value, or take it out")
	case len(value) > room:
		return nil, fmt.Errorf("has %d octets, %d fit in; shorten it", len(value), room)
	}
	if a.vendor == nil {
		return append([]byte{byte(a.number), byte(2 + len(value))}, value...), nil
	}
	octets := []byte{vendorSpecific, byte(2 + vendorHeader + len(value))}
	octets = binary.BigEndian.AppendUint32(octets, a.vendor.number)
	octets = append(octets, byte(a.number), byte(2+len(value)))
	return append(octets, value...), nil
}

// tagging puts the tag where RFC 2868 section 3 wants it: instead of a
// number's first octet, before a text.
func (a Attribute) tagging(value []byte) ([]byte, error) {
	switch {
	case a.kind == "integer" && value[0] != 0:
		return nil, fmt.Errorf("is too large beside a tag; write at most %d", 1<<24-1)
	case a.kind == "integer":
		value[0] = a.tag
	case a.tag != 0:
		value = append([]byte{a.tag}, value...)
	case len(value) > 0 && value[0] <= maxTag:
		return nil, errors.New("begins with what would be read as a tag; write a text")
	}
	return value, nil
}

// kinds are the types of value that can be written (RFC 8044).
var kinds = map[string]func(Attribute, string) ([]byte, error){
	"string":     Attribute.text,
	"octets":     Attribute.octets,
	"byte":       func(a Attribute, text string) ([]byte, error) { return a.unsigned(text, 1) },
	"short":      func(a Attribute, text string) ([]byte, error) { return a.unsigned(text, 2) },
	"integer":    func(a Attribute, text string) ([]byte, error) { return a.unsigned(text, 4) },
	"integer64":  func(a Attribute, text string) ([]byte, error) { return a.unsigned(text, 8) },
	"signed":     Attribute.signed,
	"date":       Attribute.date,
	"ipaddr":     Attribute.ipv4,
	"ipv6addr":   Attribute.ipv6,
	"ipv4prefix": Attribute.ipv4Prefix,
	"ipv6prefix": Attribute.ipv6Prefix,
	"ether":      Attribute.ether,
}

func (Attribute) text(text string) ([]byte, error) {
	if strings.ContainsRune(text, 0) {
		return nil, errors.New("holds a NUL, where some clients stop reading; take it out")
	}
	return []byte(text), nil
}

func (Attribute) octets(text string) ([]byte, error) {
	digits, ok := strings.CutPrefix(text, "0x")
	if !ok {
		return []byte(text), nil
	}
	value, err := hex.DecodeString(digits)
	if err != nil {
		return nil, fmt.Errorf(`%q is not hexadecimal; write it like "0x0a1b", or without 0x as a text`, text)
	}
	return value, nil
}

// unsigned writes a number, or the name of one, in so many octets.
func (a Attribute) unsigned(text string, octets int) ([]byte, error) {
	named, ok := a.values[strings.ToLower(text)]
	n := named.number
	if !ok {
		var err error
		if n, err = number(text, 64); err != nil {
			return nil, fmt.Errorf("%q is not a whole number%s", text, a.names())
		}
	}
	if most := uint64(math.MaxUint64) >> (64 - 8*octets); n > most {
		return nil, fmt.Errorf("%q is too large; write at most %d", text, most)
	}
	return binary.BigEndian.AppendUint64(nil, n)[8-octets:], nil
}

func (Attribute) signed(text string) ([]byte, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("%q is not a whole number of 32 bits; write one", text)
	}
	return binary.BigEndian.AppendUint32(nil, uint32(n)), nil
}

func (a Attribute) date(text string) ([]byte, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		if _, err := number(text, 32); err != nil {
			return nil, fmt.Errorf(`%q is not a time; write it like "2027-03-31T23:59:59+09:00"`, text)
		}
		return a.unsigned(text, 4)
	}
	if seconds := at.Unix(); seconds >= 0 && seconds <= math.MaxUint32 {
		return binary.BigEndian.AppendUint32(nil, uint32(seconds)), nil
	}
	return nil, fmt.Errorf("%q is out of bounds; write a time between 1970 and 2106", text)
}

func (Attribute) ipv4(text string) ([]byte, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil || !addr.Is4() {
		return nil, fmt.Errorf(`%q is not an IPv4 address; write it like "192.0.2.1"`, text)
	}
	return addr.AsSlice(), nil
}

func (Attribute) ipv6(text string) ([]byte, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil || !addr.Is6() || addr.Zone() != "" {
		return nil, fmt.Errorf(`%q is not an IPv6 address; write it like "2001:db8::1"`, text)
	}
	return addr.AsSlice(), nil
}

func (Attribute) ipv4Prefix(text string) ([]byte, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil || !prefix.Addr().Is4() || prefix != prefix.Masked() {
		return nil, fmt.Errorf(`%q is not an IPv4 prefix; write it like "192.0.2.0/24"`, text)
	}
	return append([]byte{0, byte(prefix.Bits())}, prefix.Addr().AsSlice()...), nil
}

func (Attribute) ipv6Prefix(text string) ([]byte, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil || !prefix.Addr().Is6() || prefix != prefix.Masked() {
		return nil, fmt.Errorf(`%q is not an IPv6 prefix; write it like "2001:db8::/64"`, text)
	}
	return append([]byte{0, byte(prefix.Bits())}, prefix.Addr().AsSlice()...), nil
}

func (Attribute) ether(text string) ([]byte, error) {
	mac, err := net.ParseMAC(text)
	if err != nil || len(mac) != 6 {
		return nil, fmt.Errorf(`%q is not a MAC address; write it like "02:00:5e:10:00:00"`, text)
	}
	return mac, nil
}
