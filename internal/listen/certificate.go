package listen

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often handshakes look whether the files have changed.
const lookEvery = 5 * time.Second

// Certificate is a certificate and its key in two files. Set the fields and
// call Reload before anything else.
type Certificate struct {
	CertFile string // PEM; the certificate first, then those that signed it
	KeyFile  string
	Log      *slog.Logger // told when a changed pair can't be used
	Now      func() time.Time

	pair   atomic.Pointer[tls.Certificate]
	looked atomic.Int64 // when the files were last looked at, in nanoseconds
	mu     sync.Mutex   // of reading
	seen   [2]stamp     // of the files that were last read, good or not
}

// stamp is what changes with a file.
type stamp struct {
	at   time.Time
	size int64
}

// Reload reads the files. What can't be used leaves the old pair in force.
func (c *Certificate) Reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read(c.stamps())
}

func (c *Certificate) read(seen [2]stamp) error {
	c.seen = seen
	c.looked.Store(c.Now().UnixNano())
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.CertFile, c.KeyFile, err)
	}
	c.pair.Store(&pair)
	return nil
}

// NotAfter is when the certificate in force ends.
func (c *Certificate) NotAfter() time.Time { return c.pair.Load().Leaf.NotAfter }

// TLS is a configuration that always presents the pair in force.
func (c *Certificate) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c.look()
			return c.pair.Load(), nil
		},
	}
}

// look reads the files again if they have changed. One handshake does it, the
// others go on meanwhile.
func (c *Certificate) look() {
	now, last := c.Now(), c.looked.Load()
	if now.Sub(time.Unix(0, last)) < lookEvery || !c.looked.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.stamps()
	if seen == c.seen {
		return
	}
	if err := c.read(seen); err != nil {
		c.Log.Error("the new certificate can't be used, the old one stays in force", "error", err)
		return
	}
	c.Log.Info("certificate read", "file", c.CertFile, "until", c.NotAfter())
}

// stamps has zeros for a file that is not there.
func (c *Certificate) stamps() (s [2]stamp) {
	for i, name := range []string{c.CertFile, c.KeyFile} {
		if info, err := os.Stat(name); err == nil {
			s[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return s
}
