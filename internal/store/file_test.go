package store

import (
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func TestSecondServeIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sekisho.db")
	first, err := Open(file, Options{Exclusive: true})
	must(t, err)
	_, err = Open(file, Options{Exclusive: true})
	wants(t, err, ErrLocked)
	if !strings.Contains(err.Error(), file) {
		t.Errorf("%q does not name the file", err)
	}
	openFile(t, file, Options{}) // a command beside it
	must(t, first.Close())
	openFile(t, file, Options{Exclusive: true})
}

// The file holds password hashes.
func TestFilesAreTheOwnersOnly(t *testing.T) {
	dir := t.TempDir()
	s := openFile(t, filepath.Join(dir, "sekisho.db"), Options{Exclusive: true})
	settle(t, s, refusal("x", noon))
	files, err := os.ReadDir(dir)
	must(t, err)
	for _, f := range files {
		info, err := f.Info()
		must(t, err)
		equal(t, f.Name(), info.Mode(), 0o600)
	}
}

// One that was restored with another mode would show the hashes to everybody.
func TestFileThatOthersCanReadIsRefused(t *testing.T) {
	for _, which := range []string{"", "-wal"} {
		for _, mode := range []os.FileMode{0o604, 0o640, 0o620} {
			file := filepath.Join(t.TempDir(), "sekisho.db")
			must(t, openFile(t, file, Options{}).Close())
			must(t, os.WriteFile(file+which, nil, 0o600))
			must(t, os.Chmod(file+which, mode))
			_, err := Open(file, Options{Exclusive: true})
			want := fmt.Sprintf("%[1]s can be read by others; run: chmod 0600 %[1]s %[1]s-wal %[1]s-shm", file)
			if err == nil || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%v of the file%s: %v", mode, which, err)
			}
			must(t, os.Chmod(file+which, 0o600))
			openFile(t, file, Options{Exclusive: true}) // the lock was given back
		}
	}
}

func TestNamesOfFiles(t *testing.T) {
	for _, name := range []string{"a b", "100%", "50%41", "what?", "a#b", "関所", "a&mode=memory", "'"} {
		file := filepath.Join(t.TempDir(), name)
		s := openFile(t, file, Options{})
		enrolled(t, s, "alice")
		must(t, s.Close())
		left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*"))
		must(t, err)
		// Closing moves the log into the file and removes it.
		if !reflect.DeepEqual(left, []string{file}) {
			t.Errorf("%q left %q", name, left)
		}
		account(t, openFile(t, file, Options{}), "alice")
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage")
	must(t, os.WriteFile(garbage, []byte(strings.Repeat("no database ", 1000)), 0o600))
	for name, file := range map[string]string{"garbage": garbage, "folder": dir, "no folder": filepath.Join(dir, "none", "x.db")} {
		for _, exclusive := range []bool{false, true} {
			if s, err := Open(file, Options{Exclusive: exclusive}); err == nil {
				t.Errorf("%s was opened", name)
				s.Close()
			}
		}
	}
	// What failed gave its lock back.
	must(t, os.Remove(garbage))
	openFile(t, garbage, Options{Exclusive: true})
}

func TestReferencesOutliveTheProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sekisho.db")
	s := openFile(t, file, Options{})
	done := settle(t, s, refusal("x", noon))
	ticket := s.TicketName(1)
	must(t, s.Close())
	s = openFile(t, file, Options{})
	equal(t, "typed", event(t, s, done.Reference).Typed, "x")
	equal(t, "ticket", s.TicketName(1), ticket)
	equal(t, "newest", s.Newest(), noon)
	equal(t, "next event", settle(t, s, refusal("y", noon)).Event, done.Event+1)
}

// An administrator's command beside the server.
func TestAnotherProcessDisablesAnAccount(t *testing.T) {
	s := open(t)
	other := openFile(t, s.file, Options{})
	a, b := enrolled(t, s, "alice"), enrolled(t, s, "bob")
	settle(t, s, admission(a, 1))
	must(t, other.ChangePerson(ctx, "alice", func(p *Person) error { p.Disabled = true; return nil }, Event{At: noon}))

	// What was judged before is refused at once, though it is remembered.
	equal(t, "loss", settle(t, s, admission(a, 2)).Lost, ChangedMeanwhile)
	if now := account(t, s, "alice"); !now.Disabled || now.Tokens[0].Step != 1 {
		t.Errorf("after the batch %+v", now)
	}

	// Another account's is seen after any batch, or by housekeeping.
	account(t, s, "bob")
	must(t, other.ChangePerson(ctx, "bob", func(p *Person) error { p.Disabled = true; return nil }, Event{At: noon}))
	settle(t, s, refusal("x", noon))
	if !account(t, s, "bob").Disabled {
		t.Error("not seen after a batch")
	}
	must(t, other.ChangePerson(ctx, "bob", func(p *Person) error { p.Disabled = false; return nil }, Event{At: noon}))
	housekeepNow(t, s)
	if account(t, s, "bob").Disabled {
		t.Error("not seen after housekeeping")
	}
	equal(t, "loss", settle(t, s, admission(b, 2)).Lost, ChangedMeanwhile)
}

