// Package cli is the deployer's command line. A command is in the file of its name; logs is in events.go, and continue
// and stop are in pause.go. What they share:
//
//   - cli.go builds the tree of commands; help.go prints it, with the IAM actions that each command lists.
//   - find.go and choose.go find the environment files, environment.go and credentials.go the account.
//   - usage.go, suggest.go and habit.go answer wrong usage; errors.go and exit.go print errors and choose exit codes.
//   - canvas.go and table.go lay out texts and tables, json.go documents.
//   - follow.go, progress.go and failure.go show a rollout until its end.
package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"deployer/internal/rollout"
)

func init() { cobra.EnableCommandSorting = false } // the overview has the order of groups

// app is one run of the command line.
type app struct {
	in       io.Reader // what a person types
	out, err io.Writer // results, and everything else
	commands io.Writer // for commands of GitHub's runner; nil outside of a job
	args     []string  // the command line without the program's name

	patience time.Duration // how long a rollout is followed; 0 for followTimeout
	rejoin   string        // the command that follows a rollout again; "" for a plain wait
	profile  string        // the AWS profile that the command line names

	byName map[string]string // the environments that were named, by their files

	reports bool // the command writes its report itself

	warned []string // the environment files whose warnings were printed

	seen func(rollout.Progress) // receives the progress of a rollout that is followed; nil for none
}

// Run runs the command line and returns its exit code, see [exitCode]. Results go to out,
// everything else to errs.
func Run(args []string, out, errs io.Writer) (exit int) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // a command prints messages for people, not a log
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the command even if it does not look at ctx
	a := &app{in: os.Stdin, out: &results{Writer: out}, err: errs, args: append([]string{}, args...)}
	a.inJob()
	root := a.root()
	a.args = commandFirst(root, a.args)
	cmd, err := a.checkSpelling(root)
	if err == nil {
		root.SetArgs(completed(root, a.args))
		cmd, err = root.ExecuteContextC(ctx)
	}
	if err != nil && ctx.Err() != nil {
		err = &notEnded{err} // interrupted
	}
	return a.exit(cmd, err)
}

// root returns the command tree.
func (a *app) root() *cobra.Command {
	var showVersion, asJSON bool
	root := &cobra.Command{
		Use:           "deployer",
		Long:          "deployer turns EventBridge events into Amazon ECS deployments.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs, // checkSpelling reports unknown commands
		RunE: func(cmd *cobra.Command, _ []string) error {
			if showVersion {
				return a.printVersion(asJSON)
			}
			printOverview(a.err, cmd)
			return errNoCommand
		},
	}
	root.Flags().BoolVar(&showVersion, "version", false, "print the version")
	root.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { _ = a.printHelp(cmd) })
	root.SetFlagErrorFunc(a.flagError)
	for _, g := range groups {
		root.AddGroup(&g.Group)
		for _, build := range g.commands {
			cmd := build(a)
			cmd.GroupID = g.ID
			a.addShared(cmd)
			root.AddCommand(cmd)
		}
	}
	root.AddCommand(a.versionCommand())
	root.SetHelpCommand(a.helpCommand(root))
	root.InitDefaultHelpCmd()
	return root
}

// addShared adds to a command what all have that concern an environment: the flag
// --profile if it calls AWS, and before it runs the check of its flags' values and the choice
// of the environment.
func (a *app) addShared(cmd *cobra.Command) {
	if len(permissionsOf(cmd)) > 0 && cmd.Flags().Lookup("from-profile") == nil {
		cmd.Flags().StringVar(&a.profile, "profile", "", "`NAME` of the AWS profile with the credentials")
	}
	completeNoFiles(cmd)
	arguments := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := cmp.Or(a.flagAsValue(cmd), emptyFlag(cmd), noTime(cmd)); err != nil || arguments == nil {
			return err
		}
		return arguments(cmd, args)
	}
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.choose(cmd); err != nil {
			return err
		}
		return checkReports(cmd)
	}
}

// group is a part of the overview that `deployer help` prints.
type group struct {
	cobra.Group
	commands []func(*app) *cobra.Command
}

// groups are the commands in the order of the overview.
var groups = []group{
	{cobra.Group{ID: "deploy", Title: "Deploy"}, []func(*app) *cobra.Command{
		(*app).deployCommand, (*app).redeployCommand, (*app).rollbackCommand, (*app).promoteCommand, (*app).diffCommand,
		(*app).continueCommand, (*app).stopCommand, (*app).runCommand,
	}},
	{cobra.Group{ID: "look", Title: "Look"}, []func(*app) *cobra.Command{
		(*app).statusCommand, (*app).waitCommand, (*app).historyCommand, (*app).resolveCommand, (*app).doctorCommand,
		(*app).dashboardCommand,
	}},
	{cobra.Group{ID: "setup", Title: "Set up"}, []func(*app) *cobra.Command{
		(*app).initCommand, (*app).validateCommand, (*app).migrateCommand, (*app).paramsCommand, (*app).policyCommand,
		(*app).completionCommand,
	}},
	{cobra.Group{ID: "events", Title: "Events"}, []func(*app) *cobra.Command{
		(*app).sendCommand, (*app).eventsCommand, (*app).logsCommand, (*app).explainCommand, (*app).redriveCommand,
	}},
}

// note prints a message that is neither a result nor an error.
func (a *app) note(format string, args ...any) {
	fmt.Fprint(a.err, newCanvas(a.err).item("deployer: ", fmt.Sprintf(format, args...), 2))
}

// hint prints the command that is the next step.
func (a *app) hint(command string) {
	fmt.Fprint(a.err, newCanvas(a.err).item("deployer: hint: ", command, 2))
}
