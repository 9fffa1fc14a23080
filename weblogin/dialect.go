package weblogin

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// The headers by which a proxy tells what it was asked for.
const (
	originalURL     = "X-Original-Url"
	originalMethod  = "X-Original-Method"
	forwardedProto  = "X-Forwarded-Proto"
	forwardedHost   = "X-Forwarded-Host"
	forwardedURI    = "X-Forwarded-Uri"
	forwardedMethod = "X-Forwarded-Method"
)

// dialect is how a proxy asks, and which answer makes it send the browser to
// the sign-in.
type dialect struct {
	read     func(http.Header) (target, error)
	redirect int
}

// dialectOf finds the dialect of the parameter d; the zero one if there is
// none. nginx passes on no redirect of an auth_request, only 401.
func dialectOf(d string) dialect {
	switch d {
	case "nginx", "haproxy":
		return dialect{readOriginal, http.StatusUnauthorized}
	case "caddy", "traefik":
		return dialect{readForwarded, http.StatusFound}
	}
	return dialect{}
}

// target is what a browser asked a proxy for.
type target struct {
	scheme, host string
	uri          string // path and query, as they were sent
	method       string
}

var (
	// errConflict: both sets of headers are there, and say different things.
	// Then one was written by the client, and nobody can tell which.
	errConflict = errors.New("the two sets of forwarding headers disagree")
	errURL      = errors.New(originalURL + " is no address with scheme, host and path")
)

// readOriginal reads X-Original-URL and X-Original-Method, nothing else.
func readOriginal(h http.Header) (t target, err error) {
	url, err := one(h, originalURL, nil)
	if t.method, err = one(h, originalMethod, err); err != nil {
		return target{}, err
	}
	var ok bool
	if t.scheme, url, ok = strings.Cut(url, "://"); !ok {
		return target{}, errURL
	}
	slash := strings.IndexByte(url, '/')
	if slash <= 0 {
		return target{}, errURL
	}
	t.host, t.uri = url[:slash], url[slash:]
	if !agrees(h, forwardedProto, t.scheme) || !agrees(h, forwardedHost, t.host) ||
		!agrees(h, forwardedURI, t.uri) || !agrees(h, forwardedMethod, t.method) {
		return target{}, errConflict
	}
	return t, nil
}

// readForwarded reads X-Forwarded-Proto, -Host, -Uri and -Method, nothing
// else.
func readForwarded(h http.Header) (t target, err error) {
	t.scheme, err = one(h, forwardedProto, nil)
	t.host, err = one(h, forwardedHost, err)
	t.uri, err = one(h, forwardedURI, err)
	if t.method, err = one(h, forwardedMethod, err); err != nil {
		return target{}, err
	}
	if !agrees(h, originalURL, t.scheme+"://"+t.host+t.uri) || !agrees(h, originalMethod, t.method) {
		return target{}, errConflict
	}
	return t, nil
}

// one reads a header that stands there exactly once, unless there is an error
// already.
func one(h http.Header, name string, before error) (string, error) {
	lines := h[name]
	switch {
	case before != nil:
		return "", before
	case len(lines) == 0 || lines[0] == "":
		return "", fmt.Errorf("the header %s is missing; the recipe of this proxy sets it", name)
	case len(lines) > 1:
		return "", errConflict
	}
	return lines[0], nil
}

// agrees reports whether every line of a header of the other set, if there is
// any, says the same.
func agrees(h http.Header, name, value string) bool {
	for _, line := range h[name] {
		if line != value && line != "" {
			return false
		}
	}
	return true
}

// navigates reports whether a person looks at the answer: only then is the
// browser sent anywhere. A script that is redirected gets a page where it
// wants data, and what was posted would be lost.
func (t target) navigates(h http.Header) bool {
	if t.method != http.MethodGet && t.method != http.MethodHead {
		return false
	}
	if mode := h["Sec-Fetch-Mode"]; len(mode) > 0 {
		return mode[0] == "navigate"
	}
	if len(h["X-Requested-With"]) > 0 {
		return false
	}
	for _, line := range h["Accept"] {
		if strings.Contains(line, "text/html") {
			return true
		}
	}
	return false
}
