package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/cloud"
	"deployer/testbed/lambdahost"
)

// steps is how often the process is measured.
const steps = 10

// The limits in MB: of memory, and of how much it grows from the first half of the events to the second. It rises and
// falls with each collection of the heap, so the least of each half is compared.
const (
	maxMemory = 64
	maxGrowth = 8
)

// perDeployment is how far AWS's clock advances for each deployment, and rolloutStep how long a phase of its rollout
// takes: it has ended before the next one. ECS lists only the deployments that are not over, so that its answers do not
// grow.
const (
	perDeployment = 20 * time.Second
	rolloutStep   = time.Second
)

// soak is one bootstrap on emulated AWS, which has a clock of its own.
type soak struct {
	aws    *emulator.Emulator
	stop   func() error
	dir    string
	host   *lambdahost.Host
	passed atomic.Int64 // deployments since the start
	began  time.Time
}

// start builds the bootstrap and starts it on an environment with one service and two images.
func start(ctx context.Context, root string) (s *soak, err error) {
	s = &soak{began: time.Now().Add(-30 * 24 * time.Hour).UTC()}
	s.aws = emulator.New(emulator.Options{Clock: s.now, RolloutStep: rolloutStep})
	url, stop, err := emulator.Serve(s.aws)
	if err != nil {
		return nil, err
	}
	s.stop = stop
	if s.dir, err = os.MkdirTemp("", "deployer-soak-"); err == nil {
		err = s.setUp(ctx, root, url)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *soak) now() time.Time { return s.began.Add(time.Duration(s.passed.Load()) * perDeployment) }

func (s *soak) setUp(ctx context.Context, root, url string) error {
	bootstrap := filepath.Join(s.dir, "bootstrap")
	if err := cloud.BuildBootstrap(ctx, root, bootstrap); err != nil {
		return err
	}
	dev := accounts.Connect(url, accounts.Dev, accounts.Region)
	file, err := cloud.ManyServices(ctx, dev, 1, false)
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if _, err := dev.PushIndex(ctx, "p_service_s0", tag, []string{"linux/amd64"}, tag); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(s.dir, "environment.yaml"), []byte(file), 0o600); err != nil {
		return err
	}
	s.host, err = lambdahost.Start(ctx, lambdahost.Options{
		Bootstrap: bootstrap, Env: map[string]string{"AWS_ENDPOINT_URL": url}, Timeout: time.Minute,
		FunctionARN: "arn:aws:lambda:" + accounts.Region + ":" + accounts.Dev + ":function:deployer",
		AccessKeyID: accounts.Dev, SecretAccessKey: "any", Concurrency: 1,
	})
	return err
}

func (s *soak) close() {
	if s.host != nil {
		s.host.Close()
	}
	s.stop()
	os.RemoveAll(s.dir)
}

// tags are deployed in turn, so that each event changes the service.
var tags = []string{"a", "b"}

// run sends a number of events of each kind, prints what the process uses after each tenth, and fails if that grows.
func (s *soak) run(ctx context.Context, events int, out io.Writer) error {
	fmt.Fprintln(out, "| deployments | ignored | memory | open files |\n|--:|--:|--:|--:|")
	var halves [2][]usage
	for i := range events {
		if err := s.deploy(ctx, i); err != nil {
			return err
		}
		if err := s.send(ctx, `{"source":"aws.ecs","detail-type":"Something else"}`, `"status":"ignored"`); err != nil {
			return err
		}
		if (i+1)%max(1, events/steps) > 0 {
			continue
		}
		u, err := s.usage()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "| %d | %d | %.1f MB | %d |\n", i+1, i+1, u.megabytes, u.files)
		if u.megabytes > maxMemory {
			return fmt.Errorf("it uses %.1f MB, at most %d are right", u.megabytes, maxMemory)
		}
		half := min(1, 2*i/events)
		halves[half] = append(halves[half], u)
		s.aws.ResetCalls()
	}
	first, second := least(halves[0]), least(halves[1])
	if second.megabytes > first.megabytes+maxGrowth || second.files > first.files+2 {
		return fmt.Errorf("it grew from %.1f to %.1f MB, and from %d to %d open files",
			first.megabytes, second.megabytes, first.files, second.files)
	}
	return nil
}

// least returns the least of each figure, without the first one: the heap grows until it is collected once.
func least(all []usage) usage {
	if len(all) == 0 {
		return usage{}
	}
	u := all[0]
	if len(all) > 1 {
		all, u = all[1:], all[1]
	}
	for _, one := range all {
		u.megabytes, u.files = min(u.megabytes, one.megabytes), min(u.files, one.files)
	}
	return u
}

// deploy sends the event number i that deploys.
func (s *soak) deploy(ctx context.Context, i int) error {
	s.passed.Add(1)
	event := fmt.Sprintf(`{"version":"0","id":"e%d","detail-type":"DEPLOY","source":"action.dev","account":%q,`+
		`"time":%q,"region":%q,"resources":[],"detail":{"service":"s0","tag":%q}}`,
		i, accounts.Dev, s.now().Format(time.RFC3339), accounts.Region, tags[i%len(tags)])
	return s.send(ctx, event, `"status":"deployed"`)
}

// send invokes the function, and checks that its answer has a part.
func (s *soak) send(ctx context.Context, event, part string) error {
	response, err := s.host.Invoke(ctx, []byte(event))
	if err == nil && (response.FunctionError != "" || !bytes.Contains(response.Payload, []byte(part))) {
		err = fmt.Errorf("event %s: got %s, want %s", event, response.Payload, part)
	}
	return err
}

// usage is what a process uses.
type usage struct {
	megabytes float64
	files     int
}

// usage measures the bootstrap; it is an error if there was more than one.
func (s *soak) usage() (u usage, err error) {
	all := s.host.Stats().Processes
	if len(all) != 1 {
		return u, fmt.Errorf("%d processes were started, want 1", len(all))
	}
	proc := fmt.Sprintf("/proc/%d", all[0].PID)
	files, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		return u, err
	}
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		return u, err
	}
	_, after, _ := bytes.Cut(status, []byte("\nVmRSS:"))
	var kb float64
	if _, err := fmt.Sscanf(string(after), "%g kB", &kb); err != nil {
		return u, fmt.Errorf("reading VmRSS of process %d: %w", all[0].PID, err)
	}
	return usage{kb / 1024, len(files)}, nil
}
