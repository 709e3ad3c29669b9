package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// A step is one event and its expected results.
type step struct {
	title string
	run   func(context.Context, *demo) error
	want  []string // "ENVIRONMENT RESULT" in the order of a release
	width int      // of the details; 0 for all of them
	quiet string   // printed for the environments that receive no event; "" prints nothing
}

// putEvents is the command for the DEPLOY event of a tag.
const putEvents = `aws events put-events --entries \
     'Source=action.production,DetailType=DEPLOY,Detail="{\"service\":\"backend\",\"tag\":\"%s\"}"'`

var steps = []step{{
	title: "CI pushes a new backend to dev's registry as git-abc123f and as latest.",
	run: func(ctx context.Context, d *demo) error {
		_, err := d.cloud.Accounts["dev"].Push(ctx, cloud.Project+"_backend", "backend v2", "git-abc123f", "latest")
		return err
	},
	want:  []string{"dev deployed", "dev ignored", "staging deployed", "staging ignored"},
	quiet: prodQuiet,
}, {
	title: "A person deploys it to prod:\n   " + fmt.Sprintf(putEvents, "git-abc123f"),
	run:   deployToProd("git-abc123f"),
	want:  []string{"prod deployed"},
}, {
	title: "The same with a tag that does not exist (git-0000000).",
	run:   deployToProd("git-0000000"),
	want:  []string{"prod rejected"},
}, {
	title: "The DEPLOY event of git-abc123f again.",
	run:   deployToProd("git-abc123f"),
	want:  []string{"prod unchanged"},
}, {
	title: "CI pushes a new image of the scheduled task nightly-report as latest.",
	run:   pushTask,
	want:  []string{"dev deployed", "staging deployed"},
	quiet: prodQuiet,
}}

// deployToProd sends the event of putEvents.
func deployToProd(tag string) func(context.Context, *demo) error {
	return func(ctx context.Context, d *demo) error {
		detail := fmt.Sprintf(`{"service":"backend","tag":%q}`, tag)
		return d.putEvent(ctx, accounts.Prod, "action.production", "DEPLOY", detail)
	}
}

// showSteps runs the steps and prints their results. It returns an error if a result is not the expected one.
func (d *demo) showSteps(ctx context.Context, out io.Writer) error {
	fmt.Fprint(out, "One project, three environments in three accounts. All use dev's ECR registry "+
		"(strategy \"centralized dev ECR\").\n\n")
	if err := d.printServices(ctx, out); err != nil {
		return err
	}
	for i, s := range steps {
		fmt.Fprintf(out, "\n%d. %s\n", i+1, s.title)
		if err := s.run(ctx, d); err != nil {
			return err
		}
		if err := d.cloud.Settle(ctx); err != nil {
			return err
		}
		if err := s.printResults(d.log.takeResults(), out); err != nil {
			return err
		}
		if _, err := s.printEnds(ctx, d.log, 0, out); err != nil {
			return err
		}
	}
	fmt.Fprintln(out)
	if err := d.printServices(ctx, out); err != nil {
		return err
	}
	fmt.Fprintln(out)
	if err := d.printSchedules(ctx, out, cloud.Task+":1"); err != nil {
		return err
	}
	return d.checkRevisions(ctx)
}

// printResults prints the results of the step. It returns an error unless they are the expected ones.
func (s step) printResults(results []result, out io.Writer) error {
	var got []string
	for _, r := range results {
		got = append(got, r.env+" "+r.kind())
		detail := r.Reason + r.Error
		if r.kind() == "deployed" {
			revision := r.TaskDefinition[strings.LastIndex(r.TaskDefinition, ":")+1:]
			detail = r.Service + " " + r.Tag + " is revision " + revision + ": " + r.Reason
		}
		printRow(out, r.env, r.kind(), s.cut(detail))
	}
	for _, env := range cloud.Environments {
		received := slices.ContainsFunc(results, func(r result) bool { return r.env == env.Name })
		if s.quiet != "" && !received {
			printRow(out, env.Name, "no event", s.quiet)
		}
	}
	if !slices.Equal(got, s.want) {
		return fmt.Errorf("%s: got %q, want %q", s.title, got, s.want)
	}
	return nil
}

// printEnds waits for the rollouts of the step to end, and for more, and prints their outcomes.
func (s step) printEnds(ctx context.Context, log *functionLog, more int, out io.Writer) ([]outcome, error) {
	deployed := more
	for _, want := range s.want {
		if strings.HasSuffix(want, " deployed") {
			deployed++
		}
	}
	ends, err := log.takeEnds(ctx, deployed)
	for _, o := range ends {
		printRow(out, o.env, o.kind(), s.cut(o.Summary))
	}
	return ends, err
}

// due is when a task runs next, with the hour.
var due = regexp.MustCompile(`due at [0-9-]+T([0-9]+:[0-9]+):[0-9:+Z-]+`)

// cut shortens a detail to the step's width. Of when a task is due, it leaves the hour.
func (s step) cut(detail string) string {
	if s.width > 0 {
		detail = due.ReplaceAllString(detail, "due at $1")
	}
	if runes := []rune(detail); s.width > 0 && len(runes) > s.width {
		return string(runes[:s.width-1]) + "…"
	}
	return detail
}

func printRow(out io.Writer, env, what, detail string) {
	fmt.Fprintf(out, "   %-8s %-10s %s\n", env, what, detail)
}
