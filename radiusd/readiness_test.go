package radiusd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"sekisho/gate"
)

// ready is the readiness of the one client.
func (r *rig) ready() Readiness {
	r.t.Helper()
	list := r.Readiness()
	if len(list) != 1 {
		r.t.Fatalf("%d clients", len(list))
	}
	return list[0]
}

func TestReadinessCounts(t *testing.T) {
	c := asking()
	c.AllowMissingMA = true
	r := twoRoundRig(t, c)
	p := r.dial()
	user, chap := text(rfc2865.UserName_Type, "alice"), attr(rfc2865.CHAPPassword_Type, make([]byte, 17))
	at := func(seconds int) time.Time { return testTime.Add(time.Duration(seconds) * time.Second) }
	step := func() { r.clock.move(time.Second) }

	step() // 1
	challenged := pap(1, "secret", text(rfc2865.CallingStationID_Type, "192.0.2.7"))
	p.ask(challenged)
	step() // 2
	p.ask(challenged)
	step() // 3
	p.ask(pap(2, "123456", text(rfc2865.State_Type, sealed), text(rfc2865.CallingStationID_Type, "00-11-22-33-44-55")))
	step() // 4
	p.ask(papWithoutMAC(3, testSecret, "wrong"))
	step() // 5
	p.ask(build(radius.CodeAccessRequest, 4, testSecret, user, chap, text(rfc2865.ProxyState_Type, "ps"), authenticator()))
	step() // 6
	p.ask(build(radius.CodeAccessRequest, 5, testSecret, user, hidden("x"), chap, authenticator()))
	step() // 7: the last packet that is believed
	p.tell(build(radius.CodeAccessRequest, 6, "other", user, hidden("x"), authenticator()))
	p.silent(papWithoutMAC(7, testSecret, "x", text(rfc2865.ProxyState_Type, "ps")))
	step() // 8

	got := r.ready()
	want := Readiness{
		Client: "vpn1", At: at(8), Since: testTime, LastSeen: at(7),
		Settings: Settings{Challenge: true, Class: true},
		Requests: Tally{5, at(6)},
		Methods:  map[string]Tally{"pap": {3, at(4)}, "chap": {1, at(5)}, "several": {1, at(6)}},
	}
	want.MessageAuthenticator.With, want.MessageAuthenticator.Without = Tally{4, at(6)}, Tally{2, at(7)}
	want.ProxyState = Tally{1, at(5)}
	want.SecretMismatches, want.Retransmissions = Tally{1, at(7)}, Tally{1, at(2)}
	want.Station.Address, want.Station.Other, want.Station.None = Tally{1, at(1)}, Tally{1, at(3)}, Tally{3, at(6)}
	want.Accepts, want.Rejects, want.Challenges, want.Continued = Tally{1, at(3)}, Tally{3, at(6)}, Tally{1, at(1)}, Tally{1, at(3)}
	want.Latency.P50, want.Latency.P99, want.Latency.Counts = .1, .1, []uint64{5}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
}

func TestReadinessOfRetransmissionsInWork(t *testing.T) {
	r, entered, proceed := blocked(t)
	p, request := r.dial(), pap(1, "secret123456")
	p.tell(request)
	<-entered
	p.silent(request)
	proceed <- struct{}{}
	p.hear()
	if got := r.ready(); got.Retransmissions.Count != 1 || got.Requests.Count != 1 {
		t.Errorf("%+v of %+v", got.Retransmissions, got.Requests)
	}
}

// What is too much to do, or can't be judged, is no answer of any kind.
func TestReadinessOfErrors(t *testing.T) {
	r := start(t, func(r *rig) {
		r.gate.admit = func(context.Context, gate.Request) (gate.Answer, error) {
			return gate.Answer{}, context.DeadlineExceeded
		}
	})
	r.dial().tell(pap(1, "x"))
	r.await(1, "dropped_total", string(dropUnjudged))
	if got := r.ready(); got.Requests.Count != 1 || got.Rejects.Count != 0 || got.Latency.Counts != nil {
		t.Errorf("got %+v", got)
	}
}

