package wire

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestRepliesByteForByte(t *testing.T) {
	tests := []struct {
		name string
		got  []byte
		want string
	}{
		{"bind, success", AppendResult(nil, 1, OpBindResponse, Result{}),
			"30 0c 02 01 01 61 07 0a 01 00 04 00 04 00"},
		{"bind, refused", AppendResult(nil, 2, OpBindResponse, Result{Code: ResultInvalidCredentials, Diagnostic: "7F3K-92QD"}),
			"30 15 02 01 02 61 10 0a 01 31 04 00 04 09 37 46 33 4b 2d 39 32 51 44"},
		{"search done, matched", AppendResult(nil, 3, OpSearchDone, Result{Code: ResultNoSuchObject, Matched: "dc=x"}),
			"30 10 02 01 03 65 0b 0a 01 20 04 04 64 63 3d 78 04 00"},
		{"large id", AppendResult(nil, 1<<31-1, opDeleteResponse, Result{Code: ResultUnwillingToPerform}),
			"30 0f 02 04 7f ff ff ff 6b 07 0a 01 35 04 00 04 00"},
		{"id 128", AppendResult(nil, 128, OpBindResponse, Result{}),
			"30 0d 02 02 00 80 61 07 0a 01 00 04 00 04 00"},
		{"code above 127", AppendResult(nil, 1, OpBindResponse, Result{Code: 4096}),
			"30 0d 02 01 01 61 08 0a 02 10 00 04 00 04 00"},
		{"paged", AppendResult(nil, 1, OpSearchDone, Result{}, PagedControl(0, []byte("c"))),
			"30 32 02 01 01 65 07 0a 01 00 04 00 04 00 a0 24 30 22 04 16" +
				"31 2e 32 2e 38 34 30 2e 31 31 33 35 35 36 2e 31 2e 34 2e 33 31 39 04 08 30 06 02 01 00 04 01 63"},
		{"control with an empty value", AppendResult(nil, 1, OpSearchDone, Result{}, Control{OID: "1.2", Critical: true, HasValue: true}),
			"30 1a 02 01 01 65 07 0a 01 00 04 00 04 00 a0 0c 30 0a 04 03 31 2e 32 01 01 ff 04 00"},
		{"entry", AppendEntry(nil, 1, "uid=a", []Attribute{{"uid", []string{"a"}}, {"cn", nil}}),
			"30 22 02 01 01 64 1d 04 05 75 69 64 3d 61 30 14 30 0a 04 03 75 69 64 31 03 04 01 61 30 06 04 02 63 6e 31 00"},
		{"entry of nothing", AppendEntry(nil, 1, "", nil), "30 09 02 01 01 64 04 04 00 30 00"},
		{"who am I, nobody", AppendExtended(nil, 1, Result{}, "", []byte{}),
			"30 0e 02 01 01 78 09 0a 01 00 04 00 04 00 8b 00"},
		{"notice", AppendNotice(nil, ResultUnavailable, "bye"),
			"30 27 02 01 00 78 22 0a 01 34 04 00 04 03 62 79 65 8a 16" +
				"31 2e 33 2e 36 2e 31 2e 34 2e 31 2e 31 34 36 36 2e 32 30 30 33 36"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if want := unhex(t, tt.want); !bytes.Equal(tt.got, want) {
				t.Errorf("got\n% x, want\n% x", tt.got, want)
			}
		})
	}
}

// sizeOf and appendHeader must agree at every border of the length's form.
func TestLengthsAreMinimal(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 255, 256, 65535, 65536, 1<<24 - 1, 1 << 24, 1<<31 - 1} {
		b := appendHeader(nil, TagString, n)
		head, got, err := header(b)
		if err != nil || head != len(b) || got != int64(n) || sizeOf(n) != head+n {
			t.Errorf("%d: % x, head %d, length %d, size %d, %v", n, b, head, got, sizeOf(n), err)
		}
		if len(b) > 2 && (b[2] == 0 || len(b) == 3 && b[2] < 0x80) {
			t.Errorf("%d: % x is longer than it need be", n, b)
		}
	}
}

func TestGoLDAPReadsOurReplies(t *testing.T) {
	long := strings.Repeat("関所", 5000)
	entries := []Attribute{
		{"uid", []string{"alice"}},
		{"mail", []string{"a@example.ac.jp", "b@example.ac.jp"}},
		{"description", []string{"", long}},
		{"cn", nil},
	}
	c := wired(t, func(m Message) []byte {
		switch m.Op {
		case OpBind:
			return AppendResult(nil, m.ID, OpBindResponse, Result{Code: ResultInvalidCredentials, Diagnostic: "7F3K-92QD"})
		case OpCompare:
			return AppendResult(nil, m.ID, opCompareResponse, Result{Code: ResultCompareTrue})
		case OpExtended:
			return AppendExtended(nil, m.ID, Result{}, "", []byte("dn:uid=alice"))
		case OpSearch:
			paged, _ := m.Control(OIDPaged)
			_, cookie, err := ParsePaged(paged.Value)
			if err != nil {
				t.Error(err)
			}
			next := []byte("second")
			if string(cookie) == "second" {
				next = nil
			}
			b := AppendEntry(nil, m.ID, "uid=alice,dc=example", entries)
			return AppendResult(b, m.ID, OpSearchDone, Result{}, PagedControl(2, next))
		}
		return nil
	})
	var refused *ldap.Error
	if err := c.Bind("uid=alice", "secret"); !errors.As(err, &refused) || refused.ResultCode != 49 || refused.Err.Error() != "7F3K-92QD" {
		t.Errorf("bind: %v", err)
	}
	if equal, err := c.Compare("uid=alice", "uid", "alice"); err != nil || !equal {
		t.Errorf("compare: %v, %v", equal, err)
	}
	if who, err := c.WhoAmI(nil); err != nil || who.AuthzID != "dn:uid=alice" {
		t.Errorf("who am I: %+v, %v", who, err)
	}
	req := ldap.NewSearchRequest("dc=example", ldap.ScopeWholeSubtree, 0, 0, 0, false, "(uid=*)", nil, nil)
	found, err := c.SearchWithPaging(req, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Entries) != 2 || found.Entries[1].DN != "uid=alice,dc=example" {
		t.Fatalf("%d entries over two pages", len(found.Entries))
	}
	for i, a := range found.Entries[0].Attributes {
		if a.Name != entries[i].Name || len(a.Values) != len(entries[i].Values) ||
			len(a.Values) > 0 && !reflect.DeepEqual(a.Values, entries[i].Values) {
			t.Errorf("%s: %d values", a.Name, len(a.Values))
		}
	}
}

func TestAppendingAnEntryAllocatesNothing(t *testing.T) {
	entry := []Attribute{{"uid", []string{"alice"}}, {"mail", []string{"a@example.ac.jp"}}}
	buf := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { buf = AppendEntry(buf[:0], 7, "uid=alice,dc=example", entry) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
