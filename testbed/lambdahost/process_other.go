//go:build !linux

package lambdahost

import (
	"os"
	"syscall"
	"time"
)

func sysProcAttr() *syscall.SysProcAttr { return nil }

// terminate sends SIGTERM to p. On an error (p has exited, or the system has no SIGTERM) kill follows.
func terminate(p *os.Process) { _ = p.Signal(syscall.SIGTERM) }

func kill(p *os.Process) { _ = p.Kill() }

func peakRSS(*os.Process) int64 { return 0 }

func cpuTime(*os.Process) time.Duration { return 0 }