// Codes and ids of two processes that write at once.
func TestTwoProcessesSettle(t *testing.T) {
	s := open(t)
	other := openFile(t, s.file, Options{})
	a := enrolled(t, s, "alice")
	const steps = 40
	var won [2][steps]bool
	var seen sync.Map
	var group sync.WaitGroup
	for i, s := range []*Store{s, other} {
		group.Go(func() {
			for step := range steps {
				done, err := s.Settle(ctx, admission(a, int64(step)))
				if err != nil {
					t.Error(err)
					return
				}
				won[i][step] = done.Lost == NotLost
				if _, twice := seen.LoadOrStore(done.Reference, true); twice {
					t.Errorf("reference %s was given out twice", done.Reference)
				}
			}
		})
	}
	group.Wait()
	for step := range steps {
		if won[0][step] && won[1][step] {
			t.Errorf("step %d was accepted twice", step)
		}
	}
	equal(t, "events", len(events(t, s, Search{Person: a.ID, Client: "vpn1"})), 2*steps)
}

func TestOldestSchemaIsUpgraded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sekisho.db")
	c, err := dial(file)
	must(t, err)
	first, err := migrations.ReadFile("migrations/0001_first.sql")
	must(t, err)
	for _, sql := range []string{
		string(first), "PRAGMA user_version=1",
		"INSERT INTO person VALUES (9, 'alice', '', '', '', 'staff', 'h', '', 0, 0, 0, 4, " + fmt.Sprint(micro(noon)) + ")",
		"INSERT INTO person VALUES (10, 'bob', '', '', '', '', '', '', 0, 0, 0, 1, 0)",
		"INSERT INTO token VALUES (8, 9, 'totp', '', 6, 30, 'SHA1', x'01', 1, 0)",
		"INSERT INTO burnt VALUES (8, 41, 1, 0)",
		"UPDATE sequence SET event = 3, ticket = 2",
		"INSERT INTO scene VALUES (1, '', '', '', '', '', '', '', '', '')",
		"INSERT INTO ticket VALUES (1, x'', 9, 4, 0, 1, '', 1, 9000000000000000, 0, 1, 0, x'', 0)",
		"INSERT INTO ticket VALUES (2, x'', 9, 4, 1, 1, '', 1, 9000000000000000, 0, 1, 0, x'', 0)",
	} {
		must(t, second(c.exec(sql)))
	}
	must(t, c.close())
	must(t, os.Chmod(file, 0o600))
	s := openFile(t, file, Options{})
	a := account(t, s, "alice")
	equal(t, "step", a.Tokens[0].Step, 41)
	equal(t, "uid number", a.UIDNumber, 0)
	equal(t, "changed", a.Changed, 4)
	equal(t, "created", a.Created, noon)
	equal(t, "loss of a burnt code", settle(t, s, admission(a, 41)).Lost, Raced)
	done := settle(t, s, admission(a, 42))
	if done.Lost != NotLost || done.Ticket != 3 || done.Event != 5 {
		t.Errorf("settled %+v", done)
	}
	lives(t, s, 2, "a ticket that rests on another", true, 0)
	must(t, s.EndTicket(ctx, 1, noon, Event{At: noon}))
	ticket, err := s.Ticket(ctx, 2)
	must(t, err)
	equal(t, "ended with the other", ticket.Ended, noon)
	number := func(p *Person) error { p.UIDNumber = 10001; return nil }
	must(t, s.ChangePerson(ctx, "alice", number, Event{At: noon}))
	wants(t, s.ChangePerson(ctx, "bob", number, Event{At: noon}), ErrExists)
	equal(t, "upstream", a.Upstream, "")
	must(t, s.Link(ctx, "bob", entry("u1", "bob"), Event{At: noon}))
	appPassword(t, s, account(t, s, "bob"), "webmail")
	files, err := migrations.ReadDir("migrations")
	must(t, err)
	must(t, s.reading(ctx, func(c *conn) error {
		version, err := c.one("PRAGMA user_version")
		equal(t, "schema", version, int64(len(files)))
		return err
	}))
}

func TestNewerSchemaIsLeftAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sekisho.db")
	c, err := dial(file)
	must(t, err)
	for _, sql := range []string{"CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB)", "PRAGMA user_version=99"} {
		must(t, second(c.exec(sql)))
	}
	must(t, os.Chmod(file, 0o600))
	_, err = Open(file, Options{Exclusive: true})
	if err == nil || !strings.Contains(err.Error(), "schema 99") || !strings.Contains(err.Error(), "newer program") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v, want one line that says what to do", err)
	}
	rows, err := c.one("SELECT count(*) FROM meta")
	must(t, err)
	equal(t, "rows written", rows, 0)
	must(t, c.close())
}

