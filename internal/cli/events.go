package cli

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/logs"
)

// functionLog returns the reader of the log of an environment's function.
func (s *session) functionLog() *logs.Reader {
	return logs.New(s.config, "/aws/lambda/"+s.env.FunctionName())
}

func (a *app) eventsCommand() *cobra.Command {
	since, asJSON := time.Hour, false
	cmd := &cobra.Command{
		Use:   "events -e ENV [SERVICE | EVENT-ID]",
		Short: "List what the deployer decided about events, or all about one",
		Long: `The decisions are read from the function's log, the newest first: which event, for
which service and tag, what was decided, and why. Among them are the messages in the
stack's queues: what was rejected, failed for good, or could not be delivered. With
SERVICE, the list has every push to its repository, every DEPLOY event that names it,
and what names no service. ROLLOUT is how the rollout of a deployed event ended, by the
outcome in the log; it is "not known" if the log has none.

With the id of an event, everything about it is printed, the oldest first: every line,
each attempt, how the rollouts ended, and whether the event is in a queue. An event that
is in neither never reached the function: the command says what to check. The
first characters of an id suffice; narrow tables show as many as are needed.

The queues are looked at, and nothing is removed from them: each message is hidden from
other receivers for a moment, and counts as received once more.`,
		Example: `deployer events -e prod
deployer events -e prod backend --since 24h
deployer events -e prod 2ff38a69-2b38-49e5-9d48-62b59a1c6365
deployer events -e prod 2ff38a69`,
		Annotations: permissions(slices.Concat([]string{"logs:FilterLogEvents",
			"sqs:ReceiveMessage (optional: what is in the queues)",
			"sqs:ChangeMessageVisibility (optional: shows the messages to other receivers at once)",
			"ecs:DescribeTaskDefinition (of one event; optional: how its rollouts ended)",
			"events:DescribeRule (of one event; optional: says whether a rule is disabled)"},
			listedPermissions)...),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return arguments("SERVICE")(cmd, args)
		},
	}
	file, how := fileFlag(cmd), lookFlags(cmd)
	cmd.Flags().DurationVar(&since, "since", since, "`TIME` to look back; for an event, at least a day")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	cmd.ValidArgsFunction = completeServices(file, 1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		env, err := a.load(*file)
		if err != nil {
			return err
		}
		ctx, cancel := withTimeout(cmd.Context())
		defer cancel()
		s, err := a.connect(ctx, env)
		if err != nil {
			return err
		}
		service, id := eventArgument(env, args)
		if id != "" {
			return a.about(ctx, s, id, max(since, 24*time.Hour), asJSON, how.on(a.out))
		}
		return a.decisions(ctx, s, service, since, asJSON, how.on(a.out))
	}
	return cmd
}

// eventID matches the beginning of what EventBridge and the command line give events as id.
// The argument events takes another word for a mistyped service, unless the log has it.
var eventID = regexp.MustCompile(`^(cli-)?[0-9A-Za-z]*[0-9][0-9A-Za-z]*-?[0-9A-Za-z-]*$`)

// eventArgument returns the service or the event that the argument names.
func eventArgument(env *environment.Environment, args []string) (service, id string) {
	if len(args) == 0 {
		return "", ""
	}
	if w, ok := env.Find(args[0], slices.Concat(environment.Services, environment.Tasks)...); ok {
		return w.Label(), ""
	}
	return "", args[0]
}

// printEntry prints a line of the function's log for people.
func printEntry(w io.Writer, c canvas, e logs.Entry) {
	what := e.Message
	for _, part := range []string{e.Service, e.Tag} {
		if part != "" {
			what += " " + part
		}
	}
	if why := whyOf(e); why != "" {
		what += ": " + why
	}
	fmt.Fprint(w, c.item(c.moment(e.At)+"  ", printable(what), 4))
}

func (a *app) logsCommand() *cobra.Command {
	var since time.Duration
	var follow bool
	cmd := &cobra.Command{
		Use:   "logs -e ENV",
		Short: "Print the function's log, readable",
		Long: `Each line of the function's log in CloudWatch Logs is printed with its time, its
message, and its reason or error. Lines of Lambda itself are left out.`,
		Example: `deployer logs -e prod
deployer logs -e prod --since 24h
deployer logs -e prod --follow`,
		Annotations: permissions("logs:FilterLogEvents"),
		Args: func(cmd *cobra.Command, args []string) error {
			if i := slices.Index(a.args, "logs"); len(args) == 1 && i >= 0 && a.withEnvFlag(cmd) == "" {
				return &usageError{fmt.Sprintf("the log is of all services: %q is one argument too many", args[0]),
					commandLine(slices.Replace(slices.Clone(a.args), i, i+1, "events")...)}
			}
			return arguments()(cmd, args)
		},
	}
	file, how := fileFlag(cmd), lookFlags(cmd)
	cmd.Flags().DurationVar(&since, "since", 10*time.Minute, "`TIME` to look back")
	cmd.Flags().BoolVar(&follow, "follow", false, "print new lines until interrupted")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *asJSON && follow {
			return wrongUsage("--follow and --json exclude each other: the document would have no end")
		}
		env, err := a.load(*file)
		if err != nil {
			return err
		}
		ctx, cancel := withTimeout(cmd.Context())
		defer cancel()
		s, err := a.connect(ctx, env)
		if err != nil {
			return err
		}
		if *asJSON {
			return a.logLines(ctx, s, time.Now().Add(-since))
		}
		return a.tail(cmd.Context(), s, time.Now().Add(-since), follow, how.on(a.out))
	}
	return cmd
}

// logLines prints the lines of the function's log as one document.
func (a *app) logLines(ctx context.Context, s *session, since time.Time) error {
	lines, err := s.functionLog().Lines(ctx, since)
	if err != nil {
		return err
	}
	entries := []logs.Entry{}
	for _, l := range lines {
		if e, ok := logs.Parse(l); ok {
			entries = append(entries, e)
		}
	}
	return printJSON(a.out, entries)
}

// tail prints the function's log, and with follow what is added until ctx ends.
func (a *app) tail(ctx context.Context, s *session, since time.Time, follow bool, c canvas) error {
	printed, reasons, shown := map[logs.Line]bool{}, shownReasons{}, false
	for {
		limited, cancel := withTimeout(ctx)
		lines, err := s.functionLog().Lines(limited, since)
		cancel()
		if ctx.Err() != nil {
			return nil // interrupted
		}
		if err != nil {
			return err
		}
		c.now = time.Now()
		for _, l := range lines {
			if e, ok := logs.Parse(l); ok && !printed[l] && !reasons.repeats(e) {
				printEntry(a.out, c, e)
				shown = true
			}
			printed[l] = true
		}
		if !shown && !follow {
			a.note("nothing was logged since %s; look further back with --since", since.UTC().Format(time.RFC3339))
		}
		if !follow || fault.Wait(ctx, watchInterval) != nil {
			return nil
		}
	}
}
