package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/outcome"
	"deployer/internal/pipeline"
	"deployer/internal/redrive"
)

// redriveTimeout limits one run of redrive.
const redriveTimeout = time.Hour

func (a *app) redriveCommand() *cobra.Command {
	var queue string
	var dryRun bool
	var limit int
	cmd := &cobra.Command{
		Use:   "redrive -f FILE --queue URL",
		Short: "Handle the events of a failure queue once more",
		Long: `Each message's event is handled as the function would, with your own credentials.
A message is deleted once its event is done; one whose event fails or is rejected
stays in the queue. The queue is the function's failure queue or the dead-letter
queue of the rules.`,
		Example: `deployer redrive -f project/prod.yaml --dry-run \
    --queue https://sqs.us-east-1.amazonaws.com/333333333333/myproject_deployer_failed_prod`,
		Annotations: permissions(slices.Concat([]string{
			"sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage",
			"ecs:ListTaskDefinitions (for rollbacks)",
		}, deployActions, platformActions)...),
		Args: arguments(),
	}
	file := fileFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&queue, "queue", "", "`URL` of the queue")
	flags.BoolVar(&dryRun, "dry-run", false, "report what each event would do, change and delete nothing")
	flags.IntVar(&limit, "max", 0, "stop after `N` messages; 0 for all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		env, err := a.load(*file)
		switch {
		case err != nil:
			return err
		case queue == "":
			return a.missingQueue(env)
		case limit < 0:
			return wrongUsage("--max %d is negative: 0 is for all", limit)
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), redriveTimeout)
		defer cancel()
		s, err := connect(ctx, env)
		if err != nil {
			return err
		}
		report := redriveReport{app: a, dryRun: dryRun}
		p := pipeline.NewRedrive(s.env, s.config)
		if err := redrive.Run(ctx, s.config, queue, p, limit, dryRun, report.add); err != nil {
			return err
		}
		return report.end()
	}
	return cmd
}

// missingQueue returns the error for a command line without --queue. Its hint has
// the failure queue that deploy/template.yaml creates, if its account is known.
func (a *app) missingQueue(env *environment.Environment) error {
	e := &usageError{what: "the queue is missing: name its URL with --queue"}
	if env.AccountID != "" {
		url := fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/%s_deployer_failed_%s",
			env.Region, env.AccountID, env.Project, env.Name)
		e.hint = commandLine(append(slices.Clone(a.args), "--queue", url)...)
	}
	return e
}

// redriveReport prints the result of each message, and counts them.
type redriveReport struct {
	app        *app
	dryRun     bool
	done, kept int
}

func (r *redriveReport) add(m redrive.Report) {
	switch {
	case m.Err != nil:
		r.kept++
		fmt.Fprintf(r.app.out, "%s: kept: %s\n", m.MessageID, m.Err)
	case r.dryRun:
		r.done++
		why := ""
		if m.Why != "" {
			why = " (it is in the queue because of " + outcome.Line(m.Why, 300) + ")"
		}
		status := m.Result.Status
		if status == ecsdeploy.Planned {
			status = ecsdeploy.Deployed
		}
		fmt.Fprintf(r.app.out, "%s: event %s would be %s: %s%s\n",
			m.MessageID, m.Result.EventID, status, m.Result.Reason, why)
	default:
		r.done++
		fmt.Fprintf(r.app.out, "%s: event %s %s: %s\n", m.MessageID, m.Result.EventID, m.Result.Status, m.Result.Reason)
	}
}

// end prints the counts. Messages that were kept are an error.
func (r *redriveReport) end() error {
	done := "done"
	if r.dryRun {
		done = "would be done"
	}
	r.app.note("%d messages %s, %d kept", r.done, done, r.kept)
	if r.kept > 0 {
		return errNotDone
	}
	return nil
}
