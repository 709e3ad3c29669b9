package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// likeAny is the command by which flags before a command are completed: it has those that most have.
const likeAny = "status"

// completed returns the arguments of a shell's request for completion. Flags may stand before the command, which cobra
// does not complete: there, the name of a command is completed without them, and a flag as one of [likeAny].
func completed(root *cobra.Command, args []string) []string {
	requests := []string{cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}
	if len(args) < 2 || !slices.Contains(requests, args[0]) {
		return args
	}
	words, last := args[1:len(args)-1], args[len(args)-1]
	isValue := false // the next word is the value of a flag
	for _, word := range words {
		switch {
		case isValue:
			isValue = false
		case !strings.HasPrefix(word, "-"):
			return args // a command, or what is none
		default:
			isValue = takesValue(root, word)
		}
	}
	switch {
	case isValue, strings.HasPrefix(last, "-") && (len(words) > 0 || strings.Contains(last, "=")):
		return slices.Concat(args[:1], []string{likeAny}, args[1:])
	case strings.HasPrefix(last, "-"):
		return args
	}
	return []string{args[0], last}
}

// takesValue reports whether the word after a flag of some command is its value.
func takesValue(root *cobra.Command, word string) bool {
	if strings.Contains(word, "=") {
		return false
	}
	for _, cmd := range root.Commands() {
		flag := cmd.Flags().Lookup(strings.TrimPrefix(word, "--"))
		if !strings.HasPrefix(word, "--") {
			flag = shorthand(cmd.Flags(), strings.TrimPrefix(word, "-"))
		}
		if flag != nil {
			return flag.NoOptDefVal == ""
		}
	}
	return false
}

// shorthand returns the flag with a one-letter name; nil if there is none.
func shorthand(flags *pflag.FlagSet, name string) *pflag.Flag {
	if len(name) != 1 {
		return nil
	}
	return flags.ShorthandLookup(name)
}
