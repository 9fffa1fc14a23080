package main

import (
	"bytes"
	"sync"
)

// memory is what each request was answered with. No two requests have the
// same authenticator, so that is how it knows them.
type memory struct {
	mu      sync.Mutex
	first   map[[authLen]byte][]byte
	again   int // answers to what had been answered
	changed int // of them, how many were not the same octets as the first
}

func newMemory() *memory { return &memory{first: make(map[[authLen]byte][]byte)} }

// heard takes in an answer.
func (m *memory) heard(request, reply []byte) {
	key := [authLen]byte(request[authAt:])
	m.mu.Lock()
	defer m.mu.Unlock()
	first, known := m.first[key]
	if !known {
		m.first[key] = bytes.Clone(reply)
		return
	}
	m.again++
	if !bytes.Equal(first, reply) {
		m.changed++
	}
}

// reply is the first answer to a request; nil: there was none.
func (m *memory) reply(request []byte) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.first[[authLen]byte(request[authAt:])]
}
