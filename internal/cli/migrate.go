package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rogpeppe/go-internal/diff"

	"deployer/internal/environment"
	"deployer/internal/migrate"
)

// migrate is `deployer migrate`: environment files from schema version 6 to 7.
func (c *cli) migrate() error {
	dry := c.flags.Bool("n", false, "print what would change as a unified diff, write nothing")
	dir := c.flags.String("dir", ".", "the `directory` that all means")
	files, err := c.parse("FILE...")
	if err != nil {
		return err
	}
	all := slices.Equal(files, []string{"all"})
	if all {
		if files, err = migrate.All(*dir); err != nil {
			return err
		}
	}
	var failed error
	for _, file := range files {
		switch err := c.migrateOne(file, *dry); {
		case all && errors.Is(err, environment.ErrNotEnvironment):
			fmt.Fprintf(c.err, "deployer: %s is not an environment file: passed over\n", file)
		case err != nil: // the others are done all the same
			complain(c.err, err)
			failed = errNotDone
		}
	}
	return failed
}

// migrateOne migrates one file, and says on standard error what it did and why.
func (c *cli) migrateOne(file string, dry bool) error {
	target, data, err := migrate.Read(file)
	if err != nil {
		return err
	}
	change, err := migrate.Plan(file, data)
	if err != nil {
		return err
	}
	for _, note := range change.Notes {
		fmt.Fprintf(c.err, "deployer: %s: %s\n", file, note)
	}
	switch {
	case !change.Changed():
		return nil
	case dry:
		_, err = c.out.Write(diff.Diff(file, change.Old, file, change.New))
		return err
	}
	if err := migrate.Write(target, change.New); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: migrated\n", file)
	return nil
}
