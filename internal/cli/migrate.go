package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"deployer/internal/environment"
	"deployer/internal/fleet"
	"deployer/internal/migrate"
)

func (a *app) migrateCommand() *cobra.Command {
	var dryRun bool
	var dir string
	cmd := &cobra.Command{
		Use:   "migrate FILE... | all",
		Short: "Move environment files from schema version 6 to 7",
		Long: `Schema version 7 names the ECR strategy. Only the lines that change are written:
comments, order and formatting stay. With "all", the YAML files of the directory
project are migrated, or those of the current directory if there is none.`,
		Example: `deployer migrate all --dry-run
deployer migrate project/dev.yaml project/prod.yaml
deployer migrate -e prod`,
		Annotations: map[string]string{filesAsArguments: "yes"},
		Args:        arguments("[FILE...]"),
	}
	named, asJSON := filesFlag(cmd), jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		files := slices.Concat(*named, args)
		everything := slices.Equal(args, []string{all}) && len(*named) == 0
		switch {
		case everything:
			var err error
			if files, err = migrate.All(dir); err != nil {
				return err
			}
		case len(files) == 0:
			return a.errNoEnvironment()
		}
		return a.migrate(files, everything, dryRun, *asJSON)
	}
	cmd.Flags().BoolVarP(&dryRun, "dry-run", "n", false, "print what would change as a unified diff, write nothing")
	cmd.Flags().StringVar(&dir, "dir", ".", "`DIRECTORY` that all stands for")
	return cmd
}

// migratedFiles is what migrate prints with --json.
type migratedFiles struct {
	Files []migratedFile `json:"files"`
}

// migratedFile is what became of one file.
type migratedFile struct {
	File string `json:"file"`
	// "migrated", "planned" (a dry run would migrate it), "unchanged", "skipped" or "failed"
	Status string       `json:"status"`
	Notes  []string     `json:"notes"`          // what was done, and why
	Diff   string       `json:"diff,omitempty"` // of a dry run: what would change
	Error  *fleet.Error `json:"error,omitempty"`
}

// migrate migrates files. One that fails does not keep the others from being
// migrated. With all, files that are not environment files are skipped.
func (a *app) migrate(files []string, all, dryRun, asJSON bool) error {
	var failed error
	document := migratedFiles{Files: []migratedFile{}}
	for _, file := range files {
		one, err := a.migrateOne(file, dryRun)
		switch {
		case all && errors.Is(err, environment.ErrNotEnvironment):
			a.note("%s is not an environment file: skipped", file)
			one.Status = "skipped"
		case err != nil:
			err = a.wrongEnvironment(file, err)
			one.Status, one.Error = "failed", errorOf(err)
			if err := a.reported(err); !errors.Is(failed, errReportedUsage) {
				failed = err
			}
		}
		document.Files = append(document.Files, one)
		switch {
		case asJSON:
		case one.Status == "planned":
			fmt.Fprint(a.out, one.Diff)
		case one.Status == "migrated":
			fmt.Fprintf(a.out, "%s: migrated\n", file)
		}
	}
	if asJSON {
		return errors.Join(failed, printJSON(a.out, document))
	}
	return failed
}

// migrateOne migrates one file, and notes on standard error what was done and why.
func (a *app) migrateOne(file string, dryRun bool) (migratedFile, error) {
	one := migratedFile{File: file, Status: "unchanged", Notes: []string{}}
	target, data, err := migrate.Read(file)
	if err != nil {
		return one, err
	}
	change, err := migrate.Plan(file, data)
	if err != nil {
		return one, err
	}
	for _, note := range change.Notes {
		a.note("%s: %s", file, note)
	}
	one.Notes = append(one.Notes, change.Notes...)
	switch {
	case !change.Changed():
		return one, nil
	case dryRun:
		one.Status, one.Diff = "planned", string(diff.Diff(file, change.Old, file, change.New))
		return one, nil
	}
	one.Status = "migrated"
	return one, migrate.Write(target, change.New)
}
