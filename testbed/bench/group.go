package main

import (
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	// fullProcessor is the memory at which Lambda gives a function one processor (Lambda developer guide, "Configure
	// Lambda function memory").
	fullProcessor = 1769
	// period is how often a quota is refilled.
	period = 20 * time.Millisecond
)

// group is a Linux control group whose processes share a part of one processor.
type group struct{ dir string }

// newGroup creates a group with the share of a Lambda function. It fails without control groups, or without root.
func newGroup(megabytes int) (*group, error) {
	quota := period * time.Duration(megabytes) / fullProcessor
	name := fmt.Sprintf("deployer-bench-%d", os.Getpid())
	for _, version := range []struct {
		parent string
		files  map[string]string
	}{
		{"/sys/fs/cgroup/cpu", map[string]string{
			"cpu.cfs_period_us": strconv.FormatInt(period.Microseconds(), 10),
			"cpu.cfs_quota_us":  strconv.FormatInt(quota.Microseconds(), 10),
			"cpu.shares":        "262144", // the most: the quota is the limit, not what else runs
		}},
		{"/sys/fs/cgroup", map[string]string{
			"cpu.max":    fmt.Sprintf("%d %d", quota.Microseconds(), period.Microseconds()),
			"cpu.weight": "10000",
		}},
	} {
		g := &group{filepath.Join(version.parent, name)}
		if os.Mkdir(g.dir, 0o755) != nil {
			continue
		}
		var errs []error
		for file, value := range version.files {
			errs = append(errs, os.WriteFile(filepath.Join(g.dir, file), []byte(value), 0o644))
		}
		if errors.Join(errs...) == nil {
			return g, nil
		}
		g.remove()
	}
	return nil, errors.New("creating a control group with a quota: not possible here")
}

// add moves a process into the group.
func (g *group) add(pid int) {
	file := filepath.Join(g.dir, "cgroup.procs")
	if err := os.WriteFile(file, []byte(strconv.Itoa(pid)), 0o644); err != nil {
		fmt.Fprintf(os.Stderr, "bench: moving process %d into %s: %v\n", pid, g.dir, err)
	}
}

// remove removes the group, whose processes have exited.
func (g *group) remove() { _ = os.Remove(g.dir) } // what stays behind is empty

// certificate writes the certificate of the cloud's TLS server into a file, for SSL_CERT_FILE.
func (b *bench) certificate() (file string, err error) {
	file = filepath.Join(b.dir, "certificate.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: b.tls.Certificate().Raw}
	return file, os.WriteFile(file, pem.EncodeToMemory(block), 0o644)
}
