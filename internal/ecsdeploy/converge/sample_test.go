//go:build !slow

package converge

// everyCase is true in `make test-slow`. The large cases run in `make model` only.
const everyCase = false
