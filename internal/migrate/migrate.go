// Package migrate migrates an environment file from schema version 6 to 7, which adds
// ecr_strategy. It edits the text and changes nothing else: comments, order, blank
// lines, indentation, line ends and the spelling of numbers stay.
package migrate

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v4"

	"deployer/internal/environment"
)

// Schema versions.
const (
	from   = 6 // the version that can be migrated
	to     = 7 // the version that introduced ecr_strategy
	latest = environment.NewestSchema
)

// Change is the result of migrating one file.
type Change struct {
	Old, New []byte // the same if there is nothing to do
	Notes    []string
}

// Changed reports whether the file must be written.
func (c Change) Changed() bool { return string(c.Old) != string(c.New) }

// Plan returns the result of migrating a file with the given content. It reads and
// writes no file; faults are reported under name. The error is an
// [environment.Faults], which wraps [environment.ErrNotEnvironment] if the file has
// no `env` key.
func Plan(name string, data []byte) (Change, error) {
	c := Change{Old: data, New: data}
	f, err := parse(name, data)
	if err != nil {
		return c, err
	}
	version, err := f.version()
	if err != nil {
		return c, err
	}
	switch {
	case version > latest:
		c.note("schema_version %d is newer than %d, the newest known version: nothing to do", version, latest)
		return c, nil
	case version >= to:
		c.note("schema_version is %d: nothing to do", version)
		return c, nil
	}
	if err := f.setStrategy(&c); err != nil {
		return c, err
	}
	switch {
	case version == from:
		if err := f.setVersion(&c); err != nil {
			return c, err
		}
	case version == 0:
		c.note(
			"there is no schema_version, so the file is older than 6: it stays so, because the earlier migrations " +
				"come first")
	default:
		c.note("schema_version is %d and stays so, because the migrations up to %d come first", version, from)
	}
	c.New = f.apply()
	return c, f.verify(c.New)
}

func (c *Change) note(format string, args ...any) {
	c.Notes = append(c.Notes, environment.Mask(fmt.Sprintf(format, args...)))
}

// version returns the file's schema version, 0 if it has none.
func (f *file) version() (int, error) {
	v := f.values["schema_version"]
	if isNull(v) {
		return 0, nil
	}
	n, err := strconv.Atoi(v.Value)
	if v.Kind != yaml.ScalarNode || err != nil || n < 0 {
		return 0, f.fault(v, "`schema_version` is not a whole number", "write it like 6")
	}
	return n, nil
}

// setStrategy sets ecr_strategy if it is not set: see [environment.DeriveStrategy].
func (f *file) setStrategy(c *Change) error {
	if v := f.values["ecr_strategy"]; !isNull(v) && v.Value != "" {
		c.note("ecr_strategy is set already: %q", v.Value)
		return nil
	}
	account := f.values["ecr_account_id"]
	id := ""
	if !isNull(account) {
		id = account.Value
	}
	strategy := environment.DeriveStrategy(f.values["env"].Value, id)
	c.note("ecr_strategy: %q (%s)", strategy.Name, strategy.Why)
	if key := f.keys["ecr_strategy"]; key != nil {
		return f.replaceValue(key, strconv.Quote(strategy.Name))
	}
	return f.insertAfter(f.keys["env"], f.values["env"], "ecr_strategy: "+strconv.Quote(strategy.Name))
}

// setVersion increments the schema version.
func (f *file) setVersion(c *Change) error {
	v := f.values["schema_version"]
	at, err := f.offset(v)
	if err != nil {
		return err
	}
	if at < len(f.data) && (f.data[at] == '"' || f.data[at] == '\'') {
		at++
	}
	if old := strconv.Itoa(from); at+len(old) > len(f.data) || string(f.data[at:at+len(old)]) != old {
		return f.fault(v, "`schema_version` is written in a form that cannot be changed in place",
			"write it as: schema_version: 6")
	}
	f.edits = append(f.edits, edit{at, at + len(strconv.Itoa(from)), strconv.Itoa(to)})
	c.note("schema_version: %d → %d", from, to)
	return nil
}
