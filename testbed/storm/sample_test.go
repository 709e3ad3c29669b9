//go:build !slow

package main

// storms is how many storms each mean in fake time is of in `go test`.
const storms = 4
