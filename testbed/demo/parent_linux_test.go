package main

import "testing"

// TestIsEnding checks by lines of /proc/PID/status when make is being ended.
func TestIsEnding(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, blocked, ignored, caught string
		want                           bool
	}{
		{"make runs", "0000000000010000", "0000000000000000", "0000000001814207", false},
		{"make handles SIGINT", "0000000000010002", "0000000000000000", "0000000001814205", true},
		{"make handles SIGHUP", "0000000000010001", "0000000000000000", "0000000001814206", true},
		{"make ignores SIGINT", "0000000000010002", "0000000000000002", "0000000001814205", false},
		{"a shell blocks SIGINT for a moment", "0000000000010002", "0000000000000000", "0000000001814207", false},
		{"nothing is known", "", "", "", false},
	} {
		status := "Name:\tmake\nSigQ:\t4/96365\nSigPnd:\t0000000000000000\nSigBlk:\t" + tt.blocked + "\nSigIgn:\t" +
			tt.ignored + "\nSigCgt:\t" + tt.caught + "\n"
		if got := isEnding(status); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}
