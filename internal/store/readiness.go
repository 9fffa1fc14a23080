package store

import (
	"context"
	"database/sql/driver"
)

// PutReadiness keeps what is known of the clients' ways, JSON by client name.
func (s *Store) PutReadiness(ctx context.Context, clients map[string]string) error {
	return s.changeAside(ctx, func(c *conn) ([]int64, error) {
		for client, data := range clients {
			_, err := c.exec("INSERT INTO readiness VALUES (?1, ?2) ON CONFLICT DO UPDATE SET data = excluded.data", client, data)
			if err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}

// Readiness is what PutReadiness kept last.
func (s *Store) Readiness(ctx context.Context) (map[string]string, error) {
	clients := make(map[string]string)
	err := s.reading(ctx, func(c *conn) error {
		return c.each("SELECT client, data FROM readiness", func(row []driver.Value) error {
			clients[row[0].(string)] = row[1].(string)
			return nil
		})
	})
	return clients, err
}
