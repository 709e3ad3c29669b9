//go:build slow

package main

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPatterns compares what `make patterns` prints with testdata/patternN.txt. UPDATE_GOLDEN=1 rewrites the files.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for i, p := range patterns {
		t.Run(p.files, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			if err := showPattern(t.Context(), "../..", t.TempDir(), p, &out); err != nil {
				t.Fatalf("%v after\n%s", err, out.String())
			}
			file := fmt.Sprintf("testdata/pattern%d.txt", i+1)
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("%s differs (-want +got):\n%s", file, diff)
			}
		})
	}
}

// TestPatternsAreDocumented compares what the installation pages show of `make patterns` with testdata/patternN.txt.
func TestPatternsAreDocumented(t *testing.T) {
	t.Parallel()
	for i, name := range []string{"centralized-dev", "isolated-production", "per-environment"} {
		output, err := os.ReadFile(fmt.Sprintf("testdata/pattern%d.txt", i+1))
		if err != nil {
			t.Fatal(err)
		}
		p := readPage(t, "../../docs/install/"+name+".md", fmt.Sprintf("make patterns pattern=%d", i+1))
		p.checkParts(t, string(output))
	}
}
