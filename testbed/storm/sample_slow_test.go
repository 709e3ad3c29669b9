//go:build slow

package main

// storms is how many storms each mean in fake time is of in `make test-slow`.
const storms = 8
