package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"deployer/internal/environment"
)

// One environment may be named twice: by its name and its file, or by two paths of the file.

// sameFile reports whether two paths are of one file.
func sameFile(x, y string) bool {
	one, errX := os.Stat(x)
	other, errY := os.Stat(y)
	if errX != nil || errY != nil {
		return filepath.Clean(x) == filepath.Clean(y)
	}
	return os.SameFile(one, other)
}

// distinct returns files without those that were named before.
func distinct(files []string) (all []string) {
	for _, file := range files {
		if !slices.ContainsFunc(all, func(before string) bool { return sameFile(before, file) }) {
			all = append(all, file)
		}
	}
	return all
}

// keepDistinct leaves each environment once in the flag --file of a command for several. The command policy, whose
// environments are the steps of a release, refuses one that is named twice.
func keepDistinct(cmd *cobra.Command, flag *pflag.Flag) error {
	files, several := flag.Value.(pflag.SliceValue)
	if !several || cmd.Name() == "policy" || len(files.GetSlice()) < 2 {
		return nil
	}
	return files.Replace(distinct(files.GetSlice()))
}

// notToItself returns the [usageError] for a promotion whose source and target are one environment, unless it puts
// another tag on the image. Its hint is a dry run to the environment after it in the order of a release, or to the last
// one from the one before it.
func (a *app) notToItself(from, to *environment.Environment, tags []string, as string) error {
	if !sameFile(from.File, to.File) || as != "" && !slices.Contains(tags, as) {
		return nil
	}
	e := &usageError{what: "--from and --to are the same environment, " + from.Name + " (" + from.File +
		"): there is nothing to copy; name another environment, or another tag with --as"}
	switch beside, isAfter := environmentBeside(from.File); {
	case beside == "":
	case isAfter:
		e.hint = a.withValue("--to", beside, "-e", "--env", "-f", "--file")
	default:
		e.hint = a.withValue("--from", beside)
	}
	if e.hint != "" && !slices.Contains(a.args, "--dry-run") {
		e.hint += " --dry-run"
	}
	return e
}

// environmentBeside returns the name of the environment after that of a file, in the order of a release; of the last
// one, that of the one before. It returns "" if there is no other.
func environmentBeside(file string) (name string, isAfter bool) {
	all := allEnvironments()
	i := slices.IndexFunc(all, func(one found) bool { return sameFile(one.file, file) })
	switch {
	case i < 0 || len(all) < 2:
		return "", false
	case i+1 < len(all):
		return all[i+1].name, true
	}
	return all[i-1].name, false
}

// notWithItself is the error for a comparison of an environment with itself.
func (a *app) notWithItself(file string) error {
	e := &usageError{what: "both are environment " + nameOf(file) + " (" + file + "): name another one to compare " +
		"it with"}
	beside, _ := environmentBeside(file)
	corrected := slices.Clone(a.args)
	for i, arg := range slices.Backward(corrected) { // the last one is replaced
		name, _, joined := strings.Cut(arg, "=")
		if beside == "" || !slices.Contains([]string{"-e", "--env", "-f", "--file"}, name) {
			continue
		}
		corrected[i] = "--env=" + beside
		if !joined && i+1 < len(corrected) {
			corrected[i], corrected[i+1] = "-e", beside
		}
		e.hint = commandLine(corrected...)
		break
	}
	return e
}

// withValue returns the command line with another value of a flag, which may be given by one of its other names.
func (a *app) withValue(flag, value string, others ...string) string {
	corrected := slices.Clone(a.args)
	for i, arg := range corrected {
		name, _, joined := strings.Cut(arg, "=")
		switch {
		case name != flag && !slices.Contains(others, name):
		case joined:
			corrected[i] = flag + "=" + value
		case i+1 < len(corrected):
			corrected[i], corrected[i+1] = flag, value
		}
	}
	return commandLine(corrected...)
}
