package store

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date, one transaction a step. PRAGMA
// user_version counts the steps that are in place.
func migrate(c *conn) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	have, err := c.one("PRAGMA user_version")
	if err != nil {
		return err
	}
	if have > int64(len(files)) {
		return fmt.Errorf("the store has schema %d, this program knows %d: use the newer program that wrote it", have, len(files))
	}
	for i, name := range files[have:] {
		step := have + int64(i) + 1
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		err = c.transaction(func() error {
			// Another process may have come first.
			if now, err := c.one("PRAGMA user_version"); err != nil || now >= step {
				return err
			}
			if _, err := c.exec(string(text)); err != nil {
				return err
			}
			_, err := c.exec("PRAGMA user_version=" + strconv.FormatInt(step, 10))
			return err
		})
		if err != nil {
			return fmt.Errorf("migrate the store by %s: %w", name, err)
		}
	}
	return nil
}
