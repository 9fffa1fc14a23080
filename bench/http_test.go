package main

import (
	"bufio"
	"bytes"
	"net/http"
	"testing"
)

func TestVerifyRequest(t *testing.T) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(verifyRequest(wikiHost, inside, "a=1; b=2"))))
	if err != nil {
		t.Fatal(err)
	}
	if r.URL.String() != "/verify?d=nginx" || r.Header.Get("X-Original-Url") != "http://wiki.localhost/inbox?folder=1" ||
		r.Header.Get("X-Forwarded-For") != "127.0.0.2" || len(r.Cookies()) != 2 {
		t.Errorf("%v %v", r.URL, r.Header)
	}
}

func TestHTTPAnswer(t *testing.T) {
	for answer, want := range map[string]struct{ good, bad bool }{
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n":                       {true, false},
		"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\nC: d\r\n\r\nabc":    {true, false},
		"HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nsorry":        {false, false},
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n":              {false, true},
		"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n":                    {false, true},
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n":                      {false, true},
		"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1\r\n\r\n\n":    {false, false},
		"HTTP/1.1 200 OK\r\nX-Note: Content-Length: 9\r\n\r\n":               {false, true},
		"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 2\r\n\r\n\r\n": {false, false},
	} {
		for cut := range len(answer) {
			if used, good, _ := httpAnswer([]byte(answer[:cut]), nil); used != 0 || good {
				t.Fatalf("%q: %d octets were enough", answer, cut)
			}
		}
		used, good, err := httpAnswer([]byte(answer+"HTTP/1.1"), nil)
		switch {
		case want.bad != (err != nil) || good != want.good:
			t.Errorf("%q: good %v, error %v", answer, good, err)
		case err == nil && used != len(answer):
			t.Errorf("%q: used %d of %d", answer, used, len(answer))
		}
	}
}
