package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"

	"modernc.org/sqlite"
)

// conn is one connection with its prepared statements, used by one goroutine
// at a time. It speaks to the driver directly: database/sql would add almost
// as much CPU to a settlement as SQLite itself needs.
type conn struct {
	raw   driver.Conn
	stmts map[string]statement
	args  []driver.NamedValue
	row   []driver.Value
}

type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

func dial(file string, pragmas ...string) (*conn, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	raw, err := (&sqlite.Driver{}).Open("file:" + (&url.URL{Path: path}).EscapedPath())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	c := &conn{raw: raw, stmts: make(map[string]statement)}
	for _, p := range append([]string{"busy_timeout=10000", "foreign_keys=1"}, pragmas...) {
		if err := c.pragma(p); err != nil {
			c.close()
			return nil, fmt.Errorf("open %s: %w", file, err)
		}
	}
	return c, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

func (c *conn) prepare(sql string) (statement, error) {
	if s, ok := c.stmts[sql]; ok {
		return s, nil
	}
	raw, err := c.raw.Prepare(sql)
	if err != nil {
		return nil, err
	}
	s, ok := raw.(statement)
	if !ok {
		return nil, errors.New("the SQLite driver lacks context statements")
	}
	c.stmts[sql] = s
	return s, nil
}

func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

// exec runs one statement and returns how many rows it changed. An argument
// is an int64, string, []byte or nil.
func (c *conn) exec(sql string, args ...any) (int64, error) {
	s, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(context.Background(), c.bind(args))
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// execNamed is exec for arguments that are laid out already.
func (c *conn) execNamed(sql string, args []driver.NamedValue) error {
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(context.Background(), args)
	return err
}

// each calls read for every row; the row is valid until read returns.
func (c *conn) each(sql string, read func(row []driver.Value) error, args ...any) error {
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(context.Background(), c.bind(args))
	if err != nil {
		return err
	}
	defer rows.Close()
	if n := len(rows.Columns()); cap(c.row) < n {
		c.row = make([]driver.Value, n)
	} else {
		c.row = c.row[:n]
	}
	for {
		switch err := rows.Next(c.row); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if err := read(c.row); err != nil {
			return err
		}
	}
}

// pragma runs one, whatever it answers.
func (c *conn) pragma(text string) error {
	return c.each("PRAGMA "+text, func([]driver.Value) error { return nil })
}

// one reads a single integer; 0 if there is no row.
func (c *conn) one(sql string, args ...any) (int64, error) {
	var n int64
	err := c.each(sql, func(row []driver.Value) error {
		n, _ = row[0].(int64)
		return nil
	}, args...)
	return n, err
}

// transaction runs do and commits, or rolls everything back. IMMEDIATE takes
// the write lock first, so what do reads is the newest state.
func (c *conn) transaction(do func() error) error {
	if _, err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do()
	if err == nil {
		if _, err = c.exec("COMMIT"); err == nil {
			return nil
		}
	}
	// A full disk may have rolled back already; then this one says so.
	c.exec("ROLLBACK")
	return err
}

// snapshot runs reads upon one state of the database.
func (c *conn) snapshot(read func() error) error {
	if _, err := c.exec("BEGIN"); err != nil {
		return err
	}
	err := read()
	c.exec("ROLLBACK")
	return err
}
