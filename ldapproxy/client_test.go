package ldapproxy

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"sekisho/internal/directory"
	"sekisho/ldapproxy/wire"
)

// A client that nobody here wrote, over the wire.
func TestGoLDAPSearchesPagesAndCompares(t *testing.T) {
	r := start(t, func(r *rig) { r.People = crowd100{} })
	client, err := ldap.DialURL("ldap://" + r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Bind(mailDN, mailPassword); err != nil {
		t.Fatal(err)
	}
	req := ldap.NewSearchRequest(testBase, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(&(objectClass=person)(!(uid=user0000007)))", []string{"uid", "memberOf"}, nil)
	got, err := client.SearchWithPaging(req, 13)
	if err != nil || len(got.Entries) != 99 {
		t.Fatalf("%d entries, %v", len(got.Entries), err)
	}
	if uid := got.Entries[98].GetAttributeValue("UID"); uid != "" || got.Entries[98].GetEqualFoldAttributeValue("UID") != "user0000099" {
		t.Errorf("the last is %q", uid)
	}
	if ok, err := client.Compare(got.Entries[0].DN, "memberOf", "cn=everybody,ou=groups,"+testBase); !ok || err != nil {
		t.Errorf("compared: %v, %v", ok, err)
	}
	if _, err := client.Compare(got.Entries[0].DN, "userPassword", "x"); !ldap.IsErrorWithCode(err, wire.ResultInsufficientAccessRights) {
		t.Errorf("compared a password: %v", err)
	}
	req = ldap.NewSearchRequest("uid=nobody,ou=people,"+testBase, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", nil, nil)
	var failed *ldap.Error
	if _, err := client.Search(req); !errors.As(err, &failed) || failed.ResultCode != wire.ResultNoSuchObject || failed.MatchedDN != "ou=people,"+testBase {
		t.Errorf("nobody: %v", err)
	}
}

type crowd100 struct{ fakePeople }

func (crowd100) Entries(_ context.Context, each func(directory.Entry) error) error {
	for i := range 100 {
		e := directory.Entry{Name: fmt.Sprintf("user%07d", i), Groups: []string{fmt.Sprintf("group%d", i%99), "everybody"}}
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}
