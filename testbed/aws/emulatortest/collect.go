package emulatortest

import (
	"os"
	"runtime/debug"
)

// lessOften is a percentage for [debug.SetGCPercent].
const lessOften = 400

// A test's heap is small, and most of it is garbage of calls: collecting it less often takes a fifth of the time off
// the tests that call the most.
func init() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(lessOften)
	}
}