func TestManyProcessesMakeOneStore(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sekisho.db")
	stores := make([]*Store, 6)
	var group sync.WaitGroup
	for i := range stores {
		group.Go(func() {
			s, err := Open(file, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			stores[i] = s
		})
	}
	group.Wait()
	if t.Failed() {
		return
	}
	for _, s := range stores {
		equal(t, "reference", s.Reference(1), stores[0].Reference(1))
		must(t, s.Close())
	}
}

// Looking for one person must not read the whole book.
func TestSearchesByPersonUseTheirIndex(t *testing.T) {
	s := open(t)
	a := enrolled(t, s, "alice")
	must(t, s.Events(ctx, Search{Person: a.ID, Most: 5}, func(Event) error { return nil }))
	must(t, s.Tickets(ctx, a.ID, noon, func(Ticket, string) error { return nil }))
	var searches []string
	for range readers {
		c := <-s.read
		for sql := range c.stmts {
			if strings.Contains(sql, "_person WHERE") {
				searches = append(searches, sql)
			}
		}
		s.read <- c
	}
	equal(t, "searches by person", len(searches), 2)
	for _, sql := range searches {
		plan := planOf(t, s, sql)
		if first, _, _ := strings.Cut(plan, "\n"); !strings.HasSuffix(first, "INTEGER PRIMARY KEY (rowid=?)") {
			t.Errorf("%s\nis planned as\n%s", sql, plan)
		}
	}
}

// Sessions are looked up by each record and each request from a tunnel.
func TestSessionsUseTheirIndices(t *testing.T) {
	s := open(t)
	for sql, want := range map[string]string{
		"SELECT * FROM " + onAddress4: "session_address4 (address4=?)",
		"SELECT * FROM " + inside6:    "session_address6 (address6>? AND address6<?)",
		"SELECT * FROM " + around6:    "session_address6 (address6=?)",
		"SELECT * FROM " + nameless:   "session_nameless (client=? AND leased=?)",
		"SELECT 1 FROM " + onLeases:   "session_leased (client=? AND leased=?)",
		due:                           "session_stopped (stopped=?)",
		"SELECT 1 FROM session WHERE stopped = 0 AND client = ?1 AND nas = ?2":        "session_stopped (stopped=? AND client=? AND nas=?)",
		"SELECT 1 FROM session WHERE ticket = ?1 AND ticket <> 0 AND stopped = 0":     "session_ticket (ticket=?)",
		"UPDATE ticket SET ended = ?1 WHERE ended = 0 AND id IN " + line:              "ticket_parent (parent=?)",
		"SELECT 1 FROM lease INDEXED BY lease_until WHERE until <= ?1 ORDER BY until": "lease_until (until<?)",
	} {
		if plan := planOf(t, s, sql); !strings.Contains(plan, want) {
			t.Errorf("%s\nis planned as\n%s\nwant %s", sql, plan, want)
		}
	}
}

// An address that is told between two reads must not be missing from both.
func TestSnapshotIsOneState(t *testing.T) {
	s := open(t)
	count := func(c *conn) int64 {
		n, err := c.one("SELECT count(*) FROM session")
		must(t, err)
		return n
	}
	must(t, s.reading(ctx, func(c *conn) error {
		return c.snapshot(func() error {
			equal(t, "sessions", count(c), 0)
			tell(t, s, key("s1"), func(*SessionChange) {})
			equal(t, "sessions, upon one state", count(c), 0)
			return nil
		})
	}))
	must(t, s.reading(ctx, func(c *conn) error {
		equal(t, "sessions afterwards", count(c), 1)
		return nil
	}))
}

func planOf(t testing.TB, s *Store, sql string) string {
	t.Helper()
	var args []any
	for strings.Contains(sql, fmt.Sprint("?", len(args)+1)) {
		args = append(args, int64(0))
	}
	var plan []string
	must(t, s.reading(ctx, func(c *conn) error {
		return c.each("EXPLAIN QUERY PLAN "+sql, func(row []driver.Value) error {
			plan = append(plan, row[3].(string))
			return nil
		}, args...)
	}))
	return strings.Join(plan, "\n")
}

func TestCloseWaitsForReads(t *testing.T) {
	s := open(t)
	settle(t, s, refusal("x", noon))
	reading, proceed := make(chan struct{}), make(chan struct{})
	read := make(chan error, 1)
	go func() {
		read <- s.Events(ctx, Search{}, func(Event) error {
			close(reading)
			<-proceed
			return nil
		})
	}()
	<-reading
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	<-s.stop
	select {
	case <-closed:
		t.Fatal("closed under a read")
	default:
	}
	close(proceed)
	must(t, <-read)
	must(t, <-closed)
}
