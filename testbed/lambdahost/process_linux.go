package lambdahost

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// sysProcAttr gives a bootstrap a process group of its own, and has the kernel
// kill it when the host dies, however it dies.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// terminate asks the process group of p to end. An error means that it is gone.
func terminate(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGTERM) }

// kill ends what is left of the process group of p.
func kill(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

// peakRSS returns the largest resident set of a running process in bytes, or 0.
// Maxrss of its rusage will not do: exec keeps in it the resident set of the
// process that forked, so that a small bootstrap of a large host looks large.
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
