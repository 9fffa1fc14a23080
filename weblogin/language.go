package weblogin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// language picks the one of the site's that suits the person best: chosen on
// a page just now or earlier, asked for by the service (ui_locales), or by
// the browser; else the site's first.
func (s *Server) language(r *http.Request, b browser) string {
	asked := r.URL.Query()
	for _, chosen := range []string{asked.Get("lang"), b.language} {
		if i := slices.Index(s.Site.Languages, chosen); i >= 0 {
			return s.Site.Languages[i] // not the request's, which would be kept whole
		}
	}
	for _, list := range []string{strings.ReplaceAll(asked.Get("ui_locales"), " ", ","), r.Header.Get("Accept-Language")} {
		wanted, _, err := language.ParseAcceptLanguage(first(list, maxLanguages))
		if err != nil || len(wanted) == 0 {
			continue
		}
		if _, i, confidence := s.matcher.Match(wanted...); confidence != language.No {
			return s.Site.Languages[i]
		}
	}
	return s.Site.Languages[0]
}

// maxLanguages is how many octets of a wish for languages are looked at: each
// takes work, and browsers send a few.
const maxLanguages = 256

// first are the elements of a list that fit into so many octets.
func first(list string, octets int) string {
	if len(list) <= octets {
		return list
	}
	return list[:max(0, strings.LastIndexByte(list[:octets+1], ','))]
}

// choice is a link to the same page in another language.
type choice struct{ Language, Label, URL string }

var languageNames = map[string]string{"ja": "日本語", "en": "English"}

// choices are the site's other languages. A page that answers a form has no
// address of its own; then the link goes to the page with that form.
func (v *visit) choices() (list []choice) {
	path := v.r.URL.Path
	if v.r.Method == http.MethodPost && path != "/word" && !strings.HasPrefix(path, "/login") {
		path = "/"
	}
	for _, l := range v.s.Site.Languages {
		if l != v.language {
			list = append(list, choice{l, languageNames[l], v.path(path, l)})
		}
	}
	return list
}

// path is the address of one of our pages in another language, with what
// this one was asked with.
func (v *visit) path(path, language string) string {
	with := []string{"lang", language}
	for _, name := range []string{"service", "e", "flow", "ref", "other"} {
		with = append(with, name, bounded(v.r.FormValue(name), maxParameter))
	}
	return pathWith(path, with...)
}

const maxParameter = 128 // octets; none of ours is longer

// pathWith joins a path and the parameters that have a value.
func pathWith(path string, with ...string) string {
	q := url.Values{}
	for i := 0; i < len(with); i += 2 {
		if with[i+1] != "" {
			q.Set(with[i], with[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
