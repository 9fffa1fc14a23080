package radiusd

import (
	"log/slog"
	"net/netip"
)

// lease is the tunnel address for whoever has the ticket; zero lets the client
// choose. That somebody may come in is decided already, so no failure here
// keeps them out.
func (s *Server) lease(n *nas, from netip.AddrPort, ticket string) netip.Addr {
	if len(n.Pool) == 0 || s.Sessions == nil {
		return netip.Addr{}
	}
	addr, err := s.Sessions.Lease(s.ctx, n.Name, ticket, n.Pool)
	switch {
	case err != nil:
		s.complain(n, from, slog.LevelError, "no tunnel address could be given out", "lease", s.Now(), "error", err)
		return netip.Addr{}
	case !addr.IsValid():
		s.complain(n, from, slog.LevelWarn, "no tunnel address is free", "pool", s.Now())
	}
	return addr.Unmap()
}
