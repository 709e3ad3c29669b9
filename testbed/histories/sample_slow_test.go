//go:build slow

package histories

// How many histories TestHistories and TestEnds run in `make test-slow`.
const (
	sample     = 100
	endsSample = 60
)
