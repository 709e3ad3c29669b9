package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/failure"
	"deployer/internal/journal"
	"deployer/internal/outcome"
	"deployer/internal/pipeline"
	"deployer/internal/rollout"
)

// reportTime limits the reading of what a report has besides what was seen.
const reportTime = 20 * time.Second

// reportFlags are the flags that say where to write a report.
type reportFlags struct {
	summary, outputs string // files that are appended to; "" for none
}

func (f *reportFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.summary, "summary", "", "append a summary in Markdown to `FILE`, such as $GITHUB_STEP_SUMMARY")
	flags.StringVar(&f.outputs, "outputs", "",
		"append status, outcome, event-id and more to `FILE`, such as $GITHUB_OUTPUT; services has each as JSON")
}

// report collects what became of the deployments of one event, or of one command that
// deploys without one. A nil report collects nothing.
type report struct {
	env *environment.Environment
	reportFlags

	mu  sync.Mutex
	all []deployed
}

// newReport returns the report of a deployment; nil if there is no file for it, or if nothing
// is changed.
func newReport(env *environment.Environment, files reportFlags, dryRun bool) *report {
	if files.summary == "" && files.outputs == "" || dryRun {
		return nil
	}
	return &report{env: env, reportFlags: files}
}

// add adds what became of one service's deployment. revision is the ARN of its revision,
// "" if there is none, and result the end of its rollout, if it was followed.
func (r *report) add(ctx context.Context, s *session, d deployed, t ecsservice.Target, revision string, err error) {
	if r == nil {
		return
	}
	d.Environment, d.Service = r.env.Name, t.Workload
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportTime)
	defer cancel()
	services := ecsservice.New(s.config)
	if record, readErr := services.Record(ctx, t, revision); revision != "" && readErr == nil {
		d.Tag, d.Digest, d.Revision = record.Tag, record.Digest, outcome.Short(record.TaskDefinition)
		d.Actor, d.Reason = record.Actor, record.Reason
		if previous, err := services.Record(ctx, t, record.Previous); record.Previous != "" && err == nil {
			d.Previous = previous.Tag
			if d.Previous == "" {
				d.Previous = outcome.Short(previous.Image)
			}
		}
	}
	if err != nil {
		d.Why, d.Fix = partsOf(err)
		d.Result = resultOf(err)
	}
	if w, ok := s.env.Find(t.Workload, environment.Services...); ok {
		if pointer, ok := w.Pointer.(environment.ECSService); ok {
			d.Console = outcome.DeploymentsPage(pointer.ARN(s.env))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, d)
}

// serviceSeparator is between the names of services of which none was deployed.
const serviceSeparator = ", "

// fail adds that nothing was done, with the status that says so, unless there are results.
func (r *report) fail(names []string, tag, status string, err error) {
	if r == nil || err == nil || len(r.all) > 0 {
		return
	}
	d := deployed{Environment: r.env.Name, Service: strings.Join(names, serviceSeparator), Tag: tag, Status: status}
	d.Why, d.Fix = partsOf(err)
	r.all = append(r.all, d)
}

// write appends the report to its files, and prints annotations as commands of GitHub's runner, unless it is nil.
func (r *report) write(commands io.Writer) error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if commands != nil {
		annotations(commands, r.all)
	}
	return errors.Join(appendTo(r.summary, func(w io.Writer) { markdown(w, r.all) }),
		appendTo(r.outputs, func(w io.Writer) { outputs(w, r.all) }))
}

// appendTo appends to a file what write writes; "" is no file.
func appendTo(name string, write func(io.Writer)) error {
	if name == "" {
		return nil
	}
	var text bytes.Buffer
	write(&text)
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return notWritten(name, err)
	}
	if _, err = file.Write(text.Bytes()); err != nil {
		err = notWritten(name, err)
	}
	return errors.Join(err, file.Close())
}

// checkReports returns an error if a command's report cannot be written: it is found before anything is changed. A pipe
// is not tried, because that it is closed again ends its reader.
func checkReports(cmd *cobra.Command) error {
	for _, name := range []string{"summary", "outputs"} {
		flag := cmd.Flags().Lookup(name)
		if flag == nil || flag.Value.String() == "" || isDryRun(cmd) {
			continue
		}
		if info, err := os.Stat(flag.Value.String()); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
			continue
		}
		if err := appendTo(flag.Value.String(), func(io.Writer) {}); err != nil {
			return err
		}
	}
	return nil
}

// isDryRun reports whether a command is not to change anything.
func isDryRun(cmd *cobra.Command) bool {
	flag := cmd.Flags().Lookup("dry-run")
	return flag != nil && flag.Value.String() == "true"
}

// partsOf returns what is wrong, and the next step as a command, "" if there is none. Of a
// rollout that has ended, it is ECS's reason.
func partsOf(err error) (what, fix string) {
	what = err.Error()
	var parts parted
	if errors.As(err, &parts) {
		what, fix = parts.Parts()
	}
	var ended *rolloutError
	if errors.As(err, &ended) && ended.end.Reason != "" {
		what = ended.end.Reason
		if ended.end.Stopped != "" {
			what += " Stopped tasks: " + ended.end.Stopped
		}
	}
	return what, fix
}

// rolloutError is the error of a rollout that has ended without success.
type rolloutError struct {
	end  rollout.Progress
	left *failure.Report // what it left behind, if it failed; else nil
	error
}

func (e *rolloutError) Unwrap() error { return e.error }

// resultOf returns the end of the rollout that an error is about; "" if there will be none, and unknown if it is not
// about an end.
func resultOf(err error) string {
	var ended *rolloutError
	var decision *decided
	switch {
	case errors.As(err, &ended):
		return string(ended.end.Phase)
	case errors.As(err, &decision) && decision.final() != "":
		return ""
	}
	return unknown
}

// addResults adds the results of requests that were carried out without an event. ends are
// how the rollouts of those that deployed ended, or that run the image already; nil if they
// were not followed.
func (r *report) addResults(ctx context.Context, s *session, cause event.Cause, requests []event.Request,
	result pipeline.Result, ends []error) {
	for i, one := range result.Deployments {
		d := deployed{EventID: cause.ID, Reason: cause.Reason, Status: string(one.Status), Tag: one.Tag,
			Digest: one.Digest}
		if d.Tag == "" {
			d.Tag = requests[i].Tag
		}
		revision, err := one.TaskDefinition, error(nil)
		switch {
		case one.Status == ecsdeploy.Ignored && requests[i].Optional:
			continue
		case one.Status != ecsdeploy.Deployed && one.Status != ecsdeploy.Unchanged:
			revision, d.Why = "", one.Reason
		case len(ends) > 0:
			err, ends = ends[0], ends[1:]
			d.Duration = time.Since(cause.Time)
			if one.Status == ecsdeploy.Deployed {
				d.Result = string(journal.Succeeded)
			}
		}
		r.add(ctx, s, d, ecsservice.TargetOf(s.env, requests[i].Workload), revision, err)
	}
}
