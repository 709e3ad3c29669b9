//go:build slow

package promote

// crashStep is how many calls there are from one that TestCrashes cuts off to the next, in `make test-slow`.
const crashStep = 1
