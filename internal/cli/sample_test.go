//go:build !slow

package cli

// everyCase is true in `make test-slow`.
const everyCase = false
