package directory

import (
	"bytes"
	"net"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"sekisho/internal/upstream/upstreamtest"
)

// found is a result of a search with these attributes.
func found(id any, dn string, attributes ...string) []byte {
	text := func(s string) *ber.Packet {
		return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
	}
	list := ber.NewSequence("")
	for i := 0; i < len(attributes); i += 2 {
		values := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		values.AppendChild(text(attributes[i+1]))
		one := ber.NewSequence("")
		one.AppendChild(text(attributes[i]))
		one.AppendChild(values)
		list.AppendChild(one)
	}
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	op.AppendChild(text(dn))
	op.AppendChild(list)
	message := ber.NewSequence("")
	message.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	message.AppendChild(op)
	return message.Bytes()
}

// A server that sends groups without an end, whatever limit it was told, is not
// listened to until the memory is full.
func TestGroupsWithoutAnEnd(t *testing.T) {
	hungUp := make(chan bool, 1)
	c := campusAt(t, &upstreamtest.Server{Takeover: func(conn net.Conn) {
		for searches := 0; ; {
			request, err := ber.ReadPacket(conn)
			if err != nil {
				return
			}
			id := request.Children[0].Value
			if request.Children[1].Tag == ldap.ApplicationBindRequest {
				conn.Write(upstreamtest.Reply(id.(int64), ldap.ApplicationBindResponse, upstreamtest.Result{}))
				continue
			}
			if searches++; searches == 1 {
				conn.Write(found(id, dnOf("alice"), "uid", "alice", "entryUUID", "id"))
				conn.Write(upstreamtest.Reply(id.(int64), ldap.ApplicationSearchResultDone, upstreamtest.Result{}))
				continue
			}
			for many := bytes.Repeat(found(id, groupDN("x")), 1000); err == nil; {
				_, err = conn.Write(many)
			}
			hungUp <- true
			return
		}
	}})
	c.GroupFilter, c.PageSize, c.Timeout = "(member=%d)", 500, 5*time.Minute // which is not what ends it
	c.fails("alice", ErrName)
	<-hungUp
}
