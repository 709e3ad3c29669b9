package converge

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"
)

// TestMain collects the heap less often: the model check allocates much and keeps little,
// and collecting takes two fifths of its processor time by default. The large cases keep
// too much for that.
func TestMain(m *testing.M) {
	flag.Parse()
	if !*deeper && os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	os.Exit(m.Run())
}
