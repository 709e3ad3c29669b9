package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"deployer/internal/environment"
)

// The exit codes of every command.
const (
	exitDone    = 0
	exitNotDone = 1
	exitUsage   = 2
)

// errNotDone ends a command whose output has already said what is wrong.
var errNotDone = errors.New("not done")

// usageError is a command line that the command cannot be run with.
type usageError string

func (e usageError) Error() string { return string(e) }

const errNoFile = usageError("-f FILE is missing: the environment file to work with")

// subcommand is one of the commands of the CLI.
type subcommand struct {
	name, args, summary string
	run                 func(*cli) error
}

var subcommands = []subcommand{
	{"deploy", "-f FILE SERVICE TAG [-dry-run] [-force] [-reason TEXT] [-follow] [-json]", "deploy the image under TAG to SERVICE, with your own credentials", (*cli).deploy},
	{"explain", "-f FILE EVENT.json", "say what an event would do in an environment, and why (offline)", (*cli).explain},
	{"resolve", "-f FILE SERVICE TAG [-check]", "print the image reference of SERVICE under TAG; -check asks ECR for its digest", (*cli).resolve},
	{"validate", "FILE...", "check environment files", (*cli).validate},
	{"migrate", "FILE... | all [-n] [-dir DIR]", "move environment files from schema version 6 to 7, which names the ECR strategy", (*cli).migrate},
	{"doctor", "-f FILE [SERVICE...] [-json]", "say whether an environment can be deployed to, what is wrong, and what to do (only reads)", (*cli).doctor},
	{"policy", "repository|lifecycle|bus|github -f FILE [-org ID] [-accounts A,B] [-repo OWNER/NAME] [-format json|terraform]", "print the policies that accounts have to give each other", (*cli).policy},
	{"params", "-f FILE [-format sam|samconfig|tfvars] [NAME=VALUE...]", "print the parameters of the deployer's own stack, as the environment file has them", (*cli).params},
	{"send", "-f FILE SERVICE TAG [-bus ARN] [-reason TEXT] [-actor WHO] [-dry-run] [-follow]", "send the deployer a DEPLOY event, as aws events put-events does, but checked", (*cli).send},
	{"status", "-f FILE [SERVICE...] [-json] [-watch]", "show what each service runs, since when and by whom, its rollout, and what has drifted (exit code 1 if a rollout failed or a service cannot be read)", (*cli).status},
	{"history", "-f FILE SERVICE [-n 20] [-json]", "list what was deployed to SERVICE, newest first: when, by whom, why, and how it ended", (*cli).history},
	{"rollback", "-f FILE SERVICE [-to REVISION|TAG] [-dry-run] [-follow] [-reason TEXT] [-json]", "go back to the last image of SERVICE whose rollout succeeded, if ECR still has it", (*cli).rollback},
	{"diff", "-f FILE SERVICE TAG", "show as a unified diff what deploying TAG would change of the task definition that runs (only reads, shows no secrets)", (*cli).diff},
	{"continue", "-f FILE SERVICE", "let a paused deployment of SERVICE go on", (*cli).goOn},
	{"stop", "-f FILE SERVICE [-abort]", "end a deployment of SERVICE that is in progress, and roll it back", (*cli).stop},
	{"redrive", "-f FILE -queue URL [-dry-run] [-max N]", "run the events that a failure queue has kept once more, and delete what is done", (*cli).redrive},
	{"version", "", "print the version", (*cli).version},
}

// cli is one run of a command.
type cli struct {
	context.Context
	out, err io.Writer // results, and everything else
	flags    *flag.FlagSet
	raw      []string // the command line behind the command's name
}

// Run runs the command line and returns its exit code.
func Run(args []string, out, errs io.Writer) (exit int) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // a command speaks to its user, not to a log
	if len(args) == 0 {
		usage(errs)
		return exitUsage
	}
	name, rest := args[0], args[1:]
	if name == "-h" || name == "-help" || name == "--help" || name == "help" {
		if len(rest) == 0 {
			usage(out)
			return exitDone
		}
		name, rest = rest[0], []string{"-h"}
	}
	for _, sub := range subcommands {
		if sub.name == name {
			return sub.main(rest, out, errs)
		}
	}
	fmt.Fprintf(errs, "deployer: error: there is no command %q\ndeployer: hint: deployer help\n", name)
	return exitUsage
}

