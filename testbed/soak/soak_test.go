package main

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
)

// TestSoak is `make soak` with 100 events of each kind.
func TestSoak(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("it reads /proc")
	}
	s, err := start(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	var out bytes.Buffer
	if err := s.run(t.Context(), 100, &out); err != nil {
		t.Errorf("%v\n%s", err, &out)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 2+steps {
		t.Errorf("%d lines:\n%s", lines, &out)
	}
}
