//go:build !slow

package main

// everyCase is true in `make test-slow`.
const everyCase = false
