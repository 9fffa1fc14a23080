package tree

import (
	"fmt"
	"slices"
	"testing"

	"sekisho/internal/directory"
	"sekisho/ldapproxy/wire"
)

func pageOf(size int32, cookie []byte) *wire.Control {
	c := wire.PagedControl(size, cookie)
	return &c
}

// cookieOf is the cookie of a page that was sent.
func cookieOf(t *testing.T, got found) []byte {
	t.Helper()
	if len(got.controls) != 1 || got.controls[0].OID != wire.OIDPaged || got.controls[0].Critical {
		t.Fatalf("no paged results control: %+v", got)
	}
	_, cookie, err := wire.ParsePaged(got.controls[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	return cookie
}

func TestPagesHaveEverybodyOnce(t *testing.T) {
	tree := campus(t)
	everybody := tree.seek(searchFor(t, testBase, ScopeSub, "(objectClass=*)"), nil, seeker()).dns
	for size := int32(1); size <= int32(len(everybody))+1; size++ {
		who := seeker()
		var dns []string
		var cookie []byte
		turns := 0
		for {
			got := tree.seek(searchFor(t, testBase, ScopeSub, "(objectClass=*)"), pageOf(size, cookie), who)
			if got.Code != wire.ResultSuccess || len(got.dns) > int(size) || len(got.dns) == 0 {
				t.Fatalf("pages of %d: %+v", size, got)
			}
			dns = append(dns, got.dns...)
			turns++
			if cookie = cookieOf(t, got); len(cookie) == 0 {
				break
			}
		}
		if !slices.Equal(dns, everybody) {
			t.Errorf("pages of %d: %q", size, dns)
		}
		if want := (len(everybody) + int(size) - 1) / int(size); turns != want {
			t.Errorf("%d pages of %d, want %d", turns, size, want)
		}
		if len(who.Pages.list) != 0 {
			t.Errorf("a search that is through is still open")
		}
	}
}

func TestCookieIsGoodForItsOwnSearchOnce(t *testing.T) {
	tree := campus(t)
	first := func(who Asker) []byte {
		return cookieOf(t, tree.seek(searchFor(t, testBase, ScopeSub, "(objectClass=person)", "uid", "cn"), pageOf(2, nil), who))
	}
	same := searchFor(t, testBase, ScopeSub, "(objectClass=person)", "uid", "cn")
	for name, req := range map[string]*wire.SearchRequest{
		"another base":       searchFor(t, "ou=people,"+testBase, ScopeSub, "(objectClass=person)", "uid", "cn"),
		"another scope":      searchFor(t, testBase, ScopeOne, "(objectClass=person)", "uid", "cn"),
		"another filter":     searchFor(t, testBase, ScopeSub, "(objectClass=account)", "uid", "cn"),
		"a part more":        searchFor(t, testBase, ScopeSub, "(&(objectClass=person))", "uid", "cn"),
		"other attributes":   searchFor(t, testBase, ScopeSub, "(objectClass=person)", "uid", "sn"),
		"attributes run on":  searchFor(t, testBase, ScopeSub, "(objectClass=person)", "uidc", "n"),
		"no attributes":      searchFor(t, testBase, ScopeSub, "(objectClass=person)"),
		"an approximate one": searchFor(t, testBase, ScopeSub, "(objectClass~=person)", "uid", "cn"),
	} {
		who := seeker()
		if got := tree.seek(req, pageOf(2, first(who)), who); got.Code != wire.ResultProtocolError || len(got.dns) > 0 || len(got.controls) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	who, other := seeker(), seeker()
	cookie := first(who)
	first(other)
	if got := tree.seek(same, pageOf(2, cookie), other); got.Code != wire.ResultProtocolError {
		t.Errorf("another connection: %+v", got)
	}
	if got := tree.seek(same, pageOf(2, []byte("made up")), who); got.Code != wire.ResultProtocolError {
		t.Errorf("a made-up cookie: %+v", got)
	}
	if got := tree.seek(same, pageOf(2, cookie), who); got.Code != wire.ResultSuccess || len(got.dns) != 2 {
		t.Errorf("its own: %+v", got)
	}
	if got := tree.seek(same, pageOf(2, cookie), who); got.Code != wire.ResultProtocolError {
		t.Errorf("its own again: %+v", got)
	}
}

func TestSizeZeroAbandonsThePages(t *testing.T) {
	tree, who := campus(t), seeker()
	req := searchFor(t, testBase, ScopeSub, "(objectClass=person)")
	cookie := cookieOf(t, tree.seek(req, pageOf(2, nil), who))
	got := tree.seek(req, pageOf(0, cookie), who)
	if got.Code != wire.ResultSuccess || len(got.dns) > 0 || len(cookieOf(t, got)) > 0 {
		t.Errorf("abandoned: %+v", got)
	}
	if got := tree.seek(req, pageOf(2, cookie), who); got.Code != wire.ResultProtocolError {
		t.Errorf("after that: %+v", got)
	}
	if len(who.Pages.list) > 0 {
		t.Error("still open")
	}
	if got := tree.seek(req, pageOf(0, nil), who); got.Code != wire.ResultSuccess || len(got.dns) > 0 || len(cookieOf(t, got)) > 0 {
		t.Errorf("a first page of 0: %+v", got)
	}
}

func TestPageAsLargeAsTheSizeLimitIsNone(t *testing.T) {
	tree, who := campus(t), seeker()
	req := searchFor(t, testBase, ScopeSub, "(objectClass=person)")
	req.SizeLimit = 3
	for _, size := range []int32{3, 4} {
		if got := tree.seek(req, pageOf(size, nil), who); got.Code != wire.ResultSizeLimitExceeded || len(got.dns) != 3 || len(got.controls) > 0 {
			t.Errorf("pages of %d: %+v", size, got)
		}
	}
	if got := tree.seek(req, pageOf(2, nil), who); got.Code != wire.ResultSuccess || len(got.dns) != 2 || len(cookieOf(t, got)) == 0 {
		t.Errorf("pages of 2: %+v", got)
	}
}

func TestSizeLimitIsOfAllPagesTogether(t *testing.T) {
	tree, who := campus(t), seeker()
	who.SizeLimit = 3
	req := searchFor(t, testBase, ScopeSub, "(objectClass=person)")
	got := tree.seek(req, pageOf(2, nil), who)
	if got.Code != wire.ResultSuccess || len(got.dns) != 2 {
		t.Fatalf("first page: %+v", got)
	}
	got = tree.seek(req, pageOf(2, cookieOf(t, got)), who)
	if got.Code != wire.ResultSizeLimitExceeded || len(got.dns) != 1 || len(cookieOf(t, got)) > 0 {
		t.Errorf("second page: %+v", got)
	}
}

func TestMalformedPagedControlIsAProtocolError(t *testing.T) {
	tree := campus(t)
	req := searchFor(t, testBase, ScopeSub, "(objectClass=person)")
	for _, value := range [][]byte{nil, {}, {0x30, 0}, []byte("x"), wire.PagedControl(-1, nil).Value} {
		if got := tree.seek(req, &wire.Control{OID: wire.OIDPaged, Value: value, HasValue: true}, seeker()); got.Code != wire.ResultProtocolError || len(got.dns) > 0 {
			t.Errorf("%x: %+v", value, got)
		}
	}
}

func TestFewPagedSearchesAreOpenAtOnce(t *testing.T) {
	tree, who := campus(t), seeker()
	req := searchFor(t, testBase, ScopeSub, "(objectClass=person)")
	var cookies [][]byte
	for range maxPages + 1 {
		cookies = append(cookies, cookieOf(t, tree.seek(req, pageOf(1, nil), who)))
	}
	if got := tree.seek(req, pageOf(1, cookies[0]), who); got.Code != wire.ResultProtocolError {
		t.Errorf("the oldest: %+v", got)
	}
	for _, cookie := range cookies[1:] {
		if got := tree.seek(req, pageOf(1, cookie), who); got.Code != wire.ResultSuccess || len(got.dns) != 1 {
			t.Errorf("a later one: %+v", got)
		}
	}
}

// Between two pages people come and go, the next one among them. Who stays is
// sent once.
func TestPagesGoOnInAnotherTree(t *testing.T) {
	var people []directory.Entry
	for i := range 20 {
		people = append(people, directory.Entry{Name: fmt.Sprintf("p%02d", i), Groups: []string{fmt.Sprintf("g%02d", i)}})
	}
	before := planted(t, testBase, []string{mailDN}, people)
	for size := int32(1); size < 60; size++ {
		who := seeker()
		req := searchFor(t, testBase, ScopeSub, "(objectClass=*)")
		got := before.seek(req, pageOf(size, nil), who)
		cookie := cookieOf(t, got)
		if len(cookie) == 0 {
			break
		}
		sent := got.dns
		var next *tree
		switch size % 3 {
		case 0: // every other is gone
			var fewer []directory.Entry
			for i, p := range people {
				if i%2 == 0 {
					fewer = append(fewer, p)
				}
			}
			next = planted(t, testBase, nil, fewer)
		case 1: // some came before all others
			next = planted(t, testBase, []string{"cn=a,ou=services," + testBase, mailDN}, append([]directory.Entry{{Name: "a"}, {Name: "b", Groups: []string{"a"}}}, people...))
		case 2: // nobody is left
			next = planted(t, testBase, nil, nil)
		}
		got = next.seek(req, pageOf(1000, cookie), who)
		if got.Code != wire.ResultSuccess || len(cookieOf(t, got)) > 0 {
			t.Fatalf("after %d: %+v", size, got)
		}
		for _, dn := range got.dns {
			if slices.Contains(sent, dn) {
				t.Errorf("after %d: %s is sent twice", size, dn)
			}
		}
		old := before.seek(req, nil, seeker()).dns
		for _, dn := range next.seek(req, nil, seeker()).dns {
			if slices.Contains(old, dn) && !slices.Contains(sent, dn) && !slices.Contains(got.dns, dn) {
				t.Errorf("after %d: %s is never sent", size, dn)
			}
		}
	}
}
