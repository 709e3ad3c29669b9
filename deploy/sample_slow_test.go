//go:build slow

package deploy_test

// everyCase is true in `make test-slow`.
const everyCase = true
