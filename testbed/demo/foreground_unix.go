//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// inForeground runs this program again with a further argument, in a process group of its own, and returns its exit
// code. On a terminal, that group is in the foreground: Ctrl-C interrupts it alone, and not make, so that make exits
// with 0. A signal to this process, which is in make's group, is passed on, and one that ends make ends it too.
func inForeground(argument string) (exit int, err error) {
	child, err := again(argument)
	if err != nil {
		return 0, err
	}
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	terminal := int(os.Stdin.Fd())
	group, err := unix.IoctlGetInt(terminal, unix.TIOCGPGRP)
	if onTerminal := err == nil && group == unix.Getpgrp(); onTerminal {
		child.SysProcAttr.Foreground, child.SysProcAttr.Ctty = true, terminal
		signal.Ignore(syscall.SIGTTOU) // a process in the background may give the terminal back
		defer func() { _ = unix.IoctlSetPointerInt(terminal, unix.TIOCSPGRP, group) }()
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	if err := child.Start(); err != nil {
		return 0, err
	}
	go func() {
		for s := range signals {
			_ = child.Process.Signal(s) // it fails if the process has ended
		}
	}()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		if awaitParent(ctx) {
			_ = child.Process.Signal(syscall.SIGINT)
		}
	}()
	var failed *exec.ExitError
	if err := child.Wait(); err != nil && !errors.As(err, &failed) {
		return 0, err
	}
	if code := child.ProcessState.ExitCode(); code >= 0 {
		return code, nil
	}
	return 1, nil // a signal ended it
}
