//go:build unix

package cli

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// TestReportToPipe checks that a named pipe for a report is not opened before the report is written: that would wait
// for a reader, and end it.
func TestReportToPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := &cobra.Command{}
	cmd.Flags().String("summary", pipe, "")
	checked := make(chan error, 1)
	go func() { checked <- checkReports(cmd) }()
	select {
	case err := <-checked:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the check opened the pipe, and waits for a reader")
	}
}
