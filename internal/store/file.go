package store

import (
	"cmp"
	"database/sql/driver"
	"slices"
)

const (
	fileSlice  = 2000
	fileSlices = 5 // a housekeeping turn at the most while settlements wait
)

// pair is a row of event_person.
type pair struct{ person, event int64 }

// file fills the index by person in sorted slices, behind the settlements,
// and reports whether it wrote anything. What it has not reached is found by
// looking through the tail.
func (w *writer) file() (worked bool, err error) {
	for range fileSlices {
		read, err := w.fileSlice()
		if err != nil {
			return worked, err
		}
		worked = worked || read > 0
		if read < fileSlice || len(w.store.jobs) > 0 {
			break
		}
	}
	return worked, nil
}

func (w *writer) fileSlice() (read int, err error) {
	var pairs []pair
	var last int64
	err = w.conn.each("SELECT id, person FROM event WHERE id > (SELECT filed FROM sequence) ORDER BY id LIMIT ?1",
		func(row []driver.Value) error {
			read++
			last = row[0].(int64)
			if person := row[1].(int64); person != 0 {
				pairs = append(pairs, pair{person, last})
			}
			return nil
		}, int64(fileSlice))
	if err != nil || read == 0 {
		return 0, err
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.person, b.person), cmp.Compare(a.event, b.event))
	})
	rows := make([]driver.NamedValue, 0, 2*len(pairs))
	for _, p := range pairs {
		rows = values(rows, p.person, p.event)
	}
	if err := w.append(insertEventPerson, 2, rows); err != nil {
		return 0, err
	}
	_, err = w.conn.exec("UPDATE sequence SET filed = ?1", last)
	return read, err
}
