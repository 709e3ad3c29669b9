package main

import (
	"testing"
	"time"
)

// TestBurst sends a small burst. `make burst` sends larger ones.
func TestBurst(t *testing.T) {
	t.Parallel()
	r, err := runBurst(t.Context(), options{
		root: "../..", deliveries: 8, warm: true, limits: true, seed: 1, rolloutStep: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.wrong > 0 || r.failed > 0 || r.moves == 0 || r.calls == 0 {
		t.Error(r)
	}
}
