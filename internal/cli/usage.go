package cli

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"deployer/internal/environment"
	"deployer/internal/shell"
)

// errNoCommand ends a command line without a command, after the overview was printed.
var errNoCommand error = &usageError{"no command", "deployer help"}

// usageError is a command line that cannot be run. Its exit code is 2.
type usageError struct {
	what string
	hint string // a command that can be pasted; "" for the command's help
}

func (e *usageError) Error() string { return e.what }

// Parts returns what is wrong, and what to do.
func (e *usageError) Parts() (what, hint string) { return e.what, e.hint }

// wrongUsage returns a [usageError] whose hint is the command's help.
func wrongUsage(format string, args ...any) error {
	return &usageError{what: fmt.Sprintf(format, args...)}
}

// arguments returns the check of a command's arguments, given by their names. A
// last name that ends in "..." stands for one or more, in brackets for any number.
func arguments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		last := ""
		if len(names) > 0 {
			last = names[len(names)-1]
		}
		switch {
		case strings.HasSuffix(last, "...]"):
			return nil
		case len(args) < len(names):
			return wrongUsage("%s is missing%s", names[len(args)], whichServices(cmd, names[len(args)]))
		case strings.HasSuffix(last, "..."):
			return nil
		case len(args) > len(names):
			return wrongUsage("%q is one argument too many", args[len(names)])
		}
		return nil
	}
}

// whichServices returns what an argument that is missing can be: one of the command's choices, or of
// the services and tasks of its environment that it takes, as far as the environment is named.
func whichServices(cmd *cobra.Command, argument string) string {
	tasks := argument == environment.TaskPrefix+"NAME"
	switch {
	case len(cmd.ValidArgs) > 0:
		return ": choose one of " + listed(cmd.ValidArgs)
	case argument != "SERVICE" && !tasks:
		return ""
	}
	files := filesOf(cmd)
	if len(files) == 0 {
		return ""
	}
	env, err := environment.Load(files[0])
	if err != nil {
		return ""
	}
	names := slices.DeleteFunc(labels(env), func(name string) bool { return refuses(cmd, name) })
	if len(names) == 0 {
		return ""
	}
	return ": " + env.Name + " has " + listed(names)
}

// checkSpelling returns the command that is called, and a [usageError] if there
// is no such command, or if a long flag has one dash: pflag reads -follow as -f
// with the value "ollow".
func (a *app) checkSpelling(root *cobra.Command) (*cobra.Command, error) {
	if len(a.args) > 0 && strings.HasPrefix(a.args[0], cobra.ShellCompRequestCmd) {
		plainUsages(root)
		return root, nil // the shell asks for completions of an unfinished command line
	}
	cmd, _, err := root.Find(a.args)
	if err != nil {
		return root, err
	}
	cmd.InitDefaultHelpFlag()
	flags := cmd.Flags()
	var wrong []string // the flags with one dash
	corrected := slices.Clone(a.args)
	for i := 0; i < len(a.args); i++ {
		arg := a.args[i]
		if arg == "--" {
			break
		}
		if cmd == root && !strings.HasPrefix(arg, "-") {
			return root, a.noCommand(root, arg)
		}
		flag, long := parseFlag(flags, arg)
		if !long && isMisspelt(arg, flag) {
			name := strings.TrimPrefix(arg, "-")
			bare, value, hasValue := strings.Cut(name, "=")
			near := flags.Lookup(nearestFlag(flags, bare))
			if near == nil && flag != nil && flag.Name == "env" {
				continue // -eprod
			}
			wrong = append(wrong, arg)
			flag = near
			if flag == nil {
				return cmd, a.noFlag(cmd, i)
			}
			corrected[i] = "--" + flag.Name
			if hasValue {
				corrected[i] += "=" + value
			}
		}
		if flag != nil && flag.NoOptDefVal == "" && !strings.Contains(arg, "=") {
			i++ // the next argument is its value
		}
	}
	if len(wrong) > 0 {
		what := "there is no flag " + strings.Join(wrong, " and no flag ") + ": long flags have two dashes"
		return cmd, &usageError{what, commandLine(corrected...)}
	}
	return cmd, nil
}

