package emulatortest

import (
	"os"
	"runtime/debug"
)

// gcPercent lets the heap of a test's process grow to five times what is in use before it is collected. Tests allocate
// much and keep little: with Go's default, collecting takes a sixth of their processor time.
const gcPercent = 400

func init() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
