package store

import (
	"database/sql/driver"
	"slices"
	"time"
)

const sessionFields = `id, client, nas, name, user, person, ticket, station, address4, address6, named, ousted, started, event,
	seen, interval, seconds, input, output, stopped, cause, groups, ordered, told, obeyed, tries`

func scanSession(row []driver.Value) Session {
	return Session{
		ID:         row[0].(int64),
		SessionKey: SessionKey{Client: shared(row[1]), NAS: shared(row[2]), Name: row[3].(string)},
		User:       row[4].(string), Person: row[5].(int64), Ticket: row[6].(int64), Station: row[7].(string),
		Address4: parseAddress4(row[8].(string)), Address6: parseAddress6(row[9].(string)),
		Named: fromMicro(row[10].(int64)), Ousted: row[11].(int64) != 0, Started: fromMicro(row[12].(int64)),
		Event: fromMicro(row[13].(int64)), Seen: fromMicro(row[14].(int64)),
		Interval: time.Duration(row[15].(int64)) * time.Microsecond, Lasted: time.Duration(row[16].(int64)) * time.Second,
		Input: uint64(row[17].(int64)), Output: uint64(row[18].(int64)),
		Stopped: fromMicro(row[19].(int64)), Cause: row[20].(string), Groups: parseGroups(row[21].(string)),
		Ordered: fromMicro(row[22].(int64)), Told: row[23].(string), Obeyed: row[24].(string), Tries: int(row[25].(int64)),
	}
}

// columns are all but the id.
func (s *Session) columns() ([]any, error) {
	groups, err := groupsText(s.Groups)
	if err != nil {
		return nil, err
	}
	return []any{s.Client, s.NAS, s.Name, s.User, s.Person, s.Ticket, s.Station,
		address4Text(s.Address4), address6Text(s.Address6), micro(s.Named), integer(s.Ousted), micro(s.Started),
		micro(s.Event), micro(s.Seen), int64(s.Interval / time.Microsecond), int64(s.Lasted / time.Second),
		int64(s.Input), int64(s.Output), micro(s.Stopped), s.Cause, groups, micro(s.Ordered), s.Told, s.Obeyed, int64(s.Tries)}, nil
}

// readSession is the session of the key, or one that is zero but for it.
func readSession(c *conn, key SessionKey) (Session, error) {
	s := Session{SessionKey: key}
	err := c.each("SELECT "+sessionFields+" FROM session WHERE client = ?1 AND nas = ?2 AND name = ?3", func(row []driver.Value) error {
		s = scanSession(row)
		return nil
	}, key.Client, key.NAS, key.Name)
	return s, err
}

// putSession writes what changed of it.
func putSession(c *conn, before, now Session) error {
	columns, err := now.columns()
	if err != nil {
		return err
	}
	if now.ID == 0 {
		_, err := c.exec("INSERT INTO session VALUES (NULL"+placeholders(1, len(columns))+", 0)", columns...)
		return err
	}
	was, err := before.columns()
	if err != nil || slices.Equal(columns, was) {
		return err
	}
	_, err = c.exec(`UPDATE session SET (user, person, ticket, station, address4, address6, named, ousted, started, event,
		seen, interval, seconds, input, output, stopped, cause, groups, ordered, told, obeyed, tries)
		= (?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)
		WHERE client = ?1 AND nas = ?2 AND name = ?3`, columns...)
	return err
}
