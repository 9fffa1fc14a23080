package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
)

// verifyRequest is what nginx sends for a page of a service, whose visitor
// sits at an address and has these cookies.
func verifyRequest(host string, from netip.Addr, cookies string) []byte {
	return fmt.Appendf(nil, "GET /verify?d=nginx HTTP/1.1\r\n"+
		"Host: 127.0.0.1:8080\r\n"+
		"X-Original-URL: http://%s/inbox?folder=1\r\n"+
		"X-Original-Method: GET\r\n"+
		"X-Forwarded-For: %s\r\n"+
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"+
		"Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"+
		"Accept-Language: ja,en;q=0.5\r\n"+
		"Accept-Encoding: gzip, deflate, br\r\n"+
		"Sec-Fetch-Mode: navigate\r\n"+
		"Cookie: %s\r\n\r\n", host, from, cookies)
}

var (
	headersEnd  = []byte("\r\n\r\n")
	contentSize = []byte("\r\nContent-Length: ")
	good200     = []byte("HTTP/1.1 200 ")

	errHTTP = errors.New("that is no HTTP answer of a known length")
)

// httpAnswer reads an answer as Go's server sends it; 200 is good.
func httpAnswer(b, _ []byte) (used int, good bool, err error) {
	end := bytes.Index(b, headersEnd)
	if end < 0 {
		return 0, false, nil
	}
	at := bytes.Index(b[:end+2], contentSize)
	if at < 0 {
		return 0, false, errHTTP
	}
	value, _, _ := bytes.Cut(b[at+len(contentSize):end+2], []byte("\r"))
	n, err := strconv.Atoi(string(value))
	if err != nil || n < 0 {
		return 0, false, errHTTP
	}
	total := end + len(headersEnd) + n
	if len(b) < total {
		return 0, false, nil
	}
	return total, bytes.HasPrefix(b, good200), nil
}
