package cli

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/pipeline"
	"deployer/internal/redrive"
)

// redriveTimeout limits one run of redrive.
const redriveTimeout = time.Hour

// queueNames are the names of the stack's queues for --queue.
var queueNames = []string{"failed", "undelivered"}

// redriveFlags are the flags of redrive.
type redriveFlags struct {
	queue       string
	dryRun, yes bool
	asJSON      bool
	limit       int
	trust       []string
	discard     []string
}

func (a *app) redriveCommand() *cobra.Command {
	var how redriveFlags
	cmd := &cobra.Command{
		Use:   "redrive -e ENV",
		Short: "Handle the events of the failure queues once more",
		Long: `The queues are those of the environment's stack: the function's failure queue, then
the dead-letter queue of the rules. --queue names one: failed, undelivered, or a URL.

Each message is shown with its service, tag, actor and age, and why it is in the
queue. Its event is then handled as the function would, with your own credentials.
A message is deleted if its event was carried out. It stays in the queue if its event
fails, is rejected or ignored, or if you do not want to run it.

Some messages can never succeed, and are shown as such: the event is malformed or not
for this environment, or its rollout failed. Then the reason says what to do instead.
--discard deletes such a message, and runs nothing.

The command does not run messages for another environment or function, messages
that neither the function's role nor EventBridge sent, and outcomes that earlier
versions kept. The reason says what to do instead.

On a terminal, the command asks before it runs an event or discards a message.
Elsewhere, it needs --yes. The exit code is 0 if every message was carried out, 1 if
some stay, and 2 for wrong usage.`,
		Example: `deployer redrive -e prod --dry-run
deployer redrive -e prod
deployer redrive -e prod --queue undelivered --yes
deployer redrive -e prod --discard 5fea7756-0ea4-451a-a703-a558b933e274`,
		Annotations: permissions(slices.Concat([]string{
			"sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage",
			"iam:GetRole (of the function's role, for the failure queue)",
			"ecs:ListTaskDefinitions (for rollbacks)",
			"events:PutEvents (for tasks and rollout events: their outcomes)",
		}, deployActions, platformActions)...),
		Args: arguments(),
	}
	file := fileFlag(cmd)
	asJSON := jsonFlag(cmd)
	how.addTo(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		env, err := a.load(*file)
		if err != nil {
			return err
		}
		how.asJSON = *asJSON
		if err := a.checkRedrive(env, how); err != nil {
			return err
		}
		return a.redrive(cmd.Context(), env, how)
	}
	return cmd
}

// messageID matches the id that SQS gives a message.
var messageID = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// checkRedrive returns an error for values that are wrong, and then for a command line that has to ask without a
// terminal.
func (a *app) checkRedrive(env *environment.Environment, how redriveFlags) error {
	switch {
	case how.limit < 0:
		return wrongUsage("--max %d is negative: 0 is for all", how.limit)
	case how.limit > 0 && len(how.discard) > 0:
		return wrongUsage("--max is for messages that are run: leave it out with --discard")
	}
	if _, err := a.queuesOf(env, how.queue); err != nil {
		return err
	}
	for _, id := range how.discard {
		if !messageID.MatchString(id) {
			what := fmt.Sprintf("--discard %q is not the whole id of a message: it is the first word of the message's "+
				"line", printable(id))
			return &usageError{what, env.Command("redrive", "--dry-run")}
		}
	}
	if !how.dryRun && !how.yes && !a.canAsk() {
		return &usageError{"there is no terminal to ask on: look with --dry-run first, then use --yes",
			commandLine(append(slices.Clone(a.args), "--dry-run")...)}
	}
	return nil
}

