package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// permissionsKey is the annotation of a command that lists the IAM actions it
// calls, one a line, each with an optional note in parentheses.
const permissionsKey = "permissions"

// laterKey is the annotation of a command that calls nothing itself, and makes something that
// does: the IAM action for that.
const laterKey = "later"

// permissions returns the annotation for a command that calls AWS.
func permissions(actions ...string) map[string]string {
	return map[string]string{permissionsKey: strings.Join(actions, "\n")}
}

// permissionsOf returns the IAM actions that a command needs; none for a
// command that does not call AWS.
func permissionsOf(cmd *cobra.Command) []string {
	if text := cmd.Annotations[permissionsKey]; text != "" {
		return strings.Split(text, "\n")
	}
	return nil
}

// helpCommand is `deployer help`.
func (a *app) helpCommand(root *cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Describe a command, with examples and the permissions it needs",
		Long:    "Without a command, all commands are listed. The topic exit-codes describes these.",
		Example: "deployer help deploy\ndeployer help exit-codes",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return arguments("COMMAND")(cmd, args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return append(commandNames(root), exitCodesTopic), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return a.printHelp(root)
			case args[0] == exitCodesTopic:
				return a.printTopic(exitCodesTopic, exitCodesHelp)
			}
			for _, cmd := range root.Commands() {
				if cmd.Name() == args[0] {
					return a.printHelp(cmd)
				}
			}
			return a.noCommand(root, args[0])
		},
	}
	jsonFlag(cmd)
	return cmd
}

// exitCodesTopic is what help describes besides commands.
const exitCodesTopic = "exit-codes"

const exitCodesHelp = `The exit codes of every command:

  0  done
  1  not done: the deployment was superseded or ignored, messages stay in a
     queue, explain had an event that would be rejected, or status, doctor or
     validate found a problem
  2  wrong usage: a command, flag, file, environment, service or task that does
     not exist, or an argument that is malformed
  3  rejected by the deployer's rules, or because ECR does not have the image:
     the same command fails again
  4  the rollout failed or is impaired, and was followed (--follow, wait); or
     the task that run followed failed
  5  not ended: the time is over, or the command was interrupted; the rollout
     goes on
  6  AWS refused a call or did not answer, something in AWS is missing, or the
     credentials are missing or of another account

Of several rollouts, the worst decides. With --json, the document of an error
has the code as exit_code.
`

func commandNames(root *cobra.Command) (names []string) {
	for _, cmd := range root.Commands() {
		if !cmd.Hidden {
			names = append(names, cmd.Name())
		}
	}
	return names
}

// printOverview prints one line for each command, in groups.
func printOverview(w io.Writer, root *cobra.Command) {
	fmt.Fprintf(w, "%s\n\nUsage:\n  deployer COMMAND [flags]\n", root.Long)
	print := func(title, id string) {
		fmt.Fprintf(w, "\n%s:\n", title)
		for _, cmd := range commandsOf(root, id) {
			fmt.Fprintf(w, "  %-11s %s\n", cmd.Name(), cmd.Short)
		}
	}
	for _, g := range groups {
		print(g.Title, g.ID)
	}
	print("Other", "")
	fmt.Fprint(w, `
Flags may stand before or after the arguments. Results go to standard output,
everything else to standard error. Exit codes: 0 done, 1 not done, 2 wrong
usage, 3 rejected by the deployer or ECR, 4 the rollout failed, 5 not ended,
6 AWS or the credentials.

"deployer help COMMAND" describes a command, with examples and the IAM
permissions that it needs. "deployer help exit-codes" says more of those.
`)
}

// commandsOf returns the commands of a group in the order of [groups]; with ""
// those of none.
func commandsOf(root *cobra.Command, id string) (commands []*cobra.Command) {
	for _, cmd := range root.Commands() {
		if cmd.GroupID == id && !cmd.Hidden {
			commands = append(commands, cmd)
		}
	}
	return commands
}

// reflow fills the lines of paragraphs. One with columns, which has two spaces in a line, stays
// as it is.
func reflow(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		if !strings.Contains(p, "  ") {
			paragraphs[i], _ = canvas{columns: helpWidth}.fill("", 0, p, 0)
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

// helpWidth is the width of the help on every terminal.
const helpWidth = 80

// helpReport is what help and --help print with --json.
type helpReport struct {
	Topic string `json:"topic"` // a command's name, "deployer" for the overview, or "exit-codes"
	Help  string `json:"help"`
}

// printTopic prints the help on a topic.
func (a *app) printTopic(topic, text string) error {
	if a.wantsJSON() {
		return printJSON(a.out, helpReport{topic, text})
	}
	_, err := fmt.Fprint(a.out, text)
	return err
}

// printHelp prints what a command does, how it is called, and what it needs.
func (a *app) printHelp(cmd *cobra.Command) error {
	var text strings.Builder
	if cmd.HasParent() {
		writeHelp(&text, cmd)
	} else {
		printOverview(&text, cmd)
	}
	return a.printTopic(cmd.Name(), text.String())
}

func writeHelp(w io.Writer, cmd *cobra.Command) {
	fmt.Fprintf(w, "%s.\n", cmd.Short)
	if cmd.Long != "" {
		fmt.Fprintf(w, "\n%s\n", reflow(cmd.Long))
	}
	fmt.Fprintf(w, "\nUsage:\n  %s\n", usageLine(cmd))
	if cmd.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n  %s\n", strings.ReplaceAll(cmd.Example, "\n", "\n  "))
	}
	cmd.InitDefaultHelpFlag()
	fmt.Fprintf(w, "\nFlags:\n%s", cmd.LocalFlags().FlagUsagesWrapped(helpWidth))
	fmt.Fprintf(w, "\nRequired IAM permissions:\n")
	needed := permissionsOf(cmd)
	if later := cmd.Annotations[laterKey]; later != "" {
		needed = []string{later}
	}
	if len(needed) == 0 {
		fmt.Fprintln(w, "  none: this command does not call AWS")
	}
	narrow := canvas{columns: helpWidth}
	for _, action := range needed {
		fmt.Fprint(w, narrow.item("  ", action, 6))
	}
}

// usageLine returns how a command is called: its required flag, arguments and
// whether it has more flags.
func usageLine(cmd *cobra.Command) string {
	line := cmd.Parent().CommandPath() + " " + cmd.Use
	more := false
	cmd.Flags().VisitAll(func(f *pflag.Flag) { more = more || f.Name != "file" && f.Name != "env" && f.Name != "help" })
	if more {
		line += " [flags]"
	}
	return line
}
