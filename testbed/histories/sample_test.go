//go:build !slow

package histories

// How many histories TestHistories and TestEnds run in `go test`.
const (
	sample     = 40
	endsSample = 20
)