// addTo adds the flags of redrive to it.
func (how *redriveFlags) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&how.queue, "queue", "", "`QUEUE` failed, undelivered, or a URL; both if none is named")
	flags.BoolVar(&how.dryRun, "dry-run", false, "report what each event would do, change and delete nothing")
	flags.BoolVar(&how.yes, "yes", false, "run every event, or discard, without asking")
	flags.IntVar(&how.limit, "max", 0, "stop after `N` messages; 0 for all")
	flags.StringSliceVar(&how.trust, "trust-sender", nil,
		"also run messages of the sender with this `ID` (SenderId); may be repeated")
	flags.StringSliceVar(&how.discard, "discard", nil,
		"only delete the message with this `ID`, and run nothing; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("queue", cobra.FixedCompletions(queueNames,
		cobra.ShellCompDirectiveNoFileComp)) // fails only for a flag that does not exist
}

// redrive runs the events of the queues, or discards messages.
func (a *app) redrive(ctx context.Context, env *environment.Environment, how redriveFlags) error {
	ctx, cancel := context.WithTimeout(ctx, redriveTimeout)
	defer cancel()
	s, err := a.connect(ctx, env)
	if err != nil {
		return err
	}
	urls, err := a.queuesOf(s.env, how.queue)
	if err != nil {
		return err
	}
	if one := urls[0]; one != s.env.FailedQueueURL() && one != s.env.UndeliveredQueueURL() {
		a.note("%s is neither %s nor %s: what is not for %s stays in it", printable(one), s.env.FailedQueueURL(),
			s.env.UndeliveredQueueURL(), s.env.FunctionName())
	}
	report := redriveReport{app: a, asJSON: how.asJSON, environment: s.env.Name, dryRun: how.dryRun,
		asks: !how.yes && !how.dryRun, max: how.limit, discards: how.discard,
		discard: discardCommand(s.env, how.queue)}
	if report.asks {
		report.ask = a.newAsker(len(how.discard) > 0).ask
	}
	return report.end(a.redriveAll(ctx, s, urls, how, &report))
}

// redriveAll runs the events of queues. One that the stack does not have is noted.
func (a *app) redriveAll(ctx context.Context, s *session, urls []string, how redriveFlags,
	report *redriveReport) error {
	var missing error
	there := 0
	for _, url := range urls {
		report.queue = url
		if report.quit || how.limit > 0 && report.left() == 0 || len(how.discard) > 0 && len(report.discards) == 0 {
			break
		}
		err := redrive.Run(ctx, s.config, s.env, pipeline.NewRedrive(s.env, s.config), report.options(url, how))
		switch {
		case err != nil && how.queue == "" && fault.HasCode(err, "QueueDoesNotExist"):
			missing = err
			a.note("the stack has no queue %s", url)
		case err != nil:
			return err
		default:
			there++
		}
	}
	if there == 0 {
		return missing
	}
	return nil
}

// discardCommand returns the command line that discards messages, but for their ids.
func discardCommand(env *environment.Environment, queue string) []string {
	args := []string{"redrive", "-f", env.File}
	if env.ByName {
		args = []string{"redrive", "-e", env.Name}
	}
	if queue != "" {
		args = append(args, "--queue", queue)
	}
	return append(args, "--discard")
}

// queuesOf returns the URLs of the queues that --queue names, of both if it names none.
func (a *app) queuesOf(env *environment.Environment, queue string) ([]string, error) {
	failed, undelivered := env.FailedQueueURL(), env.UndeliveredQueueURL()
	switch {
	case queue == "":
		return []string{failed, undelivered}, nil
	case queue == "failed", strings.HasSuffix(failed, "/"+queue):
		return []string{failed}, nil
	case queue == "undelivered", strings.HasSuffix(undelivered, "/"+queue):
		return []string{undelivered}, nil
	case strings.HasPrefix(queue, "https://"), strings.HasPrefix(queue, "http://"):
		return []string{queue}, nil
	}
	return nil, a.unlike(fmt.Sprintf("--queue %s is neither failed nor undelivered nor the URL of a queue",
		printable(queue)), queue, queueNames)
}
