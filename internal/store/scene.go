package store

// scene is what recurs in the book: it has a row of its own, once.
type scene struct {
	door, client, service, how, zone, rule, factors, outcome, reason string
}

func (e *Event) scene() scene {
	return scene{e.Door, e.Client, e.Service, e.How, e.Zone, e.Rule, e.Factors, e.Outcome, e.Reason}
}

func (t *Ticket) scene() scene {
	return scene{door: t.Door, client: t.Client, service: t.Service, zone: t.Zone, rule: t.Rule}
}

// number finds the row of the scene, or makes it.
func (s scene) number(c *conn) (int64, error) {
	const find = `SELECT number FROM scene WHERE door = ?1 AND client = ?2 AND service = ?3 AND how = ?4 AND zone = ?5
		AND rule = ?6 AND factors = ?7 AND outcome = ?8 AND reason = ?9`
	values := []any{s.door, s.client, s.service, s.how, s.zone, s.rule, s.factors, s.outcome, s.reason}
	n, err := c.one(find, values...)
	if err != nil || n != 0 {
		return n, err
	}
	if _, err := c.exec("INSERT INTO scene VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", values...); err != nil {
		return 0, err
	}
	return c.one(find, values...)
}

// scenes remembered at most: each rule, client and reason makes some, and
// nobody outside can make more.
const scenes = 100_000

// scene is the number from memory, or the table. A transaction that is rolled
// back may take a row with it: then the memory is dropped, too.
func (w *writer) scene(s scene) (int64, error) {
	if n, ok := w.scenes[s]; ok {
		return n, nil
	}
	n, err := s.number(w.conn)
	if err != nil {
		return 0, err
	}
	if w.scenes == nil || len(w.scenes) >= scenes {
		w.scenes = make(map[scene]int64)
	}
	w.scenes[s] = n
	return n, nil
}
