package gate

import (
	"testing"
	"time"

	"sekisho/internal/reason"
	"sekisho/internal/store"
	"sekisho/policy"
)

// renegotiating is a world in whose rule a code holds as long as the session,
// and what the NAS sends each time.
func renegotiating(t *testing.T) (w *world, r Request, a Answer) {
	t.Helper()
	w = newWorld(t)
	w.rule(policy.Rule{Name: "vpn", Door: []string{policy.DoorRADIUS}, Zone: []string{policy.OffCampus},
		Need: []policy.Need{policy.ParseNeed("password+otp")}, Ticket: 10 * time.Hour, Repeat: &policy.Repeat{Session: true}}, campusRules[3], campusRules[4])
	r = w.vpn(w.from(home, "alice", "PASSWORDCODE"))
	return w, r, w.admitted(r)
}

// hours lets the session live on, a minute at a time.
func (w *world) hours(d time.Duration) {
	w.t.Helper()
	for range int(d / (10 * time.Minute)) {
		w.time.pass(10 * time.Minute)
		w.tell(w.acct("alice", AccountingInterim))
	}
}

func TestRepeatHoldsAsLongAsTheSession(t *testing.T) {
	w, r, a := renegotiating(t)
	w.tell(w.acct("alice", AccountingStart, class(a)))
	for range 8 {
		w.hours(time.Hour)
		for range 4 { // more than three answers
			if again := w.repeated(r); again.Ticket.ID != a.Ticket.ID {
				t.Errorf("ticket %s, then %s", a.Ticket.ID, again.Ticket.ID)
			}
		}
	}
	w.tell(w.acct("alice", AccountingStop))
	w.refused(r, reason.WrongCode)
}

func TestStopEndsTheRepeatAtOnce(t *testing.T) {
	w, r, a := renegotiating(t)
	w.tell(w.acct("alice", AccountingStart, class(a)))
	w.repeated(r)
	w.time.pass(time.Second)
	w.tell(w.acct("alice", AccountingStop))
	w.refused(r, reason.CodeUsed)
}

// Before the session is known, and where it never will be, there is the
// repeat of every client: three answers in 15 s.
func TestRepeatBeforeTheSession(t *testing.T) {
	w, r, _ := renegotiating(t)
	w.repeated(r)
	w.repeated(r)
	w.refused(r, reason.CodeUsed)

	w, r, _ = renegotiating(t)
	w.time.pass(15*time.Second + 1)
	w.refused(r, reason.CodeUsed)
}

// Meanwhile another code of the device was used for something else.
func TestRepeatAfterAnotherCode(t *testing.T) {
	for name, pause := range map[string]time.Duration{"that a match still knows": time.Minute, "that is forgotten": time.Hour} {
		t.Run(name, func(t *testing.T) {
			w, r, a := renegotiating(t)
			w.tell(w.acct("alice", AccountingStart, class(a)))
			w.time.pass(30 * time.Second)
			w.admitted(w.from(cafe, "alice", "PASSWORDCODE"))
			w.time.pass(pause - 30*time.Second - 1)
			if again := w.repeated(r); again.Ticket.ID != a.Ticket.ID {
				t.Errorf("ticket %s, then %s", a.Ticket.ID, again.Ticket.ID)
			}
			w.tell(w.acct("alice", AccountingStop))
			w.refused(r, map[bool]reason.Code{true: reason.CodeUsed, false: reason.WrongCode}[pause == time.Minute])
		})
	}
}

func TestNoRepeatBySession(t *testing.T) {
	for name, change := range map[string]func(w *world, r *Request){
		"another client": func(_ *world, r *Request) { r.Client = "vpn2" },
		"another source": func(w *world, r *Request) { r.Source = w.from(cafe, "alice", "").Source },
		"unknown source": func(_ *world, r *Request) { r.Source = Source{} },
		"another code":   func(w *world, r *Request) { r.Password = []byte(w.typed("alice", "PASSWORDCODE-119")) },
		"ticket ended": func(w *world, _ *Request) {
			w.must(w.Store.EndTicket(t.Context(), w.account("alice").Tokens[0].Ticket, w.time.now(), w.change(reason.TicketRevoked)))
		},
		"NAS restarted": func(w *world, _ *Request) { w.tell(w.acct("", AccountingOn)) },
		"rule reloaded": func(w *world, _ *Request) { w.rule(campusRules...) },
	} {
		t.Run(name, func(t *testing.T) {
			w, r, a := renegotiating(t)
			w.tell(w.acct("alice", AccountingStart, class(a)))
			w.hours(time.Hour)
			w.repeated(r)
			change(w, &r)
			w.refused(r, reason.WrongCode)
		})
	}
}

func TestRepeatBySessionChecksThePassword(t *testing.T) {
	w, r, a := renegotiating(t)
	w.tell(w.acct("alice", AccountingStart, class(a)))
	w.hours(time.Hour)
	w.changePerson("alice", func(p *store.Person) { p.Hash = hashes()["bob"] })
	w.refused(r, reason.WrongCode) // the ticket has ended, too
	w, r, a = renegotiating(t)
	w.tell(w.acct("alice", AccountingStart, class(a)))
	w.hours(time.Hour)
	wrong := r
	wrong.Password = append([]byte("guessed"), r.Password[len(r.Password)-6:]...)
	w.refused(wrong, reason.WrongPassword)
	w.time.pass(time.Minute)
	w.repeated(r)
}

func TestRepeatBySessionAfterARestart(t *testing.T) {
	w, r, a := renegotiating(t)
	w.tell(w.acct("alice", AccountingStart, class(a)))
	w.hours(time.Hour)
	rules := w.rules.Load()
	w.restart()
	w.rules.Store(rules)
	w.repeated(r)
}

// A counter that was pressed for the session, and again since.
func TestRepeatBySessionOfACounter(t *testing.T) {
	w, _, _ := renegotiating(t)
	r := w.vpn(w.from(home, "dave", "press the button"))
	r.Password = append(r.Password, who("dave").device(0).Code(w.time.now())...)
	a := w.admitted(r)
	w.tell(w.acct("dave", AccountingStart, class(a)))
	w.time.pass(30 * time.Minute)
	pressed := who("dave").device(0)
	pressed.Last = 0
	w.admitted(w.from(cafe, "dave", "press the button"+pressed.Code(w.time.now())))
	if again := w.repeated(r); again.Ticket.ID != a.Ticket.ID {
		t.Errorf("ticket %s, then %s", a.Ticket.ID, again.Ticket.ID)
	}
}
