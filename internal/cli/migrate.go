package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"deployer/internal/environment"
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
	named := filesFlag(cmd)
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
		return a.migrate(files, everything, dryRun)
	}
	cmd.Flags().BoolVarP(&dryRun, "dry-run", "n", false, "print what would change as a unified diff, write nothing")
	cmd.Flags().StringVar(&dir, "dir", ".", "`DIRECTORY` that all stands for")
	return cmd
}

// migrate migrates files. One that fails does not keep the others from being
// migrated. With all, files that are not environment files are skipped.
func (a *app) migrate(files []string, all, dryRun bool) error {
	var failed error
	for _, file := range files {
		err := a.migrateOne(file, dryRun)
		switch {
		case all && errors.Is(err, environment.ErrNotEnvironment):
			a.note("%s is not an environment file: skipped", file)
		case err != nil:
			if err := a.reported(a.wrongEnvironment(file, err)); !errors.Is(failed, errReportedUsage) {
				failed = err
			}
		}
	}
	return failed
}

// migrateOne migrates one file, and notes on standard error what was done and why.
func (a *app) migrateOne(file string, dryRun bool) error {
	target, data, err := migrate.Read(file)
	if err != nil {
		return err
	}
	change, err := migrate.Plan(file, data)
	if err != nil {
		return err
	}
	for _, note := range change.Notes {
		a.note("%s: %s", file, note)
	}
	switch {
	case !change.Changed():
		return nil
	case dryRun:
		_, err = a.out.Write(diff.Diff(file, change.Old, file, change.New))
		return err
	}
	if err := migrate.Write(target, change.New); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s: migrated\n", file)
	return nil
}
