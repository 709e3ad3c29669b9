package cli

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"deployer/internal/environment"
)

// The variables that name an environment for commands without -e and -f.
const (
	fileVariable = "DEPLOYER_ENVIRONMENT_FILE"
	envVariable  = "DEPLOYER_ENV"
)

// all is the name that stands for every environment.
const all = "all"

// severalKey is the annotation of the flag --file of a command for several environments.
const severalKey = "several"

// fileFlag adds the flags that name a command's environment: -e, --env with its
// name, or -f, --file with its file. It returns the file, which is set when the command
// runs; see [app.choose].
func fileFlag(cmd *cobra.Command) *string {
	file := cmd.Flags().StringP("file", "f", "", "environment `FILE`")
	envFlag(cmd, "`NAME` of the environment: project/NAME.yaml or NAME.yaml")
	return file
}

// filesFlag is [fileFlag] for a command for several environments.
func filesFlag(cmd *cobra.Command) *[]string {
	files := cmd.Flags().StringArrayP("file", "f", nil, "environment `FILE`; may be repeated")
	cmd.Flags().Lookup("file").Annotations = map[string][]string{severalKey: {all}}
	envFlag(cmd, "`NAME` of an environment, or all; may be repeated")
	return files
}

func envFlag(cmd *cobra.Command, usage string) {
	cmd.Flags().StringArrayP("env", "e", nil, usage)
	_ = cmd.MarkFlagFilename("file", "yaml", "yml") // these fail only for a flag that does not exist
	_ = cmd.RegisterFlagCompletionFunc("env", completeMoreEnvironments)
}

// isSeveral reports whether a command is for several environments.
func isSeveral(cmd *cobra.Command) bool {
	f := cmd.Flags().Lookup("file")
	return f != nil && f.Annotations[severalKey] != nil
}

// choose sets the environment's file of a command, from -e or a variable, and notes
// which file was taken unless it was named. It does nothing for a command without the
// flag --file.
func (a *app) choose(cmd *cobra.Command) error {
	flag := cmd.Flags().Lookup("file")
	if flag == nil {
		return nil
	}
	files, how, err := a.chosen(cmd, flag)
	switch {
	case err != nil:
		return err
	case len(files) == 0:
		return keepDistinct(cmd, flag)
	}
	for _, one := range files {
		if err := flag.Value.Set(one.file); err != nil {
			return err
		}
	}
	a.noteChosen(files, how)
	if how != fileVariable {
		a.remember(files...)
	}
	return keepDistinct(cmd, flag)
}

// remember notes which environments were named: hints name them too, and not their files.
func (a *app) remember(files ...found) {
	if a.byName == nil {
		a.byName = map[string]string{}
	}
	for _, one := range files {
		a.byName[one.file] = one.name
	}
}

// chosen returns the environments that -e names, else those of the variables if nothing
// is named, and in the latter case the variable.
func (a *app) chosen(cmd *cobra.Command, flag *pflag.Flag) (files []found, how string, err error) {
	var names []string
	if several, ok := cmd.Flags().Lookup("env").Value.(pflag.SliceValue); ok {
		names = slices.Compact(several.GetSlice()) // completion reads the flags twice
	}
	file, name := os.Getenv(fileVariable), os.Getenv(envVariable)
	switch {
	case len(names) > 0 && flag.Changed && !isSeveral(cmd):
		return nil, "", wrongUsage("-e and -f both name the environment: leave out one of them")
	case len(names) > 1 && !isSeveral(cmd):
		return nil, "", wrongUsage("%s is for one environment: leave out all but one -e", cmd.Name())
	case len(names) > 0:
	case flag.Changed || cmd.Flags().NArg() > 0 && cmd.Annotations[filesAsArguments] != "":
		return nil, "", nil
	case file != "":
		return []found{{nameOf(file), file}}, fileVariable, nil
	case name != "":
		names, how = []string{name}, envVariable
	default:
		return nil, "", nil
	}
	files, err = a.named(cmd, names)
	return files, how, err
}

// notForAll is the error for -e all of a command for one environment. Its hint has the first
// environment, unless the command changes something.
func (a *app) notForAll(cmd *cobra.Command) error {
	e := &usageError{what: cmd.Name() + " is for one environment, not for all"}
	if there := allEnvironments(); len(there) > 0 {
		e.what += ": " + list(there)
		if !slices.Contains(changing, cmd.Name()) {
			e.hint = a.withEnv(all, "-e", there[0].name)
		}
	}
	return e
}

// filesAsArguments is the annotation of a command whose files may also be arguments.
const filesAsArguments = "files"

// named returns the environments with the given names, each once.
func (a *app) named(cmd *cobra.Command, names []string) (files []found, err error) {
	for _, name := range names {
		one := []found{{name: name}}
		switch {
		case name == "":
			return nil, wrongUsage("-e is empty: did a variable expand to nothing?")
		case strings.Contains(name, ",") && isSeveral(cmd):
			hint, _ := a.withEnvironments(cmd.Flags().Args())
			return nil, &usageError{"-e is for one name: write it once for each environment", hint}
		case strings.Contains(name, ","):
			return nil, wrongUsage("%s is for one environment: -e %s names several", cmd.Name(), printable(name))
		case name == all && !isSeveral(cmd):
			return nil, a.notForAll(cmd)
		case name == all:
			one = allEnvironments()
			if len(one) == 0 {
				return nil, a.unknownEnvironment(name)
			}
		default:
			if one[0].file, err = a.findEnvironment(name); err != nil {
				return nil, err
			}
		}
		for _, f := range one {
			if !slices.ContainsFunc(files, func(g found) bool { return g.file == f.file }) {
				files = append(files, f)
			}
		}
	}
	return files, nil
}

// noteChosen notes which files were taken, on one line.
func (a *app) noteChosen(files []found, how string) {
	if how != "" {
		how = " (" + how + ")"
	}
	if len(files) == 1 {
		a.note("environment %s: %s%s", printable(files[0].name), printable(files[0].file), how)
		return
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, printable(f.file))
	}
	a.note("environments: %s%s", strings.Join(paths, ", "), how)
}

// nameOf returns the name of the environment in a file, "?" if it cannot be read.
func nameOf(file string) string {
	if env, err := environment.Load(file); err == nil {
		return env.Name
	}
	return "?"
}

// errNoEnvironment is the error for a command line that names no environment. It says
// which there are.
func (a *app) errNoEnvironment() error {
	environments := allEnvironments()
	if len(environments) == 0 {
		return &usageError{"the environment file is missing: none is here or in " + projectDir + "; name it with -f",
			"cd to the project's directory, or make a file: " + commandLine("init")}
	}
	e := &usageError{what: "the environment is missing: name it with -e; " + list(environments)}
	isNamed := func(e found) bool { return slices.Contains(a.args, e.name) } // see [app.withEnvFlag]
	if len(a.args) > 0 && !slices.Contains(changing, a.args[0]) && !slices.ContainsFunc(environments, isNamed) {
		e.hint = commandLine(append(slices.Clone(a.args), "-e", environments[0].name)...)
	}
	return e
}
