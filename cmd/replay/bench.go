package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"deployer/internal/emulator"
	"deployer/internal/emulator/infra"
	"deployer/internal/lambdahost"
)

const (
	project = "p"
	cluster = "p_cluster_dev"
	account = infra.Dev
	region  = infra.Region
)

// bench is one environment with many services on emulated AWS, and the
// function's real bootstrap in several processes.
type bench struct {
	aws      *emulator.Emulator
	url      string
	account  *infra.Account
	function *lambdahost.Host
	dir      string
	stop     func() error // of serving aws

	mu       sync.Mutex
	statuses map[string]int      // how often each message was logged
	failed   []lambdahost.Record // what went to the failure queue
}

func serviceName(i int) string { return fmt.Sprintf("s%02d", i) }

func ecsName(i int) string { return project + "_service_" + serviceName(i) + "_dev" }

// newBench builds the bootstrap, makes the services, each at revision 1 with
// its image v0, and starts the function. The emulator's clock is two minutes
// behind: events can be of the last minute, and later than what runs.
func newBench(ctx context.Context, root string, services, processes int, options emulator.Options, autoDeploy string) (*bench, error) {
	b := &bench{statuses: map[string]int{}}
	var err error
	if b.dir, err = os.MkdirTemp("", "deployer-replay-"); err != nil {
		return nil, err
	}
	if err := b.start(ctx, root, services, processes, options, autoDeploy); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bench) start(ctx context.Context, root string, services, processes int, options emulator.Options, autoDeploy string) error {
	bootstrap := filepath.Join(b.dir, "bootstrap")
	if err := infra.BuildBootstrap(ctx, root, bootstrap); err != nil {
		return err
	}
	b.aws = emulator.New(options)
	var err error
	if b.url, b.stop, err = infra.Serve(b.aws); err != nil {
		return err
	}
	b.account = infra.Connect(b.url, account, region)
	if err := b.account.Cluster(ctx, cluster); err != nil {
		return err
	}
	file := "project: p\nenv: dev\nregion: us-east-1\naccount_id: \"" + account + "\"\ndeployer: {auto_deploy: [" + autoDeploy + "]}\nservices:\n"
	for i := range services {
		file += "  - name: " + serviceName(i) + "\n"
		repository := project + "_service_" + serviceName(i)
		if _, err := b.account.Push(ctx, repository, "v0", "v0"); err != nil {
			return err
		}
		if _, err := b.account.Service(ctx, cluster, ecsName(i), account+".dkr.ecr."+region+".amazonaws.com/"+repository+":v0"); err != nil {
			return err
		}
	}
	path := filepath.Join(b.dir, "environment.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		return err
	}
	b.function, err = lambdahost.Start(ctx, lambdahost.Options{
		Bootstrap: bootstrap, Env: map[string]string{"AWS_ENDPOINT_URL": b.url}, FunctionARN: "arn:aws:lambda:us-east-1:" + account + ":function:deployer",
		AccessKeyID: account, SecretAccessKey: "any", Timeout: 2 * time.Minute, Concurrency: processes,
		RetryWaits: []time.Duration{50 * time.Millisecond, 100 * time.Millisecond}, Logs: (*log)(b),
		OnFailure: func(r lambdahost.Record) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.failed = append(b.failed, r)
		},
	})
	return err
}

func (b *bench) close() {
	if b.function != nil {
		b.function.Close()
	}
	if b.stop != nil {
		b.stop()
	}
	os.RemoveAll(b.dir)
}

// log counts the functions' log lines by what they say.
type log bench

func (l *log) Write(line []byte) (int, error) {
	var entry struct{ Message string }
	if json.Unmarshal(bytes.TrimSpace(line), &entry) == nil {
		l.mu.Lock()
		l.statuses[entry.Message]++
		l.mu.Unlock()
	}
	return len(line), nil
}

// attempts returns how often each invocation was tried, by request id.
func (b *bench) attempts() map[string]int {
	n := map[string]int{}
	for _, r := range b.function.Requests() {
		rest, ok := strings.CutPrefix(r.Path, "/2018-06-01/runtime/invocation/")
		if id, what, isAnswer := strings.Cut(rest, "/"); ok && isAnswer && (what == "response" || what == "error") {
			n[id]++
		}
	}
	return n
}
