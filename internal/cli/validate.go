package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"deployer/internal/environment"
	"deployer/internal/fleet"
	"deployer/internal/stack"
)

func (a *app) validateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate FILE... | all",
		Short: "Check environment files",
		Long: `Every fault of every file is printed with its line and column, and other environments
in its directory that cannot share its account: their stacks would have a name in
common. For a file without faults, advice is printed, and the registry and how it was chosen; for production,
why it is production, and what deploys it. With "all", the environment files of the
directory project are checked, or those of the current directory if there is none.`,
		Example: `deployer validate project/dev.yaml project/prod.yaml
deployer validate all
deployer validate -e prod`,
		Annotations: map[string]string{filesAsArguments: "yes"},
		Args:        arguments("[FILE...]"),
	}
	named, asJSON := filesFlag(cmd), jsonFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		files, err := a.filesToCheck(*named, args)
		if err != nil {
			return err
		}
		var failed error
		document := checkedFiles{Status: fileOK, Files: []checkedFile{}}
		beside := neighbours(files...)
		for _, file := range files {
			one, err := a.check(file, beside)
			document.Files = append(document.Files, one)
			if !*asJSON {
				a.printCheck(one)
			}
			if !errors.Is(failed, errReportedUsage) && err != nil {
				document.Status, failed = fileFaulty, err
			}
		}
		if *asJSON {
			return errors.Join(failed, printJSON(a.out, document))
		}
		return failed
	}
	return cmd
}

// filesToCheck returns the files that flags and arguments name, in which "all" stands
// for all environments.
func (a *app) filesToCheck(named, args []string) ([]string, error) {
	files := slices.Clone(named)
	for _, arg := range args {
		if arg != all {
			files = append(files, arg)
			continue
		}
		found := allEnvironments()
		if len(found) == 0 {
			return nil, a.noFiles()
		}
		for _, one := range found {
			files = append(files, one.file)
		}
	}
	if len(files) == 0 {
		return nil, a.errNoEnvironment()
	}
	return files, nil
}

// The statuses of an environment file.
const (
	fileOK     = "ok"
	fileFaulty = "faulty"
)

// checkedFiles is what validate prints with --json.
type checkedFiles struct {
	Status string        `json:"status"` // "ok" if every file is, else "faulty"
	Files  []checkedFile `json:"files"`
}

// checkedFile is the check of one file.
type checkedFile struct {
	File        string       `json:"file"`
	Status      string       `json:"status"`                // "ok" or "faulty"
	Environment string       `json:"environment,omitempty"` // of a file without faults, as the following three
	Strategy    string       `json:"strategy,omitempty"`    // the ECR strategy
	Registry    string       `json:"registry,omitempty"`    // whose images it runs
	Notes       []string     `json:"notes,omitempty"`       // what else follows from it
	Faults      []fileFault  `json:"faults"`                // by line; those of a file that is ok are advice
	Error       *fleet.Error `json:"error,omitempty"`       // why the file could not be read

	why string // what decided the strategy
}

// fileFault is one fault of a file.
type fileFault struct {
	Level   string `json:"level"`          // "error", "warning" or "note"
	Line    int    `json:"line,omitempty"` // from 1; missing if the fault has no position
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what to write instead

	text string
}

// check checks an environment file, also against the environments beside it. Its error says that there are faults, or
// that the file is none, which is printed.
func (a *app) check(file string, beside []*environment.Environment) (checkedFile, error) {
	one := checkedFile{File: file, Status: fileFaulty, Faults: []fileFault{}}
	env, err := environment.Load(file)
	if err != nil {
		err = a.wrongEnvironment(file, err)
	}
	var faults environment.Faults
	switch {
	case errors.As(err, &faults):
		one.Faults = faultsOf(faults)
		return one, errNotDone
	case err != nil:
		one.Error = errorOf(err)
		return one, a.reported(err)
	}
	parameters, err := stack.Parameters(env)
	stacks := sharedNames(env, beside)
	if large := new(stack.TooLargeError); errors.As(err, &large) {
		stacks = append(stacks, environment.Fault{File: file, What: large.What, Fix: large.Fix})
	}
	one.Faults = faultsOf(slices.Concat(env.Warnings, env.Advice, stacks))
	if slices.ContainsFunc(stacks, func(f environment.Fault) bool { return !f.Warning }) {
		return one, errNotDone
	}
	one.Status, one.Environment = fileOK, env.Name
	one.Strategy, one.why = env.Strategy.Name, env.Strategy.Why
	one.Registry = env.Registry().String()
	if env.Registry().AccountID == "" {
		one.Registry = "its own account in " + env.Region
	}
	one.Notes = notesOf(env, parameters, err)
	return one, nil
}

// faultsOf returns faults as plain data.
func faultsOf(faults []environment.Fault) []fileFault {
	all := make([]fileFault, len(faults))
	for i, f := range faults {
		all[i] = fileFault{levelOf(f), f.Line, f.Col, f.What, f.Fix, f.String()}
	}
	return all
}

// notesOf returns what else follows from an environment file, and from its stack's parameters or the error of these.
func notesOf(env *environment.Environment, parameters []stack.Parameter, err error) (notes []string) {
	if env.Production != "" {
		notes = append(notes, production(env))
	}
	if env.Replicated {
		notes = append(notes, fmt.Sprintf("images come by replication: an event whose image is not in the registry "+
			"yet waits for %.0f minutes, also if its tag is misspelled", environment.ReplicationTime.Minutes()))
	}
	if err != nil {
		notes = append(notes, fmt.Sprintf("warning: the stack has no parameters for it: %v", err))
	} else if patterns := stack.Patterns(env, parameters); patterns != "" {
		notes = append(notes, "note: the stack's parameters: "+patterns)
	}
	if not := stack.NotForwarded(env); not != "" {
		notes = append(notes, "note: the stack's parameters: "+not)
	}
	return notes
}

// printCheck prints the check of a file for people.
func (a *app) printCheck(one checkedFile) {
	for _, f := range one.Faults {
		a.line("%s", f.text)
	}
	if one.Status != fileOK {
		return
	}
	a.line("%s: ok: %s, with images of %s (%s: %s)", one.File, one.Environment, one.Registry, one.Strategy, one.why)
	for _, note := range one.Notes {
		a.line("%s: %s", one.File, note)
	}
}

// production says why an environment is production, and what deploys it.
func production(env *environment.Environment) string {
	pushes := "no push deploys it"
	if !env.AutoDeploy.IsEmpty() {
		pushes = "pushes of " + env.AutoDeploy.String() + " deploy it, because deployer.auto_deploy names them"
	}
	sources := "no DEPLOY event does"
	if len(env.DeploySources) > 0 {
		sources = "DEPLOY events from " + strings.Join(env.DeploySources, ", ") + " do"
	}
	text := env.Name + " is production (" + env.Production + "): " + pushes + "; " + sources
	if byPart := strings.HasPrefix(env.Production, "env has the part"); byPart &&
		(env.AutoDeploy.IsEmpty() || slices.Contains(env.DeploySources, "action.production")) {
		text += "; if that is wrong, name the tags in deployer.auto_deploy, and the sources in deployer.deploy_sources"
	}
	return text
}
