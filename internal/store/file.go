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

// pair is a row of event_person or ticket_person.
type pair struct{ person, row int64 }

// file fills the indexes by person in sorted slices, behind the settlements,
// and reports whether it wrote anything. What it has not reached is found by
// looking through the tail.
func (w *writer) file() (bool, error) {
	worked := false
	for turn := 0; turn < fileSlices; turn++ {
		events, err := w.fileSlice("event")
		if err != nil {
			return worked, err
		}
		tickets, err := w.fileSlice("ticket")
		if err != nil {
			return worked, err
		}
		worked = worked || events > 0 || tickets > 0
		if events < fileSlice && tickets < fileSlice || len(w.store.jobs) > 0 {
			break
		}
	}
	return worked, nil
}

func (w *writer) fileSlice(table string) (read int, err error) {
	var pairs []pair
	var last int64
	err = w.conn.each("SELECT id, person FROM "+table+" WHERE id > (SELECT "+table+"_filed FROM sequence) ORDER BY id LIMIT ?1",
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
		return cmp.Or(cmp.Compare(a.person, b.person), cmp.Compare(a.row, b.row))
	})
	rows := make([]driver.NamedValue, 0, 2*len(pairs))
	for _, p := range pairs {
		rows = values(rows, p.person, p.row)
	}
	statements := insertEventPerson
	if table == "ticket" {
		statements = insertTicketPerson
	}
	if err := w.append(statements, 2, rows); err != nil {
		return 0, err
	}
	_, err = w.conn.exec("UPDATE sequence SET "+table+"_filed = ?1", last)
	return read, err
}
