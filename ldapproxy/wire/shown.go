package wire

// Shows reports whether a search asks to be shown a secret attribute by its
// name; secret tells which descriptions are of one. What was read before by
// ScanSearch is no error here.
func (m Message) Shows(secret func(description []byte) bool) (bool, error) {
	d := m.content()
	d.Take(TagString)       // baseObject
	d.Number(TagEnumerated) // scope
	d.Number(TagEnumerated) // derefAliases
	d.Number(TagInteger)    // sizeLimit
	d.Number(TagInteger)    // timeLimit
	d.boolean(TagBoolean)   // typesOnly
	d.Next()                // filter
	found := false
	list := d.Within(TagSequence)
	for list.More() {
		if secret(list.Take(TagString)) {
			found = true
		}
	}
	if list.Err != nil {
		return false, list.Err
	}
	return found, d.End()
}
