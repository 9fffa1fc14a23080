package tree

import (
	"fmt"
	"testing"

	"sekisho/ldapproxy/wire"
)

func BenchmarkSearch(b *testing.B) {
	for _, people := range []int{10_000, 100_000} {
		tree := crowded(b, people)
		name := fmt.Sprintf("user%07d", people/2)
		for _, c := range []struct {
			name, base, filter string
			ask                []string
		}{
			{"uid", testBase, "(uid=" + name + ")", []string{"uid", "cn", "mail"}},
			{"everything", testBase, "(uid=" + name + ")", []string{"*", "+"}},
			{"login", "ou=People, " + testBase, "(&(objectClass=inetOrgPerson)(|(uid=" + name + ")(mail=" + name + "))(memberOf=cn=everybody,ou=groups," + testBase + "))", []string{"cn"}},
			{"groups", testBase, "(&(objectClass=posixGroup)(memberUid=" + name + "))", []string{"cn"}},
			{"nobody", testBase, "(uid=nobody)", nil},
			{"scan", testBase, "(&(objectClass=person)(|(cn=*nobody*)(mail=nobody*)))", nil},
		} {
			b.Run(fmt.Sprintf("%d/%s", people, c.name), func(b *testing.B) {
				req := searchFor(b, c.base, ScopeSub, c.filter, c.ask...)
				who := seeker()
				var out []byte
				b.ReportAllocs()
				for b.Loop() {
					out = out[:0]
					r, _ := tree.search(req, nil, who, func(dn string, attributes []wire.Attribute) bool {
						out = wire.AppendEntry(out, 1, dn, attributes)
						return true
					})
					out = wire.AppendResult(out, 1, wire.OpSearchDone, r)
				}
			})
		}
	}
}

func BenchmarkPlant(b *testing.B) {
	for _, people := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(people), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				crowded(b, people)
			}
		})
	}
}
