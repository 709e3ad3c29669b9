//go:build slow

package pipeline

const everyOdd = true
