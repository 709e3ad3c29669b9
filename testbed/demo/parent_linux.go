package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// parentPoll is how often it is looked whether the parent process is being ended.
const parentPoll = 300 * time.Millisecond

// awaitParent waits until the parent process, which is make, is being ended by a signal, or until ctx ends. It reports
// whether the parent is. GNU make passes on SIGTERM only. Of SIGINT it expects that the terminal sent it to the child
// too, and waits for the child's end (fatal_error_signal in its commands.c).
func awaitParent(ctx context.Context) bool {
	ticker := time.NewTicker(parentPoll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", os.Getppid()))
			if err == nil && isEnding(string(status)) {
				return true
			}
		}
	}
}

// isEnding reports whether a process handles one of the signals that end make, by its status in /proc: the handler of
// make begins with the default action for the signal, which is blocked while the handler runs.
func isEnding(status string) bool {
	set := map[string]uint64{}
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		if n, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64); err == nil {
			set[name] = n
		}
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT} {
		bit := uint64(1) << (s - 1)
		if set["SigBlk"]&bit != 0 && (set["SigCgt"]|set["SigIgn"])&bit == 0 {
			return true
		}
	}
	return false
}