func TestReadinessOfNobody(t *testing.T) {
	r := start(t, nil)
	r.dial().ask(pap(1, "x"))
	r.SetClients(nil)
	if list := r.Readiness(); len(list) != 0 {
		t.Errorf("got %+v", list)
	}
	if list := new(Server).Readiness(); len(list) != 0 {
		t.Errorf("got %+v", list)
	}
}

func TestReadinessIsSorted(t *testing.T) {
	var clients []Client
	for i, name := range []string{"b", "a", "c"} {
		c := testClient()
		c.Name, c.Prefix = name, netipPrefix(fmt.Sprintf("192.0.2.%d/32", i))
		clients = append(clients, c)
	}
	var names []string
	for _, got := range prepare(t, nil, clients...).Readiness() {
		names = append(names, got.Client)
	}
	if !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Errorf("got %q", names)
	}
}

// The configuration is read anew: what was seen is not forgotten, and follows
// the name, not the address.
func TestReadinessOutlivesAReload(t *testing.T) {
	c := testClient()
	r := start(t, nil, c)
	r.dial().ask(pap(1, "secret123456"))
	r.clock.move(time.Hour)
	c.Prefix, c.NoClass = netipPrefix("127.0.0.1/32"), true
	newcomer := testClient()
	newcomer.Name, newcomer.Prefix = "vpn2", netipPrefix("192.0.2.0/24")
	r.SetClients(mustClients(t, c, newcomer))
	r.dial().ask(pap(2, "secret123456"))
	list := r.Readiness()
	if got := list[0]; got.Requests.Count != 2 || got.Since != testTime || got.Settings.Class {
		t.Errorf("got %+v", got)
	}
	if got := list[1]; got.Client != "vpn2" || got.Requests.Count != 0 || !got.Since.Equal(testTime.Add(time.Hour)) || !got.LastSeen.IsZero() {
		t.Errorf("got %+v", got)
	}
}

// fillTallies puts a different count and time into each tally there is.
func fillTallies(v reflect.Value, n *int) {
	switch v.Interface().(type) {
	case time.Time:
		return
	case Tally:
		*n++
		v.Set(reflect.ValueOf(Tally{uint64(*n), testTime.Add(time.Duration(*n) * time.Minute)}))
		return
	}
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			fillTallies(v.Field(i), n)
		}
	}
}

// Everything that was told before a restart is told after it, and counted on.
func TestReadinessIsRemembered(t *testing.T) {
	kept := Readiness{Client: "vpn1", Since: testTime.Add(-time.Hour), LastSeen: testTime.Add(-time.Minute)}
	tallies := 0
	fillTallies(reflect.ValueOf(&kept).Elem(), &tallies)
	kept.Methods = make(map[string]Tally)
	for _, label := range []string{"pap", "chap", "mschap", "eap", "none", "several"} {
		tallies++
		kept.Methods[label] = Tally{uint64(tallies), testTime.Add(time.Duration(tallies) * time.Minute)}
	}
	kept.Latency.Counts = []uint64{0, 3, 0, 1}
	kept.Accounting.Interval = 62.5
	kept.Disconnect.Result, kept.Disconnect.At = "nak 503", testTime.Add(-time.Second)
	stored, err := json.Marshal([]Readiness{kept})
	if err != nil {
		t.Fatal(err)
	}
	var list []Readiness
	if err := json.Unmarshal(stored, &list); err != nil {
		t.Fatal(err)
	}

	r := prepare(t, nil)
	r.Remember(list)
	want := kept
	want.At, want.Settings = testTime, Settings{RequireMessageAuthenticator: true, Class: true}
	want.Latency.P50, want.Latency.P99 = .2, .4
	if got := r.ready(); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
}

