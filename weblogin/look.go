package weblogin

import (
	"embed"
	"html/template"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

//go:embed pages
var files embed.FS

// looks are the pages' templates and style.
type looks struct {
	pages map[string]*template.Template
	style []byte
}

func newLooks(site Site) looks {
	l := looks{pages: make(map[string]*template.Template)}
	layout := template.Must(template.New("").Funcs(template.FuncMap{"split": strings.Split}).ParseFS(files, "pages/layout.html"))
	for _, name := range []string{"name", "offer", "password", "code", "portal", "word", "app-password", "logout", "farewell", "message", "help"} {
		l.pages[name] = template.Must(template.Must(layout.Clone()).ParseFS(files, "pages/"+name+".html"))
	}
	style, err := files.ReadFile("pages/style.css")
	if err != nil {
		panic(err) // it is part of the program
	}
	accent := site.Accent
	if !colour.MatchString(accent) {
		accent = defaultAccent
	}
	l.style = append([]byte(":root{--accent:"+accent+";--on-accent:"+onTopOf(accent)+"}\n"), style...)
	return l
}

const defaultAccent = "#17508f"

var colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// onTopOf is black or white, whichever can be read better on the colour. The
// worse of the two best is 4.58, above the 4.5 that text needs (WCAG 2.2,
// 1.4.3).
func onTopOf(colour string) string {
	light := luminance(colour)
	if 1.05/(light+0.05) >= (light+0.05)/0.05 {
		return "#ffffff"
	}
	return "#000000"
}

// luminance is WCAG 2.2's relative luminance of a #rrggbb.
func luminance(colour string) float64 {
	n, _ := strconv.ParseUint(colour[1:], 16, 32)
	linear := func(shift uint) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
}

func (s *Server) serveStyle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Write(s.looks.style)
}

func (s *Server) serveLogo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", s.Site.LogoType)
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Write(s.Site.Logo)
}