func (sub subcommand) main(args []string, out, errs io.Writer) (exit int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &cli{Context: ctx, out: out, err: errs, flags: flag.NewFlagSet(sub.name, flag.ContinueOnError), raw: args}
	c.flags.SetOutput(io.Discard)
	err := sub.run(c)
	var wrong usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(out, "usage: %s\n\n%s.\n", strings.TrimSpace("deployer "+sub.name+" "+sub.args), strings.ToUpper(sub.summary[:1])+sub.summary[1:])
		c.flags.SetOutput(out)
		c.flags.PrintDefaults()
		return exitDone
	case errors.As(err, &wrong):
		fmt.Fprintf(errs, "deployer: error: %s\ndeployer: hint: usage: %s\n", wrong, strings.TrimSpace("deployer "+sub.name+" "+sub.args))
		return exitUsage
	case !errors.Is(err, errNotDone):
		complain(errs, err)
	}
	return exitNotDone
}

// parse reads flags and arguments, which may stand in any order; "--" ends the
// flags. It returns as many arguments as there are names; of the last name
// there may be more if it ends in "...", and any number if it ends in "*".
func (c *cli) parse(names ...string) ([]string, error) {
	var got []string
	for rest := c.raw; len(rest) > 0; {
		if rest[0] == "--" {
			got = append(got, rest[1:]...)
			break
		}
		if len(rest[0]) < 2 || rest[0][0] != '-' {
			got, rest = append(got, rest[0]), rest[1:]
			continue
		}
		if err := c.flags.Parse(rest); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, usageError(err.Error())
		}
		left := c.flags.Args()
		if used := len(rest) - len(left); used > 0 && rest[used-1] == "--" {
			got = append(got, left...)
			break
		}
		rest = left
	}
	last := ""
	if len(names) > 0 {
		last = names[len(names)-1]
	}
	if strings.HasSuffix(last, "*") || strings.HasSuffix(last, "...") && len(got) >= len(names) {
		return got, nil
	}
	if len(got) < len(names) {
		return nil, usageError(names[len(got)] + " is missing")
	}
	if len(got) > len(names) {
		return nil, usageError(fmt.Sprintf("%q is one argument too many", got[len(names)]))
	}
	return got, nil
}

// load reads the environment file that -f names, and shows its warnings.
func (c *cli) load(file string) (*environment.Environment, error) {
	if file == "" {
		return nil, errNoFile
	}
	env, err := environment.Load(file)
	if err != nil {
		return nil, err
	}
	for _, w := range env.Warnings {
		fmt.Fprintf(c.err, "deployer: %s\n", w)
	}
	return env, nil
}

// complain prints an error as one line each for what is wrong and what to do.
func complain(w io.Writer, err error) {
	var faults environment.Faults
	var parts interface{ Parts() (what, hint string) }
	var joined interface{ Unwrap() []error }
	switch {
	case errors.As(err, &faults):
		for _, f := range faults {
			fmt.Fprintf(w, "deployer: error: %s\n", f)
		}
	case errors.As(err, &joined):
		for _, one := range joined.Unwrap() {
			complain(w, one)
		}
	case errors.As(err, &parts):
		what, hint := parts.Parts()
		fmt.Fprintf(w, "deployer: error: %s\n", what)
		if hint != "" {
			fmt.Fprintf(w, "deployer: hint: %s\n", hint)
		}
	default:
		fmt.Fprintf(w, "deployer: error: %s\n", err)
	}
}

func usage(w io.Writer) {
	fmt.Fprint(w, "deployer turns EventBridge events into Amazon ECS deployments.\n\nUsage:\n\n")
	for _, s := range subcommands {
		fmt.Fprintf(w, "  %s\n        %s\n", strings.TrimSpace("deployer "+s.name+" "+s.args), s.summary)
	}
	fmt.Fprint(w, "\nFlags may stand before or after the arguments. Results go to standard output,\neverything else to standard error. Exit codes: 0 done, 1 not done, 2 wrong usage.\n")
}
