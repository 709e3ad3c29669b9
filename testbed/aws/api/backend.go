package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"sync"
	"time"
)

// A Backend is what the services of one emulator share: one lock, a clock and a source of identifiers.
type Backend struct {
	// Mu guards the state of all services. Operations run with it held, and so do calls from one service to another.
	Mu sync.Mutex
	// Clock returns the time of the emulated services.
	Clock func() time.Time

	serial uint64
}

// NewID returns a number that no earlier call returned, spread over all bits. The same calls in the same order return
// the same numbers, so that tests are repeatable.
func (b *Backend) NewID() [sha256.Size]byte {
	b.serial++
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, b.serial))
}

// NewUUID returns a new identifier in the form of a random UUID.
func (b *Backend) NewUUID() string {
	id := b.NewID()
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

// NewToken returns a new identifier of 43 characters that may stand in a URL.
func (b *Backend) NewToken() string {
	id := b.NewID()
	return base64.RawURLEncoding.EncodeToString(id[:])
}
