package cli

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"deployer/internal/environment"
)

// flagHabits are flags of other tools, with those that do the same here.
var flagHabits = map[string][]string{
	"environment": {"env"}, "to": {"env"}, "limit": {"max"}, "tail": {"max"}, "port": {"listen"}, "format": {"json"},
	"output": {"json"},
}

// withFlagHabit returns the flag that another tool calls by a name, which may be mistyped, and the command line with
// it; "" if the command has none.
func (a *app) withFlagHabit(cmd *cobra.Command, name string) (flag, hint string) {
	habit := name
	if flagHabits[name] == nil && nearestFlag(cmd.Flags(), name) == "" {
		habit = nearest(name, slices.Sorted(maps.Keys(flagHabits)))
	}
	i := slices.IndexFunc(a.args, func(arg string) bool {
		bare, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		return strings.HasPrefix(arg, "-") && bare == name
	})
	for _, right := range flagHabits[habit] {
		if i < 0 || cmd.Flags().Lookup(right) == nil {
			continue
		}
		_, value, given := strings.Cut(a.args[i], "=")
		corrected := slices.Clone(a.args)
		corrected[i] = "--" + right
		switch {
		case habit == "port" && !given && i+1 < len(corrected):
			corrected[i+1] = "127.0.0.1:" + corrected[i+1]
		case habit == "port":
			corrected[i] += "=127.0.0.1:" + value
		case right != "json":
			if given {
				corrected[i] += "=" + value
			}
		case given && value != "json":
			return "", ""
		case !given && i+1 < len(corrected) && corrected[i+1] == "json":
			corrected = slices.Delete(corrected, i+1, i+2)
		case !given:
			return "", ""
		}
		return right, commandLine(corrected...)
	}
	return "", ""
}

// needsValue is the error for a flag without its value. Most who type -f at the end mean
// --follow, where a command has it.
func (a *app) needsValue(cmd *cobra.Command, name string) error {
	e := &usageError{what: fmt.Sprintf("--%s needs a value", name)}
	last := len(a.args) - 1
	if name == "file" && a.args[last] == "-f" && cmd.Flags().Lookup("follow") != nil {
		e.hint = commandLine(append(slices.Clone(a.args[:last]), "--follow")...)
	}
	return e
}

// likeFlag matches the name of a flag, of this command or another.
var likeFlag = regexp.MustCompile(`^--[a-z][a-z-]*$`)

// flagAsValue is the error for a flag that was taken for the value of the flag before it: with
// `send … --reason --dry-run`, the event would be sent, and `dashboard --once --json` would
// write a file --json. A value after = may look like a flag.
func (a *app) flagAsValue(cmd *cobra.Command) error {
	isValue := false // the word is the value of the flag before it
	for i, word := range a.args {
		bare, _, given := strings.Cut(word, "=")
		flag := shorthand(cmd.Flags(), strings.TrimPrefix(bare, "-"))
		if strings.HasPrefix(bare, "--") {
			flag = cmd.Flags().Lookup(bare[2:])
		}
		isFlag := strings.HasPrefix(bare, "-") && flag != nil
		switch {
		case isValue && (isFlag || likeFlag.MatchString(bare)):
			return wrongUsage("%s needs a value, and %s looks like a flag; if it is the value: %[1]s=%[2]s",
				a.args[i-1], word)
		case word == "--" && !isValue:
			return nil
		}
		isValue = !isValue && isFlag && !given && flag.NoOptDefVal == ""
	}
	return nil
}

// neverEmpty are the flags without whose value a command does something else: `rollback --to "$REVISION"` would roll
// back to the previous success, and `redrive --discard "$ID"` would run every event.
var neverEmpty = []string{"as", "discard", "once", "to", "tag", "queue", "output"}

// emptyFlag is the error for a flag of [neverEmpty] that is given with an empty value.
func emptyFlag(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		list, isList := flag.Value.(pflag.SliceValue)
		isEmpty := flag.Value.String() == "" || isList && len(list.GetSlice()) == 0
		if err == nil && isEmpty && slices.Contains(neverEmpty, flag.Name) {
			err = wrongUsage("--%s is empty: did a variable expand to nothing?", flag.Name)
		}
	})
	return err
}

// noTime is the error for a flag whose value is a time of nothing, or less.
func noTime(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		d, parseErr := time.ParseDuration(flag.Value.String())
		if err == nil && flag.Value.Type() == "duration" && parseErr == nil && d <= 0 {
			err = wrongUsage("--%s %s is no time", flag.Name, d)
		}
	})
	return err
}

// inHours returns a time in days, such as 2d, in hours, as the command line takes it; "" for
// anything else.
func inHours(value string) string {
	days, isDays := strings.CutSuffix(value, "d")
	n, err := strconv.Atoi(days)
	if !isDays || err != nil || n <= 0 || n > 3650 {
		return ""
	}
	return fmt.Sprintf("%dh", 24*n)
}

// withTag returns the command line with SERVICE:TAG as two arguments; "" if the argument is
// not of that form.
func (a *app) withTag(arg string) string {
	prefix := ""
	for _, p := range []string{environment.TaskPrefix, environment.ServicePrefix} {
		if strings.HasPrefix(arg, p) {
			prefix = p
		}
	}
	service, tag, found := strings.Cut(strings.TrimPrefix(arg, prefix), ":")
	i := slices.Index(a.args, arg)
	if !found || service == "" || tag == "" || i < 0 {
		return ""
	}
	return commandLine(slices.Replace(slices.Clone(a.args), i, i+1, prefix+service, tag)...)
}