// noFlag returns the error for a flag with one dash that is not like one that there is. The hint is the command line
// with the letter in lower case if that is a flag.
func (a *app) noFlag(cmd *cobra.Command, at int) error {
	arg, corrected := a.args[at], slices.Clone(a.args)
	e := &usageError{"there is no flag " + arg + ": ", helpOf(cmd)}
	isUpper := 'A' <= arg[1] && arg[1] <= 'Z'
	lower := string(rune(arg[1] | 0x20))
	switch {
	case !cmd.HasParent() && strings.EqualFold(arg, "-v"):
		e.hint = commandLine("--version")
	case isUpper && cmd.Flags().ShorthandLookup(lower) != nil:
		e.what += "did you mean -" + lower + "? "
		corrected[at] = "-" + lower + arg[2:]
		e.hint = commandLine(corrected...)
	}
	e.what += flagsOf(cmd)
	return e
}

// commandFirst returns a command line with the command before the flags that stand before
// it: cobra takes the word after a flag that it does not know for the flag's value.
func commandFirst(root *cobra.Command, args []string) []string {
	if len(args) == 0 || !strings.HasPrefix(args[0], "-") {
		return args
	}
	for i, arg := range args {
		if arg == "--" {
			break
		}
		for _, cmd := range root.Commands() {
			if cmd.Name() == arg && lengthOfFlags(cmd, args[:i]) == i {
				return slices.Concat([]string{arg}, args[:i], args[i+1:])
			}
		}
	}
	return args
}

// lengthOfFlags returns how many arguments the flags of a command are with their values, if
// all of args are flags. A flag that the command does not have counts as one without a value.
func lengthOfFlags(cmd *cobra.Command, args []string) (n int) {
	cmd.InitDefaultHelpFlag()
	for n < len(args) && strings.HasPrefix(args[n], "-") {
		flag, long := parseFlag(cmd.Flags(), args[n])
		attached := strings.Contains(args[n], "=") || !long && len(args[n]) > 2
		if n++; flag != nil && flag.NoOptDefVal == "" && !attached {
			n++
		}
	}
	return n
}

// parseFlag returns the flag that an argument names, nil if there is none, and
// whether the argument has two dashes.
func parseFlag(flags *pflag.FlagSet, arg string) (flag *pflag.Flag, long bool) {
	if name, ok := strings.CutPrefix(arg, "--"); ok {
		name, _, _ = strings.Cut(name, "=")
		return flags.Lookup(name), true
	}
	if len(arg) > 1 && arg[0] == '-' {
		return flags.ShorthandLookup(arg[1:2]), false
	}
	return nil, false
}

// word is an argument that looks like a flag's name rather than like a short
// flag with its value attached, such as -fprod.yaml or -n5.
var word = regexp.MustCompile(`^-[a-z][a-z-]+(=.*)?$`)

// isMisspelt reports whether an argument with one dash is a long flag.
func isMisspelt(arg string, short *pflag.Flag) bool {
	return word.MatchString(arg) || short == nil && len(arg) > 1 && arg[0] == '-'
}

// flagError explains an error of pflag's, with the corrected command if it is a
// misspelt flag.
func (a *app) flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var noValue *pflag.ValueRequiredError
	var badValue *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		e := &usageError{what: fmt.Sprintf("there is no flag --%s", name)}
		if len(name) == 1 {
			e.what = "there is no flag -" + name
		}
		if arguments := argumentsOf(cmd); slices.Contains(arguments, strings.ToLower(name)) {
			e.what += ": it is an argument"
			e.hint = a.positional(arguments)
			return e
		}
		near, hint := a.withNearestFlag(cmd, name)
		if right, habit := a.withFlagHabit(cmd, name); habit != "" {
			near, hint = right, habit
		}
		e.hint = cmp.Or(hint, helpOf(cmd))
		e.what += ": "
		if near != "" {
			e.what += "did you mean --" + near + "? "
		}
		e.what += flagsOf(cmd)
		return e
	case errors.As(err, &noValue):
		return a.needsValue(cmd, noValue.GetFlag().Name)
	case errors.As(err, &badValue):
		kind := map[string]string{"int": "a number", "bool": "true or false",
			"duration": "a time with its unit, such as 90s, 30m or 24h"}[badValue.GetFlag().Value.Type()]
		e := &usageError{what: fmt.Sprintf("--%s %q is not %s", badValue.GetFlag().Name, badValue.GetValue(), kind)}
		if hours := inHours(badValue.GetValue()); hours != "" && badValue.GetFlag().Value.Type() == "duration" {
			e.hint = a.corrected(badValue.GetValue(), hours)
		}
		return e
	}
	return wrongUsage("%s", err)
}

// commandLine returns a command of the deployer's as it is typed into a shell.
func commandLine(args ...string) string { return shell.Command(args...) }
