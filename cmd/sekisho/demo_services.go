package main

import (
	"html/template"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// demoServices stands in for the web services of a campus and for the proxy
// before them. Each request is judged by /verify of the outside listener, as
// nginx does it. What a client says of itself (Remote-User and the like) is
// never read, and no cookie of ours goes beyond the proxy.
type demoServices struct {
	verify string // an address, of the outside listener
	hosts  []string
	client *http.Client
}

// newDemoServices has a service on each of the hosts.
func newDemoServices(outside string, hosts []string) (*http.Server, error) {
	signIn, err := url.Parse(outside)
	if err != nil {
		return nil, err
	}
	d := &demoServices{verify: outside + "/verify?d=nginx", hosts: hosts, client: &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(signIn)
		r.Out.Host = r.In.Host
		r.Out.Header.Set("X-Forwarded-For", peerHost(r.In))
	}}
	mux := http.NewServeMux()
	for _, host := range hosts {
		name, _, _ := net.SplitHostPort(host)
		mux.Handle(name+"/.sekisho/", pass)
		mux.HandleFunc(name+"/", d.page)
	}
	return &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second}, nil
}

// page is all that a service has.
func (d *demoServices) page(w http.ResponseWriter, r *http.Request) {
	answer, err := d.ask(r)
	if err != nil {
		http.Error(w, "The sign-in can't be reached.", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	switch location := answer.Header.Get("Location"); {
	case answer.StatusCode == http.StatusOK:
		demoPage.Execute(w, map[string]any{
			"Here": r.Host, "All": d.hosts, "User": answer.Header.Get("Remote-User"), "Factors": answer.Header.Get("Remote-Factors"),
		})
	case answer.StatusCode == http.StatusUnauthorized && location != "":
		http.Redirect(w, r, location, http.StatusFound)
	case answer.StatusCode == http.StatusUnauthorized, answer.StatusCode == http.StatusForbidden:
		http.Error(w, "Not let in.", answer.StatusCode)
	default:
		http.Error(w, "It can't be judged at present.", http.StatusServiceUnavailable)
	}
}

// ask asks who this is, and whether they may open it.
func (d *demoServices) ask(r *http.Request) (*http.Response, error) {
	question, err := http.NewRequestWithContext(r.Context(), http.MethodGet, d.verify, nil)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Cookie", "Accept", "Sec-Fetch-Mode", "X-Requested-With"} {
		question.Header[name] = r.Header[name]
	}
	question.Header.Set("X-Original-URL", "http://"+r.Host+r.RequestURI)
	question.Header.Set("X-Original-Method", r.Method)
	question.Header.Set("X-Forwarded-For", peerHost(r))
	answer, err := d.client.Do(question)
	if err == nil {
		answer.Body.Close()
	}
	return answer, err
}

// peerHost is the address of the other end.
func peerHost(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return host
}

var demoPage = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Here}}</title>
<h1>{{.Here}}</h1>
<p>Signed in as <b>{{.User}}</b> with {{.Factors}}.</p>
<ul>{{range .All}}<li><a href="http://{{.}}/">{{.}}</a>{{end}}
<li><a href="/.sekisho/out">Sign out of this service</a></ul>
</html>
`))
