package weblogin

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// start is where a service begins, as browsers reach it.
func (v *Service) start() string { return v.URL.Scheme + "://" + v.URL.Host + v.prefix() }

// origin is the service's scheme and host.
func (v *Service) origin() string { return v.URL.Scheme + "://" + v.URL.Host }

// prefix is the path that the service begins with; never empty.
func (v *Service) prefix() string {
	if p := v.URL.EscapedPath(); p != "" {
		return p
	}
	return "/"
}

// byHost finds the service of a Host header. Cookies know no ports and no
// paths, so a host has one service.
func (s *Server) byHost(host string) *Service {
	for i := range s.Services {
		if v := &s.Services[i]; sameHost(v.URL, host) {
			return v
		}
	}
	return nil
}

// byName finds the service that the rules call so.
func (s *Server) byName(name string) *Service {
	for i := range s.Services {
		if s.Services[i].Name == name {
			return &s.Services[i]
		}
	}
	return nil
}

// match finds the service that an address belongs to: by scheme, host and
// the start of the path; nil if there is none.
func (s *Server) match(t target) *Service {
	v := s.byHost(t.host)
	if v == nil || !strings.EqualFold(t.scheme, v.URL.Scheme) || !v.holds(t.uri) {
		return nil
	}
	return v
}

// sameHost compares a Host header with the host of a URL: case and the
// scheme's own port make no difference. What is no plain host equals none.
func sameHost(u *url.URL, host string) bool {
	return strings.EqualFold(withoutPort(host, u.Scheme), withoutPort(u.Host, u.Scheme))
}

func withoutPort(host, scheme string) string {
	switch scheme {
	case "https":
		return strings.TrimSuffix(host, ":443")
	case "http":
		return strings.TrimSuffix(host, ":80")
	}
	return host
}

// holds reports whether the path of uri, which may have a query, lies within
// the service. The proxy, the service and we may read a path differently, so
// it has to lie within by every reading: as it stands, with dot segments taken
// out, and both again with each level of percent-encoding taken off.
func (v *Service) holds(uri string) bool {
	p, _, _ := strings.Cut(uri, "?")
	if !strings.HasPrefix(p, "/") || strings.ContainsFunc(p, isControl) {
		return false
	}
	prefix := strings.TrimSuffix(v.prefix(), "/")
	if prefix == "" {
		return true
	}
	if !strings.ContainsAny(p, `%\;`) && !strings.Contains(p, "/.") && !strings.Contains(p, "//") {
		return under(prefix, p)
	}
	all := readings(p)
	return all != nil && !slices.ContainsFunc(all, func(p string) bool { return !under(prefix, p) })
}

// ours reports whether somebody could read uri as an address below /.sekisho/.
func ours(uri string) bool {
	p, _, _ := strings.Cut(uri, "?")
	all := readings(p)
	return all == nil || slices.ContainsFunc(all, func(p string) bool { return under("/.sekisho", p) })
}

// readings are the ways to read a path; nil if there are too many.
func readings(p string) (all []string) {
	for range maxDecodings {
		all = append(all, p, clean(p))
		decoded := decode(p)
		if decoded == p {
			return all
		}
		p = decoded
	}
	return nil
}

// maxDecodings is how often an address may be percent-encoded over.
const maxDecodings = 4

// under reports whether p is the prefix, or goes on from it at a slash.
func under(prefix, p string) bool {
	rest, ok := strings.CutPrefix(p, prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// clean takes out dot segments and doubled slashes. A backslash is a slash to
// some, and what follows a semicolon is no part of the segment to others.
func clean(p string) string {
	segments := strings.Split(strings.ReplaceAll(p, `\`, "/"), "/")
	for i, segment := range segments {
		name, _, _ := strings.Cut(segment, ";")
		if name == "." || name == ".." {
			segments[i] = name
		}
	}
	return path.Clean(strings.Join(segments, "/"))
}

// decode takes one level of percent-encoding off and leaves a percent sign
// alone that stands for itself, as lenient readers do.
func decode(p string) string {
	parts := strings.Split(p, "%")
	for i, part := range parts[1:] {
		if len(part) >= 2 {
			if octet, err := strconv.ParseUint(part[:2], 16, 8); err == nil {
				parts[i+1] = string([]byte{byte(octet)}) + part[2:]
				continue
			}
		}
		parts[i+1] = "%" + part
	}
	return strings.Join(parts, "")
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
