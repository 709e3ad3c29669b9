package cli

import (
	"bytes"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a script that makes a shell complete commands and services",
		Long: `Commands, flags, environments, services and tasks are completed from the files, and
tags from ECR, the newest first, where there are credentials and it answers within a
second. Printing the script calls nothing.`,
		Example: `source <(deployer completion bash)
deployer completion zsh > "${fpath[1]}/_deployer"
deployer completion fish > ~/.config/fish/completions/deployer.fish
deployer completion powershell | Out-String | Invoke-Expression`,
		Annotations: map[string]string{laterKey: "ecr:DescribeImages (optional: completes tags, when the shell asks)"},
		Args:        arguments("SHELL"),
		ValidArgs:   []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] { // the scripts for zsh and PowerShell are cobra's own, unchanged
			case "bash":
				return bashCompletion(a.out, root)
			case "zsh":
				return root.GenZshCompletion(a.out)
			case "fish":
				return fishCompletion(a.out, root)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.out)
			}
			if args[0] == "pwsh" {
				return &usageError{"pwsh is called powershell here", a.corrected("pwsh", "powershell")}
			}
			return a.noChoice("completion for", args[0], cmd.ValidArgs)
		},
	}
}

// plainUsages takes the backticks out of what flags are described with: pflag reads the name of
// a value between them, and cobra passes them on to the shell.
func plainUsages(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") })
	}
}

// bashCompletion prints the script for bash, which does not need the package
// bash-completion.
func bashCompletion(w io.Writer, root *cobra.Command) error {
	var script bytes.Buffer
	if err := root.GenBashCompletionV2(&script, true); err != nil {
		return err
	}
	text := strings.Replace(script.String(), ofBashCompletion, bashWords, 1)
	_, err := io.WriteString(w, text)
	return err
}

// fishCompletion prints the script for fish, which passes on words with spaces as they are.
func fishCompletion(w io.Writer, root *cobra.Command) error {
	var script bytes.Buffer
	if err := root.GenFishCompletion(&script, true); err != nil {
		return err
	}
	_, err := io.WriteString(w, strings.ReplaceAll(script.String(), "(commandline -opc)",
		"(string escape -- (commandline -opc))"))
	return err
}

// ofBashCompletion is the call of the package bash-completion where it lacks the function
// _init_completion, or is not installed at all.
const ofBashCompletion = `    _get_comp_words_by_ref "$@" cur prev words cword
`

// bashWords sets what that call sets: bash splits words at = and :, which are put together
// again here.
const bashWords = `    local i word rest=$COMP_LINE
    words=()
    for ((i = 0; i < ${#COMP_WORDS[@]}; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $i -gt 0 && -n $rest && $rest != [[:space:]]* && ($word == [=:]* || ${COMP_WORDS[i-1]} == *[=:]) ]]; then
            words[${#words[@]}-1]+=$word
        else
            words+=("$word")
        fi
        rest=${rest#"${rest%%[![:space:]]*}"}
        rest=${rest#"$word"}
        if [[ $i -eq $COMP_CWORD ]]; then
            cword=$((${#words[@]} - 1))
        fi
    done
    cur=${words[cword]}
    prev=${words[cword-1]}
`
