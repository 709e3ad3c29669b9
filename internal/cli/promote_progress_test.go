package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/promote"
)

// TestCopyProgress checks how the progress of a copy is shown, on a terminal and off it,
// and that a line has at most 80 columns.
func TestCopyProgress(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	steps := []promote.Progress{
		{Bytes: 10 * mib}, {Bytes: 12 * mib, Blobs: 1}, {Bytes: 13 * mib, Blobs: 1}, {Bytes: 30 * mib, Blobs: 1},
		{Bytes: 1500 * mib, Blobs: 120},
	}
	for _, tt := range []struct {
		name     string
		terminal bool
		want     []string // lines, without what every line begins with
	}{
		{"elsewhere", false, []string{
			"12.0 MiB of 1.5 GiB, 1 of 120 blobs", "1.5 GiB of 1.5 GiB, 120 of 120 blobs",
		}},
		{"on a terminal", true, []string{
			"[--------------------] 10.0 MiB of 1.5 GiB, 0 of 120 blobs",
			"[--------------------] 12.0 MiB of 1.5 GiB, 1 of 120 blobs",
			"[--------------------] 13.0 MiB of 1.5 GiB, 1 of 120 blobs",
			"[--------------------] 30.0 MiB of 1.5 GiB, 1 of 120 blobs",
			"[####################] 1.5 GiB of 1.5 GiB, 120 of 120 blobs",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			p := copyProgress{canvas: canvas{Writer: &out, terminal: tt.terminal, colors: tt.terminal}}
			for _, now := range steps {
				now.AllBytes, now.AllBlobs = 1500*mib, 120
				p.show(now)
			}
			p.end()
			before, after := "deployer: copied ", "\n"
			if tt.terminal {
				before, after = "\r\x1b[K", ""
			}
			want := before + strings.Join(tt.want, after+before) + "\n"
			if diff := cmp.Diff(want, out.String()); diff != "" {
				t.Error(diff)
			}
			for _, line := range tt.want {
				if len(line) > 80-len("deployer: copied ") {
					t.Errorf("%d columns: %s", len(line), line)
				}
			}
		})
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 KiB", 1 << 20: "1.0 MiB", 224710000: "214.3 MiB", 5 << 30: "5.0 GiB",
		3 << 40: "3072.0 GiB",
	} {
		if got := size(bytes); got != want {
			t.Errorf("%d bytes: %s, want %s", bytes, got, want)
		}
	}
}
