package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// commands are the ones whose output the picture shows.
var commands = []string{"deployer status -e prod --utc", "deployer history -e prod backend --utc"}

// nextRun is when a task runs next by this machine's clock, and shown what the picture has in its place.
var nextRun = regexp.MustCompile(`next run 20\S+Z`)

const shown = "next run 2026-01-23T02:00:00Z"

// record makes some deployments and returns what the commands print on a terminal, with its escape sequences.
func record(ctx context.Context, root, dir string) (string, error) {
	r, program, err := deployed(ctx, root, dir)
	if err != nil {
		return "", err
	}
	defer r.Close()
	var screen strings.Builder
	for i, command := range commands {
		if i > 0 {
			screen.WriteString("\n")
		}
		out, err := r.terminal(ctx, root, program, command)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&screen, "\x1b[1m$ %s\x1b[0m\n%s", command, out)
	}
	return screen.String(), nil
}

// deployed returns an environment after some deployments, and the command line's program.
func deployed(ctx context.Context, root, dir string) (_ *recorder, program string, err error) {
	r := &recorder{now: time.Date(2026, 1, 22, 8, 2, 11, 0, time.UTC)}
	program = filepath.Join(dir, "deployer")
	bootstrap := filepath.Join(dir, "bootstrap")
	if err := cloud.BuildBootstrap(ctx, root, bootstrap); err != nil {
		return nil, "", err
	}
	if err := cloud.BuildCommandLine(ctx, root, program); err != nil {
		return nil, "", err
	}
	r.Cloud, err = cloud.New(ctx, cloud.Options{
		Root: root, Bootstrap: bootstrap, RolloutStep: time.Minute, Clock: r.clock,
	})
	if err != nil {
		return nil, "", err
	}
	if err := r.deployments(ctx); err != nil {
		r.Close()
		return nil, "", err
	}
	return r, program, nil
}

// recorder is the environment that is recorded. AWS's clock advances only as the recorder says.
type recorder struct {
	*cloud.Cloud
	mu  sync.Mutex
	now time.Time
}

func (r *recorder) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// wait advances AWS's clock by some minutes and handles what happens in each.
func (r *recorder) wait(ctx context.Context, minutes int) error {
	for range minutes {
		r.mu.Lock()
		r.now = r.now.Add(time.Minute)
		r.mu.Unlock()
		r.AWS.Tick()
		if err := r.Settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// deployments makes the deployments that the picture shows: one that succeeded and one that ECS rolled back, a tag that
// moved on, and a rollout in progress.
func (r *recorder) deployments(ctx context.Context) error {
	push := func(repository, content, tag string) (digest string, err error) {
		return r.Accounts["dev"].Push(ctx, cloud.Project+"_"+repository, content, tag)
	}
	deploy := func(service, tag, actor, reason string) func() error {
		return func() error { return r.deploy(ctx, service, tag, actor, reason) }
	}
	wait := func(minutes int) func() error { return func() error { return r.wait(ctx, minutes) } }
	if err := r.wait(ctx, 5); err != nil { // so that the images are newer than those that run
		return err
	}
	broken, err := push("backend", "backend v3", "git-0badc0d")
	if err != nil {
		return err
	}
	r.AWS.FailImage(broken)
	images := [][3]string{
		{"backend", "backend v2", "git-abc123f"},
		{"service_worker", "worker v2", "stable"},
		{"service_web-api", "web-api v2", "git-77e0d12"},
	}
	for _, image := range images {
		if _, err := push(image[0], image[1], image[2]); err != nil {
			return err
		}
	}
	for _, step := range []func() error{
		deploy("worker", "stable", "ada", "drain the queue faster"), wait(12),
		deploy("backend", "git-abc123f", "ada", "fix the login"), wait(47),
		deploy("backend", "git-0badc0d", "grace", "faster search"), wait(20),
		func() error { _, err := push("service_worker", "worker v3", "stable"); return err }, wait(6),
		deploy("web-api", "git-77e0d12", "grace", "rate limits"),
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// deploy sends prod a DEPLOY event.
func (r *recorder) deploy(ctx context.Context, service, tag, actor, reason string) error {
	detail := fmt.Sprintf(`{"service":%q,"tag":%q,"actor":%q,"reason":%q}`, service, tag, actor, reason)
	out, err := eventbridge.NewFromConfig(r.Accounts["prod"].Config).PutEvents(ctx, &eventbridge.PutEventsInput{
		Entries: []types.PutEventsRequestEntry{{
			Source: aws.String("action.production"), DetailType: aws.String("DEPLOY"),
			Detail: aws.String(detail),
		}},
	})
	if err != nil {
		return err
	}
	if out.FailedEntryCount > 0 {
		return fmt.Errorf("putting an event: %s", aws.ToString(out.Entries[0].ErrorMessage))
	}
	return r.Settle(ctx)
}

// terminal runs a command on a pseudo-terminal, which script(1) makes, and returns what it prints there. A command that
// exits 1, as `deployer status` does after a failed rollout, is not an error.
func (r *recorder) terminal(ctx context.Context, root, program, command string) (string, error) {
	shell := strings.Replace(command, "deployer", program, 1)
	run := exec.CommandContext(ctx, "script", "--quiet", "--command", shell, os.DevNull)
	run.Dir = filepath.Join(root, "examples", "centralized-dev-ecr")
	run.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+r.URL, "AWS_REGION="+accounts.Region,
		"AWS_ACCESS_KEY_ID="+accounts.Prod, "AWS_SECRET_ACCESS_KEY=any", "AWS_EC2_METADATA_DISABLED=true",
		"TERM=xterm", "NO_COLOR=")
	out, err := run.Output()
	if err != nil {
		return "", fmt.Errorf("running %q on a terminal: %w", command, err)
	}
	return nextRun.ReplaceAllString(strings.ReplaceAll(string(out), "\r\n", "\n"), shown), nil
}