// What comes while the memory is still being read counts, too, and the later
// time is the last one.
func TestReadinessRemembersBesideWhatIsNew(t *testing.T) {
	r := start(t, nil)
	p := r.dial()
	p.ask(pap(1, "secret123456"))
	r.table.Load().all[0].evidence.disconnected("ack", testTime)
	kept := Readiness{Client: "vpn1", Since: testTime.Add(time.Hour), LastSeen: testTime.Add(-time.Hour)}
	kept.Requests = Tally{41, testTime.Add(-time.Hour)}
	kept.Disconnect.Result, kept.Disconnect.At = "silent", testTime.Add(-time.Hour)
	r.Remember([]Readiness{kept, {Client: "vpn1"}, {Client: "gone", Requests: Tally{Count: 1}}})
	got := r.ready()
	if got.Requests != (Tally{42, testTime}) || !got.LastSeen.Equal(testTime) || !got.Since.Equal(testTime) || got.Disconnect.Result != "ack" {
		t.Errorf("got %+v", got)
	}
}

// What is kept holds neither the secret nor who signed in.
func TestReadinessHoldsNoSecret(t *testing.T) {
	c := testClient()
	c.Disconnect = Disconnect{To: netip.MustParseAddrPort("127.0.0.1:3799"), Secret: []byte("another secret")}
	r := start(t, nil, c)
	r.dial().ask(pap(1, "secret123456", text(rfc2865.CallingStationID_Type, "192.0.2.7")))
	told, err := json.Marshal(r.Readiness())
	if err != nil {
		t.Fatal(err)
	}
	for _, hide := range []string{testSecret, "another", "secret123456", "alice", "192.0.2.7"} {
		if strings.Contains(string(told), hide) {
			t.Errorf("%q in %s", hide, told)
		}
	}
}

func TestReadinessOfAccounting(t *testing.T) {
	e := newEvidence(testTime)
	record := func(status gate.AccountingStatus, session string, minute int, class ...string) {
		e.record(&gate.Accounting{Status: status, NAS: "nas", Session: session, Class: class,
			Event: testTime.Add(time.Duration(minute) * time.Minute)}, testTime.Add(time.Duration(minute)*time.Minute))
	}
	interval := func(want time.Duration) {
		t.Helper()
		if got := e.tell(testTime).Accounting.Interval; got != want.Seconds() {
			t.Errorf("interval %v s, want %v", got, want)
		}
	}
	record(gate.AccountingOn, "", 0, "sk1.x")
	record(gate.AccountingStart, "a", 0, "sk1.x")
	record(gate.AccountingInterim, "a", 10)
	interval(0)
	record(gate.AccountingInterim, "b", 11) // another person's says nothing of the time between
	record(gate.AccountingInterim, "a", 20)
	interval(10 * time.Minute)
	record(gate.AccountingInterim, "a", 20) // told again
	record(gate.AccountingInterim, "a", 15) // replayed
	interval(10 * time.Minute)
	record(gate.AccountingStop, "b", 21)
	record(gate.AccountingInterim, "a", 25)
	interval(5 * time.Minute)
	record(gate.AccountingStop, "a", 26, "sk1.x")
	record(gate.AccountingInterim, "c", 30)
	record(gate.AccountingInterim, "c", 31)
	interval(time.Minute)
	record(gate.AccountingInterim, "d", 31+121) // c was never heard of again
	record(gate.AccountingInterim, "d", 31+124)
	interval(3 * time.Minute)
	record(gate.AccountingOff, "", 200)

	got := e.tell(testTime).Accounting
	if got.Records.Count != 13 || got.Interims.Count != 10 || got.Class != (Tally{2, testTime.Add(26 * time.Minute)}) {
		t.Errorf("got %+v", got)
	}
}

// Each packet of a flood counts here.
func TestEvidenceCostsNoMemory(t *testing.T) {
	e, o := newEvidence(testTime), outline{method: methodPAP, mac: 20, proxied: true, continues: true}
	if n := testing.AllocsPerRun(100, func() {
		e.saw(testTime)
		e.request(&o, testTime)
		e.dropped(dropSecret, testTime)
		e.told(&gate.Source{}, testTime)
		e.judged(gate.Admitted, time.Millisecond, testTime)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
