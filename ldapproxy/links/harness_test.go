package links

import (
	"errors"
	"testing"

	"sekisho/ldapproxy/links/linkstest"
)

const aliceBehind = linkstest.Alice

var errDown = errors.New("the server is down")

// upstream is a directory behind, and how the links reach it.
type upstream struct {
	Directory
	*linkstest.Server
}

func newUpstream(t testing.TB) *upstream {
	t.Helper()
	s := linkstest.NewServer(t)
	return &upstream{Directory{Dial: s.Dial}, s}
}

// The requests that these tests send.
var (
	bindOp          = linkstest.Bind
	extendedOp      = linkstest.Extended
	searchOp        = linkstest.Search
	criticalControl = linkstest.Critical
)
