package tree

import (
	"sync/atomic"
	"time"
)

const (
	testBase = "dc=example,dc=ac,dc=jp"
	aliceDN  = "uid=alice,ou=people," + testBase
	mailDN   = "uid=svc-mail,ou=services," + testBase
)

var testTime = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)

// clock stands still until it is moved.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time       { return testTime.Add(time.Duration(c.offset.Load())) }
func (c *clock) move(d time.Duration) { c.offset.Add(int64(d)) }
