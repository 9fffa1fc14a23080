package radiusd

import (
	"bytes"
	"path"
	"slices"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc6911"
)

// Attribute is something that an Access-Accept tells the client of a person:
// which group policy applies, which VLAN.
type Attribute struct {
	Name   string   // for people
	Number string   // the same for all its names: "11", "26.9.1", with a tag "64:1"
	Groups []string // patterns as in a rule: one of the person's groups has to match one; none: everybody

	// Only tells that the value stands alone: what came before it under this
	// number keeps it out, and it keeps out what comes after. Others add up.
	Only   bool
	Octets []byte // one or more attributes as on the wire, with type and length
}

// framed reports whether the octets are attributes, each with a value.
func (a *Attribute) framed() bool {
	list, err := radius.ParseAttributes(a.Octets)
	return err == nil && len(list) > 0 && !slices.ContainsFunc(list, func(avp *radius.AVP) bool { return len(avp.Attribute) == 0 })
}

// holds reports whether one of the attributes is of such a type.
func (a *Attribute) holds(such func(radius.Type) bool) bool {
	list, _ := radius.ParseAttributes(a.Octets)
	return slices.ContainsFunc(list, func(avp *radius.AVP) bool { return such(avp.Type) })
}

// own reports whether the server itself answers this client with such an
// attribute, or has to keep it out of its answers.
func (c *Client) own(typ radius.Type) bool {
	switch typ {
	case rfc2865.State_Type, rfc2865.SessionTimeout_Type, rfc2865.ProxyState_Type, rfc2869.MessageAuthenticator_Type:
		return true
	case rfc2869.AcctInterimInterval_Type:
		return c.Interim > 0
	case rfc2865.FramedIPAddress_Type, rfc6911.FramedIPv6Address_Type:
		return len(c.Pool) > 0
	}
	return false
}

// concerns reports whether it is for somebody of these groups.
func (a *Attribute) concerns(groups []string) bool {
	if len(a.Groups) == 0 {
		return true
	}
	for _, pattern := range a.Groups {
		for _, group := range groups {
			if ok, err := path.Match(pattern, group); ok && err == nil {
				return true
			}
		}
	}
	return false
}

// chosen are those that somebody of these groups gets, in their order.
func chosen(list []Attribute, groups []string) (some []*Attribute) {
	if len(list) == 0 {
		return nil
	}
	there := make(map[string]bool, len(list)) // whether it stands alone, by number
	for i := range list {
		a := &list[i]
		alone, before := there[a.Number]
		if !a.concerns(groups) || before && (alone || a.Only) {
			continue
		}
		there[a.Number] = a.Only
		some = append(some, a)
	}
	return some
}

// attributes adds those that somebody of these groups gets.
func (r *reply) attributes(list []Attribute, groups []string) {
	for _, a := range chosen(list, groups) {
		r.octets = append(r.octets, a.Octets...)
	}
}

func (a *Attribute) alike(b *Attribute) bool { return bytes.Equal(a.Octets, b.Octets) }

// takesAway reports whether somebody who had some attributes now lacks one: a
// number, or a value of those that add up. A CoA-Request can't tell that, it
// tells only what there is.
func takesAway(had, now []*Attribute) bool {
	return slices.ContainsFunc(had, func(h *Attribute) bool {
		return !slices.ContainsFunc(now, func(n *Attribute) bool {
			return n.Number == h.Number && (h.Only || n.alike(h))
		})
	})
}
