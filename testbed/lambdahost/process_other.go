//go:build !linux

package lambdahost

import (
	"os"
	"syscall"
)

func sysProcAttr() *syscall.SysProcAttr { return nil }

// terminate asks p to end. An error means that it is gone, or that the system
// knows no SIGTERM; both are left to kill.
func terminate(p *os.Process) { _ = p.Signal(syscall.SIGTERM) }

func kill(p *os.Process) { _ = p.Kill() }

func peakRSS(*os.Process) int64 { return 0 }
