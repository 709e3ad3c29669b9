package environment

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// reader reads a YAML tree and collects the faults of the whole file, so that they
// can be corrected at once.
type reader struct {
	file     string
	faults   Faults
	warnings Faults
	advice   Faults
	keys     int // read so far, those of merged mappings once for each merge
}

// maxKeys is how many keys of a file are read. A file of 1 kB can merge mappings into
// each other so that they have more keys than can be read in a lifetime.
const maxKeys = 100_000

func (r *reader) fault(n *yaml.Node, what, fix string) {
	r.faults = append(r.faults, r.at(n, what, fix))
}

func (r *reader) warn(n *yaml.Node, what, fix string) {
	f := r.at(n, what, fix)
	f.Warning = true
	r.warnings = append(r.warnings, f)
}

func (r *reader) at(n *yaml.Node, what, fix string) Fault {
	f := Fault{File: r.file, What: what, Fix: fix}
	if n != nil {
		f.Line, f.Col = n.Line, n.Column
	}
	return f
}

// sorted sorts faults by their position in the file.
func sorted(f Faults) Faults {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return f
}

// root parses the file's only document and returns its mapping. It returns nil after
// adding a fault if there is none.
func (r *reader) root(data []byte) *yaml.Node {
	if len(data) > maxSize {
		r.fault(nil, "the file has more than "+strconv.Itoa(maxSize)+" bytes, and is no environment file",
			"is it the right file?")
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		r.fault(nil, "reading YAML: "+err.Error(), "")
		return nil
	}
	var doc, second yaml.Node
	err = loader.Load(&doc)
	switch {
	case errors.Is(err, io.EOF):
		r.empty()
		return nil
	case err != nil:
		r.syntax(data, err)
		return nil
	}
	err = loader.Load(&second)
	switch {
	case err == nil:
		r.fault(second.Content[0], "a second YAML document begins here",
			"keep one document, and one environment, per file")
		return nil
	case !errors.Is(err, io.EOF):
		r.syntax(data, err)
		return nil
	}
	n := resolved(doc.Content[0])
	if isNull(n) {
		r.empty()
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.faults = append(r.faults, Fault{File: r.file, Line: n.Line, Col: n.Column, What: "the file is " + kindOf(n) +
			", not keys and values: it has no `env` key", Err: ErrNotEnvironment})
		return nil
	}
	return n
}

// empty adds the fault of a file without a value.
func (r *reader) empty() {
	r.faults = append(r.faults, Fault{File: r.file, What: "the file is empty: it has no `env` key",
		Fix: "describe the environment: project, env, region, ecr_strategy", Err: ErrNotEnvironment})
}

// syntax adds a fault for an error of the YAML parser, at the position that it reports.
func (r *reader) syntax(data []byte, err error) {
	f := Fault{File: r.file, What: "reading YAML: " + err.Error()}
	var load *yaml.LoadError
	if errors.As(err, &load) && load.Mark.Line > 0 {
		f.Line, f.Col, f.What = load.Mark.Line, load.Mark.Column, "reading YAML: "+load.Message
		if load.ContextMsg != "" {
			f.What += ", " + load.ContextMsg
			if load.ContextMark.Line > 0 && load.ContextMark.Line != load.Mark.Line {
				f.What += " that starts in line " + strconv.Itoa(load.ContextMark.Line)
			}
		}
	}
	lines := bytes.SplitN(data, []byte("\n"), f.Line+1)
	if f.Line > 0 && f.Line <= len(lines) && bytes.HasPrefix(bytes.TrimLeft(lines[f.Line-1], " "), []byte("\t")) {
		f.Fix = "the line begins with a tab: indent with spaces"
	}
	r.faults = append(r.faults, f)
}

// resolved returns the node that an alias refers to, or n itself.
func resolved(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	}
	return "a single value"
}
