package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"deployer/internal/environment"
	"deployer/internal/pipeline"
	"deployer/internal/redrive"
)

// redriveTimeout limits one run of redrive.
const redriveTimeout = time.Hour

// redriveFlags are the flags of redrive.
type redriveFlags struct {
	queue       string
	dryRun, yes bool
	limit       int
	trust, del  []string
}

func (a *app) redriveCommand() *cobra.Command {
	var how redriveFlags
	cmd := &cobra.Command{
		Use:   "redrive -e ENV --queue URL",
		Short: "Handle the events of a failure queue once more",
		Long: `Each message is shown with its service, tag, actor and age. Its event is then
handled as the function would, with your own credentials. A message is deleted if
its event was carried out. It stays in the queue if its event fails, is rejected or
ignored, or if you do not want to run it. An event whose rollout failed is ignored:
the reason has the command that asks for the deployment again. Delete such a message
with --delete, which runs nothing.

The queue is the function's failure queue or the dead-letter queue of the rules.
The command does not run messages for another environment or function, messages
that neither the function's role nor EventBridge sent, and outcomes that earlier
versions kept. The reason says what to do instead.

On a terminal, the command asks before it runs an event. Elsewhere, it needs --yes.
The exit code is 0 if every message was carried out, 1 if some stay in the queue,
and 2 for wrong usage.`,
		Example: `deployer redrive -e prod --dry-run \
    --queue https://sqs.us-east-1.amazonaws.com/333333333333/myproject_deployer_failed_prod
deployer redrive -e prod --yes \
    --queue https://sqs.us-east-1.amazonaws.com/333333333333/myproject_deployer_failed_prod`,
		Annotations: permissions(slices.Concat([]string{
			"sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage",
			"iam:GetRole (of the function's role, for the failure queue)",
			"ecs:ListTaskDefinitions (for rollbacks)",
		}, deployActions, platformActions)...),
		Args: arguments(),
	}
	file := fileFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&how.queue, "queue", "", "`URL` of the queue")
	flags.BoolVar(&how.dryRun, "dry-run", false, "report what each event would do, change and delete nothing")
	flags.BoolVar(&how.yes, "yes", false, "run every event without asking")
	flags.IntVar(&how.limit, "max", 0, "stop after `N` messages; 0 for all")
	flags.StringSliceVar(&how.trust, "trust-sender", nil,
		"also run messages of the sender with this `ID` (SenderId); may be repeated")
	flags.StringSliceVar(&how.del, "delete", nil,
		"only delete the message with this `ID`, and run nothing; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		env, err := a.load(*file)
		switch {
		case err != nil:
			return err
		case how.queue == "":
			return a.missingQueue(env)
		case !strings.HasPrefix(how.queue, "https://") && !strings.HasPrefix(how.queue, "http://"):
			return a.notURL(env, how.queue)
		case how.limit < 0:
			return wrongUsage("--max %d is negative: 0 is for all", how.limit)
		case !how.dryRun && !how.yes && len(how.del) == 0 && !a.canAsk():
			return &usageError{"there is no terminal to ask on: look with --dry-run first, then run all with --yes",
				commandLine(append(slices.Clone(a.args), "--dry-run")...)}
		}
		return a.redrive(cmd.Context(), env, how)
	}
	return cmd
}

// redrive runs the events of a queue.
func (a *app) redrive(ctx context.Context, env *environment.Environment, how redriveFlags) error {
	ctx, cancel := context.WithTimeout(ctx, redriveTimeout)
	defer cancel()
	s, err := a.connect(ctx, env)
	if err != nil {
		return err
	}
	if how.queue != s.env.FailedQueueURL() && how.queue != s.env.UndeliveredQueueURL() {
		a.note("%s is neither %s nor %s: what is not for %s stays in it", printable(how.queue), s.env.FailedQueueURL(),
			s.env.UndeliveredQueueURL(), s.env.FunctionName())
	}
	report := redriveReport{app: a, dryRun: how.dryRun, discards: how.del,
		discard: []string{"redrive", "-f", s.env.File, "--queue", how.queue, "--delete"}}
	options := redrive.Options{
		QueueURL: how.queue, MaxMessages: how.limit, DryRun: how.dryRun, TrustSenders: how.trust, Delete: how.del,
		Found: report.found, Report: report.add,
	}
	if !how.yes && !how.dryRun {
		options.Ask = a.newAsker().ask
	}
	err = redrive.Run(ctx, s.config, s.env, pipeline.NewRedrive(s.env, s.config), options)
	if err != nil {
		return err
	}
	return report.end()
}

// missingQueue returns the error for a command line without --queue. Its hint has
// the failure queue that deploy/template.yaml creates, if its account is known.
func (a *app) missingQueue(env *environment.Environment) error {
	e := &usageError{what: "the queue is missing: name its URL with --queue"}
	if env.AccountID != "" {
		e.hint = commandLine(append(slices.Clone(a.args), "--queue", env.FailedQueueURL())...)
	}
	return e
}

// notURL returns the error for a --queue that is no URL. Its hint has that of the queue
// with the name, else of the failure queue, if its account is known.
func (a *app) notURL(env *environment.Environment, queue string) error {
	e := &usageError{what: fmt.Sprintf("--queue %s is not the URL of a queue", printable(queue))}
	i := slices.IndexFunc(a.args, func(arg string) bool { return arg == queue || arg == "--queue="+queue })
	if env.AccountID == "" || i < 0 {
		return e
	}
	url := env.FailedQueueURL()
	if undelivered := env.UndeliveredQueueURL(); strings.HasSuffix(undelivered, "/"+queue) {
		url = undelivered
	}
	corrected := slices.Clone(a.args)
	corrected[i] = strings.TrimSuffix(a.args[i], queue) + url
	e.hint = commandLine(corrected...)
	return e
}
