//go:build !slow

package main

// everyDeath is whether the process is killed after each call, or only after the first one and after each that changes
// something. A death after a read leaves what a death after the call before it leaves.
const everyDeath = false
