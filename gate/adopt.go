package gate

import (
	"context"

	"sekisho/internal/reason"
)

// adopt gives a person of the directory behind a row of their own, at the
// first admission. Before, they have none: whoever types names must not fill
// the store. Until then nothing that hangs on a row is theirs: counters are
// kept by name, and no ticket, code or word can be shown.
func (a *attempt) adopt(ctx context.Context) (reason.Code, error) {
	if a.account.ID != 0 {
		return "", nil
	}
	p, e := a.account.Person, a.event
	p.Created = a.at
	e.Outcome, e.Reason, e.Rule, e.Detail = "done", string(reason.AccountAdded), "", "from the directory behind"
	row, err := a.gate.Store.Adopt(ctx, p, e)
	if err != nil {
		return "", err
	}
	account := *row // it is shared
	account.DN, account.Groups = a.account.DN, a.account.Groups
	a.account, a.event.Person, a.event.Name = &account, account.ID, account.Name
	if account.Disabled { // it was a local one's
		return reason.Disabled, nil
	}
	return "", nil
}
