package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// A pattern is one of the patterns of docs/strategies.md.
type pattern struct {
	title   string
	files   string              // the directory of its environment files, under examples/
	readers map[string][]string // further accounts that may pull, by the environment of the registry
	tasks   bool                // whether the project's task is deployed too
	steps   []patternStep
}

// A patternStep is one action of a person or a workflow, with the results of the functions.
type patternStep struct {
	title string
	run   action
	want  []string // "ENVIRONMENT RESULT" in the order of a release; the rollouts of what is deployed end
	ends  string   // how they end: "succeeded", the default, or "failed"

	rollouts int    // further rollouts that end, of people
	quiet    string // printed for prod if it received no event; "" prints nothing
}

// A patternRun is a pattern in the test environment.
type patternRun struct {
	*demo
	pattern
	jobs        *jobs
	permissions *permissions
	root        string // of the project
	dir         string // temporary
	files       string // the directory of the environment files
	cli         string // the path of the command line
	out         io.Writer
}

// rolloutStep is long enough for a command that looks every second to see tasks fail.
const rolloutStep = 400 * time.Millisecond

// showPattern sets up a pattern and runs its steps. It returns an error if a result is not the expected one, if a call
// was denied that should not be, or if a statement of a policy was not used.
func showPattern(ctx context.Context, root, dir string, p pattern, out io.Writer) (err error) {
	r := &patternRun{pattern: p, root: root, dir: dir, cli: filepath.Join(dir, "deployer"), out: out,
		files: filepath.Join(root, "examples", p.files)}
	if r.demo, err = newDemo(ctx, root, filepath.Join(dir, "bootstrap"), &functionLog{}, cloud.Options{
		RolloutStep: rolloutStep, Files: r.files, OwnFiles: true, Readers: p.readers,
		Tasks: p.tasks}); err != nil {
		return err
	}
	defer r.cloud.Close()
	if err := cloud.BuildCommandLine(ctx, root, r.cli); err != nil {
		return err
	}
	r.permissions = newPermissions(r.cloud, p.tasks)
	if r.jobs, err = createJobs(r); err != nil {
		return err
	}
	return r.show(ctx)
}

// show prints the set-up, the steps and the permissions.
func (r *patternRun) show(ctx context.Context) error {
	fmt.Fprintf(r.out, "%s\n\n", r.title)
	if err := r.printServices(ctx, r.out); err != nil {
		return err
	}
	for i, s := range r.steps {
		fmt.Fprintf(r.out, "\n%d. %s\n", i+1, s.title)
		if err := s.run(ctx, r); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		if err := r.cloud.Settle(ctx); err != nil {
			return err
		}
		if err := r.printStep(ctx, s); err != nil {
			return err
		}
	}
	fmt.Fprintln(r.out)
	if err := r.printServices(ctx, r.out); err != nil {
		return err
	}
	fmt.Fprintln(r.out)
	if r.tasks {
		if err := r.printSchedules(ctx, r.out, cloud.Task+":4"); err != nil {
			return err
		}
		fmt.Fprintln(r.out)
	}
	return r.permissions.print(r.out)
}

// printStep prints what the functions did, and how the rollouts ended.
func (r *patternRun) printStep(ctx context.Context, s patternStep) error {
	plain := step{title: s.title, want: s.want, width: 100}
	results := r.log.takeResults()
	if err := plain.printResults(results, r.out); err != nil {
		return err
	}
	prod := slices.ContainsFunc(results, func(result result) bool { return result.env == "prod" })
	if s.quiet != "" {
		if prod {
			return fmt.Errorf("%s: an event reached prod", s.title)
		}
		printRow(r.out, "prod", "no event", s.quiet)
	}
	want := s.ends
	if want == "" {
		want = "succeeded"
	}
	ends, err := plain.printEnds(ctx, r.log, s.rollouts, r.out)
	if err != nil {
		return err
	}
	for _, end := range ends {
		if end.kind() != want {
			return fmt.Errorf("%s: the rollout in %s %s", s.title, end.env, end.kind())
		}
	}
	return nil
}

// command runs the command line with the role of a job, which assumes it first, or of a person.
func (r *patternRun) command(ctx context.Context, role string, line string) error {
	if env, ok := r.jobs.roles[role]; ok {
		if _, err := r.jobs.assume(ctx, role, env); err != nil {
			return err
		}
	}
	account, name := r.jobs.split(role)
	cmd := r.deployer(ctx, line)
	cmd.Env = append(cmd.Env, "AWS_ACCESS_KEY_ID="+account+"-"+name, "AWS_SECRET_ACCESS_KEY=any")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("deployer %s: %w\n%s", line, err, text)
	}
	return nil
}

// output returns what a command prints that needs no credentials.
func (r *patternRun) output(ctx context.Context, line string) ([]byte, error) {
	text, err := r.deployer(ctx, line).Output()
	if err != nil {
		return nil, fmt.Errorf("deployer %s: %w", line, err)
	}
	return text, nil
}

// deployer returns a command line of the deployer without credentials.
func (r *patternRun) deployer(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, r.cli, strings.Fields(line)...)
	cmd.Dir = r.files
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir, "AWS_ENDPOINT_URL=" + r.cloud.URL,
		"AWS_REGION=" + accounts.Region, "AWS_EC2_METADATA_DISABLED=true"}
	return cmd
}
