package lambdahost

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// sysProcAttr gives a bootstrap a process group of its own, and makes the kernel kill it when the host exits or is
// killed.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// terminate sends SIGTERM to the process group of p. An error means that the group has exited.
func terminate(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGTERM) }

// kill sends SIGKILL to the process group of p.
func kill(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

// peakRSS returns the peak resident set size of a running process in bytes, 0 if it is unknown. Maxrss of its rusage is
// too large: exec keeps the value of the host that forked.
func peakRSS(p *os.Process) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(status, []byte("\nVmHWM:"))
	var kb int64
	if _, err := fmt.Sscanf(string(after), "%d kB", &kb); err != nil {
		return 0
	}
	return kb * 1024
}

// cpuTime returns how long the threads of a running process have run, 0 if it is unknown. The first number of a
// thread's schedstat is in nanoseconds (kernel documentation, scheduler/sched-stats).
func cpuTime(p *os.Process) (total time.Duration) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.Pid)) // the pattern is well-formed
	for _, file := range files {
		var ns int64
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has exited
		}
		if _, err := fmt.Sscan(string(text), &ns); err == nil {
			total += time.Duration(ns)
		}
	}
	return total
}
