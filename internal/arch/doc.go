// Package arch holds the test of which package may import which. The rules are
// explained in docs/architecture.md.
package arch
