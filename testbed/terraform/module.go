// Package terraform evaluates a Terraform module as `terraform apply` does in an account that has none of its
// resources: variables with their validations, locals, preconditions, count and for_each, and the attributes that AWS
// adds. It knows the few data sources and functions that deploy/terraform uses. What it does not support is an error,
// so a module that loads means the same in Terraform.
package terraform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Input is what a module is applied with.
type Input struct {
	// Account, Region, Partition and Suffix are those of the provider. The defaults of the last two are "aws" and
	// "amazonaws.com".
	Account, Region, Partition, Suffix string
	// Variables are the values of the module's variables, which encoding/json can encode.
	Variables map[string]any
}

// Resource is one instance of a resource. Values are its arguments and blocks, and the attributes that AWS adds, as
// encoding/json decodes them, with numbers as [json.Number]. A block is a list of its occurrences.
type Resource struct {
	Type, Name string
	Key        string // of for_each, or the index of count; "" without both
	Values     map[string]any
	Arguments  []string // the names of the arguments and blocks that the module sets, sorted
}

// Module is an evaluated module. It never changes.
type Module struct {
	resources []Resource
	outputs   map[string]any
}

// Resources returns the instances of all resources, sorted by type, name and key.
func (m *Module) Resources() []Resource { return m.resources }

// Outputs returns the values of the outputs, as encoding/json decodes them.
func (m *Module) Outputs() map[string]any { return maps.Clone(m.outputs) }

// Load evaluates the module in a directory. A validation, a precondition or a postcondition that does not hold is an
// error with its message.
func Load(dir string, in Input) (*Module, error) {
	m, err := load(dir, in)
	if err != nil {
		return nil, fmt.Errorf("evaluating the module %s: %w", dir, err)
	}
	return m, nil
}

func load(dir string, in Input) (*Module, error) {
	e, err := parse(dir, in)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(e.variables)) {
		if err := e.validate(name); err != nil {
			return nil, err
		}
	}
	m := &Module{outputs: map[string]any{}}
	for _, name := range slices.Sorted(maps.Keys(e.data)) {
		if _, err := e.reference(name); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.resources)) {
		if _, err := e.reference(name); err != nil {
			return nil, err
		}
		m.resources = append(m.resources, e.instances[name]...)
	}
	for _, name := range slices.Sorted(maps.Keys(e.outputs)) {
		value, err := e.evaluate(e.outputs[name].Body.Attributes["value"].Expr, nil)
		if err != nil {
			return nil, fmt.Errorf("output %s: %w", name, err)
		}
		if m.outputs[name], err = native(value); err != nil {
			return nil, fmt.Errorf("output %s: %w", name, err)
		}
	}
	return m, nil
}

// parse reads the files of a module.
func parse(dir string, in Input) (*evaluator, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("the directory has no files *.tf")
	}
	e := newEvaluator(dir, in)
	for _, file := range files {
		body, err := parseFile(file)
		if err != nil {
			return nil, err
		}
		for _, block := range body.Blocks {
			if err := e.add(block); err != nil {
				return nil, err
			}
		}
	}
	return e, nil
}

// add adds a block of the module.
func (e *evaluator) add(block *hclsyntax.Block) error {
	labels := block.Labels
	switch block.Type {
	case "terraform":
	case "variable":
		e.variables[labels[0]] = block
	case "output":
		e.outputs[labels[0]] = block
	case "locals":
		for name, attribute := range block.Body.Attributes {
			e.locals[name] = attribute.Expr
		}
	case "data":
		e.data["data."+labels[0]+"."+labels[1]] = block
	case "resource":
		e.resources[labels[0]+"."+labels[1]] = block
	default:
		return fmt.Errorf("%s: a block of type %s is not supported", block.TypeRange, block.Type)
	}
	return nil
}

// diagnostics returns an error for the first of some diagnostics that is one, with its place; nil if none is.
func diagnostics(all hcl.Diagnostics) error {
	for _, d := range all {
		if d.Severity != hcl.DiagError {
			continue
		}
		place := ""
		if d.Subject != nil {
			place = fmt.Sprintf("%s:%d: ", filepath.Base(d.Subject.Filename), d.Subject.Start.Line)
		}
		return fmt.Errorf("%s%s: %s", place, d.Summary, d.Detail)
	}
	return nil
}

// native returns a value as encoding/json decodes it.
func native(value cty.Value) (any, error) {
	text, err := ctyjson.Marshal(value, value.Type())
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var decoded any
	err = decoder.Decode(&decoded)
	return decoded, err
}
