package main

import "testing"

// TestBurst sends a small burst. `make burst` sends larger ones.
func TestBurst(t *testing.T) {
	t.Parallel()
	r, err := runBurst(t.Context(), "../..", 8, true, true, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r.wrong > 0 || r.failed > 0 || r.moves == 0 || r.calls == 0 {
		t.Error(r)
	}
}
