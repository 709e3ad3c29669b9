//go:build unix && !linux

package main

import "context"

// awaitParent waits until ctx ends: without /proc it is not known that the parent process is being ended.
func awaitParent(ctx context.Context) bool {
	<-ctx.Done()
	return false
}
