package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"runtime/debug"
	"time"

	"sekisho/internal/account"
	"sekisho/internal/config"
	"sekisho/internal/directory"
	"sekisho/internal/keyring"
	"sekisho/internal/passwd"
	"sekisho/internal/store"
	"sekisho/internal/upstream"
)

// house is what every command that works on the state has open.
type house struct {
	cfg   *config.Config
	store *store.Store
	ring  *keyring.Ring
	pool  *passwd.Pool
	now   func() time.Time

	behind  *directory.Upstream // nil: the people are kept here
	servers *upstream.Servers   // of behind
}

// openHouse reads the configuration, the keys and the store, and sees to it
// that they belong together.
func openHouse(ctx context.Context, file string, o store.Options) (*house, error) {
	cfg, err := config.Load(file)
	if err != nil {
		return nil, configError(file, err)
	}
	limitMemory(cfg.Process)
	ring, err := keyring.Open(keySource(cfg))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hint(err, "sekisho keys init -c %s", file)
	}
	if err != nil {
		return nil, err
	}
	o.Reserve = cfg.Store.Reserve
	st, err := store.Open(cfg.Store.File, o)
	if errors.Is(err, store.ErrLocked) {
		return nil, hint(err, "stop the other one first, or give this one a [store] of its own")
	}
	if err != nil {
		return nil, err
	}
	h := &house{
		cfg: cfg, store: st, ring: ring, now: time.Now,
		pool: &passwd.Pool{Workers: cfg.Password.Workers, Params: passwd.Params(cfg.Password.Argon2)},
	}
	if err := h.recogniseKeys(ctx); err != nil {
		st.Close()
		return nil, err
	}
	if cfg.Directory.Behind() {
		h.servers = serversOf(cfg.Directory)
		h.behind = h.peopleBehind()
	}
	return h, nil
}

func (h *house) close() {
	if h.behind != nil {
		h.behind.Close()
	}
	h.pool.Close()
	if err := h.store.Close(); err != nil {
		complain(fmt.Errorf("close the store: %w", err))
	}
}

// recogniseKeys refuses a ring that this store was not sealed with, before
// anything is read by it.
func (h *house) recogniseKeys(ctx context.Context) error {
	known, err := h.store.KeyChecks(ctx)
	if err != nil {
		return err
	}
	if err := h.ring.Verify(known); err != nil {
		return hint(err, "restore the key file that belongs to %s; without it the code devices can't be read", h.cfg.Store.File)
	}
	values := h.ring.CheckValues()
	if len(values) == len(known) {
		return nil
	}
	return h.store.SetKeyChecks(ctx, values)
}

// directory is who the people are.
func (h *house) directory() directory.Directory {
	if h.behind != nil {
		return h.behind
	}
	return h.localPeople()
}

// localPeople are those that are kept here.
func (h *house) localPeople() *directory.Local {
	names := directory.Names{Domains: h.cfg.Directory.Domains, Base: h.cfg.LDAP.Base}
	return &directory.Local{Names: names, Store: h.store, Pool: h.pool, Now: h.now}
}

func (h *house) accounts() *account.Registry {
	return &account.Registry{
		Store: h.store, Ring: h.ring, Pool: h.pool, Now: h.now, Issuer: h.cfg.OTP.Issuer,
		Rules: passwd.Rules{MinLength: h.cfg.Password.MinLength, Site: []string{h.cfg.Site.Name}},
	}
}

func keySource(cfg *config.Config) keyring.Source {
	return keyring.Source{Credentials: os.Getenv("CREDENTIALS_DIRECTORY"), Path: cfg.Store.Keys}
}

func configError(file string, err error) error {
	switch faults := (config.Faults{}); {
	case errors.As(err, &faults):
		return hint(err, "sekisho check -c %s", file)
	case errors.Is(err, fs.ErrNotExist):
		return hint(err, "start from config.toml.example, or name another file with -c FILE")
	}
	return err
}

// limitMemory leaves the environment's word standing.
func limitMemory(p config.Process) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(p.MemoryLimit)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(p.GOGC)
	}
}

// actor is who runs a command, for the book.
func actor() string { return actorAs(os.Geteuid()) }

// actorAs believes sudo's word only where sudo can have given it: everybody
// else may set the variable to any name.
func actorAs(uid int) string {
	if name := os.Getenv("SUDO_USER"); name != "" && uid == 0 {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "uid " + fmt.Sprint(os.Getuid())
}

// booked is an event of an administrator's command.
func (h *house) booked(why, detail string) store.Event {
	return store.Event{At: h.now(), Door: "command", Client: actor(), Outcome: "done", Reason: why, Detail: detail}
}
