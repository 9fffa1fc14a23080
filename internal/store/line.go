package store

import "time"

// line is a ticket, ?2, and all that rest on it: children, and theirs.
const line = `(WITH RECURSIVE line(id) AS (SELECT ?2 UNION
	SELECT ticket.id FROM line JOIN ticket ON ticket.parent = line.id WHERE ticket.parent <> 0) SELECT id FROM line)`

// endLine ends a ticket and all that rest on it.
func endLine(c *conn, ticket int64, at time.Time) error {
	if _, err := c.exec("UPDATE ticket SET ended = ?1 WHERE ended = 0 AND id IN "+line, micro(at), ticket); err != nil {
		return err
	}
	return freeLeases(c, ticket, at)
}

// freeLeases gives back the addresses of a ticket, and of those that rest on
// it, where it has ended and nobody is on them any more.
func freeLeases(c *conn, ticket int64, at time.Time) error {
	_, err := c.exec(`UPDATE lease SET until = ?1 WHERE until > ?1 AND ticket IN `+line+`
		AND (SELECT ended FROM ticket WHERE id = lease.ticket) <> 0
		AND NOT EXISTS (SELECT 1 FROM session WHERE ticket = lease.ticket AND ticket <> 0 AND stopped = 0)`, micro(at), ticket)
	return err
}
