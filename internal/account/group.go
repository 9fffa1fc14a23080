package account

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrGroups is wrapped by what ChangeGroups says.
var ErrGroups = errors.New("groups not understood")

// ChangeGroups returns the groups that words make of have. Words are either
// all plain, and then they are the groups, or all signed: +g adds g, -g takes
// it out. A group that is there is not added twice; one to be taken out has to
// be there, since a slip of the pen would go unnoticed.
func ChangeGroups(have, words []string) ([]string, error) {
	signed := 0
	for _, w := range words {
		if strings.HasPrefix(w, "+") || strings.HasPrefix(w, "-") {
			signed++
		}
	}
	if signed > 0 && signed < len(words) {
		return nil, fmt.Errorf("%w: either sign each (+staff -students) or none (staff library)", ErrGroups)
	}
	var groups []string
	if signed > 0 {
		groups = slices.Clone(have)
	}
	for _, w := range words {
		sign, name := byte('+'), strings.TrimSpace(w)
		if signed > 0 {
			sign, name = w[0], strings.TrimSpace(w[1:])
		}
		if name == "" || strings.HasPrefix(name, "-") || strings.HasPrefix(name, "+") {
			return nil, fmt.Errorf("%w: %q names no group", ErrGroups, w)
		}
		if err := checkText("group", name); err != nil {
			return nil, err
		}
		at := slices.Index(groups, name)
		switch {
		case sign == '-' && at < 0:
			return nil, fmt.Errorf("%w: not in %q", ErrGroups, name)
		case sign == '-':
			groups = slices.Delete(groups, at, at+1)
		case at < 0:
			groups = append(groups, name)
		}
	}
	return groups, nil
}
