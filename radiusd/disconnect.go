package radiusd

import (
	"context"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"sekisho/gate"
)

const (
	ordersEvery     = time.Second      // how often the gate is asked for new ones
	ordersInAll     = 256              // on their way at once
	ordersPerClient = 8                // of them, so that a silent one does not hold up the others
	bookAgain       = 30 * time.Second // until an order is given again whose end could not be booked
)

// command gives the NASes the gate's orders about their sessions, until ctx
// ends. It alone knows which are on their way, and learns of their ends only
// between two looks at the gate: what the gate lists is new or still on its
// way here, so none is given twice.
func (s *Server) command(ctx context.Context) {
	var (
		onWay  = make(map[int64]string) // the client, by session
		busy   = make(map[string]int)   // how many, by client
		ended  = make(chan int64, ordersInAll)
		giving sync.WaitGroup
	)
	defer giving.Wait()
	start := func(o gate.Order) (started bool) {
		if _, already := onWay[o.ID]; already {
			return true
		}
		if len(onWay) == ordersInAll || busy[o.Client] == ordersPerClient {
			return false
		}
		onWay[o.ID] = o.Client
		busy[o.Client]++
		giving.Go(func() {
			s.give(ctx, &o)
			ended <- o.ID
		})
		return true
	}
	var due []gate.Order
	for tick := s.alarm(ordersEvery); ; {
		select {
		case <-ctx.Done():
			return
		case id := <-ended:
			busy[onWay[id]]--
			delete(onWay, id)
		case <-tick:
			due = s.orders(ctx)
			tick = s.alarm(ordersEvery)
		}
		due = slices.DeleteFunc(due, start)
	}
}

// orders asks the gate for them.
func (s *Server) orders(ctx context.Context) []gate.Order {
	defer s.survive("no orders were taken")
	due, err := s.Sessions.Orders(ctx)
	if err != nil && ctx.Err() == nil {
		if left, ok := s.unknown.complaints.due("orders", s.Now()); ok {
			s.log.Error("could not learn which sessions have to end", "error", err, "left_out", left)
		}
	}
	return due
}

// survive is for deferring: people sign in although orders go wrong.
func (s *Server) survive(what string) {
	if p := recover(); p != nil {
		s.log.Error(what, "panic", p, "stack", string(debug.Stack()))
	}
}

// give gives one order, and has booked what became of it. If that can't be
// booked the order is given again, but not at once: the NAS was told already.
func (s *Server) give(ctx context.Context, o *gate.Order) {
	defer s.survive("an order was given up")
	v := s.obeyed(ctx, o)
	if v == (verdict{}) {
		return // we stop; the gate lists it again
	}
	kind, level, label := "disconnect", slog.LevelWarn, v.label()
	if o.Change {
		kind = "coa"
	}
	switch label {
	case "ack", "gone", "no_change":
		level = slog.LevelInfo
	}
	s.metrics.orders.WithLabelValues(o.Client, kind, label).Inc()
	s.log.Log(ctx, level, "order to a NAS", "client", o.Client, "nas", o.NAS, "session", o.Session, "kind", kind, "result", v.result)

	// s.ctx, since what a NAS did is to be booked although we stop.
	if err := s.Sessions.Obeyed(s.ctx, *o, v.result, v.done); err != nil {
		s.log.Error("could not book what became of an order", "client", o.Client, "session", o.Session, "error", err)
		select {
		case <-ctx.Done():
		case <-s.alarm(bookAgain):
		}
	}
}

// obeyed is what becomes of an order under the clients that are in force. A
// change that would take something away becomes an order to end the session:
// whoever signs in again is given the right things.
func (s *Server) obeyed(ctx context.Context, o *gate.Order) verdict {
	n := s.table.Load().named(o.Client)
	if n == nil {
		return noWay
	}
	had, now := chosen(n.Reply, o.Had), chosen(n.Reply, o.Groups)
	switch {
	case o.Change && slices.EqualFunc(had, now, (*Attribute).alike):
		return noChange
	case n.Proxy: // takes no orders for the NASes behind it
		return behindProxy
	case !n.Disconnect.To.IsValid():
		return noWay
	case o.Session == "":
		return noName
	}
	o.Change = o.Change && !takesAway(had, now)
	v := s.exchange(ctx, n, o)
	if v != (verdict{}) {
		n.evidence.disconnected(v.result, s.Now())
	}
	return v
}

// label is the result in the counters, where a NAS may name any cause.
func (v verdict) label() string {
	if v == gone {
		return "gone"
	}
	word, _, _ := strings.Cut(v.result, " ")
	return word
}
