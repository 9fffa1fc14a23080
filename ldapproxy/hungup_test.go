package ldapproxy

import (
	"net"
	"runtime"
	"testing"
	"time"
)

func TestClientThatHasHungUpIsNoticed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	client.Write([]byte("an Unbind that nobody has read"))
	if hungUp(raw) {
		t.Error("has hung up, though it has not")
	}
	client.Close()
	for end := time.Now().Add(10 * time.Second); !hungUp(raw); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("is still there, though it is not")
		}
	}
	raw.Close()
	if !hungUp(raw) {
		t.Error("a closed socket has a client")
	}
	if here, _ := net.Pipe(); hungUp(here) {
		t.Error("no socket, but hung up")
	}
}
