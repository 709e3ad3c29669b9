package terraform

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// evaluator evaluates the parts of a module when they are referred to, each once.
type evaluator struct {
	dir       string
	in        Input
	functions map[string]function.Function
	variables map[string]*hclsyntax.Block
	outputs   map[string]*hclsyntax.Block
	locals    map[string]hclsyntax.Expression
	data      map[string]*hclsyntax.Block // by "data.TYPE.NAME"
	resources map[string]*hclsyntax.Block // by "TYPE.NAME"

	values    map[string]cty.Value  // by "local.NAME", "var.NAME", "data.TYPE.NAME" or "TYPE.NAME"
	instances map[string][]Resource // of a resource, by "TYPE.NAME"
	entered   map[string]bool       // what is being evaluated, to detect circular references
}

func newEvaluator(dir string, in Input) *evaluator {
	if in.Partition == "" {
		in.Partition = "aws"
	}
	if in.Suffix == "" {
		in.Suffix = "amazonaws.com"
	}
	return &evaluator{dir: dir, in: in, functions: functions(), variables: map[string]*hclsyntax.Block{},
		outputs: map[string]*hclsyntax.Block{}, locals: map[string]hclsyntax.Expression{},
		data: map[string]*hclsyntax.Block{}, resources: map[string]*hclsyntax.Block{}, values: map[string]cty.Value{},
		instances: map[string][]Resource{}, entered: map[string]bool{}}
}

// parseFile parses a file, or returns what parsing the same text of it returned before: evaluating does not change it.
func parseFile(file string) (*hclsyntax.Body, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key := [2]string{file, string(source)}
	if body, ok := parsed.Load(key); ok {
		return body.(*hclsyntax.Body), nil
	}
	result, found := hclsyntax.ParseConfig(source, file, hcl.InitialPos)
	if err := diagnostics(found); err != nil {
		return nil, err
	}
	body := result.Body.(*hclsyntax.Body)
	parsed.Store(key, body)
	return body, nil
}

// parsed are the bodies of files, by the file's name and text.
var parsed sync.Map

// evaluate returns the value of an expression. Scope has the values that only it can refer to, such as each.
func (e *evaluator) evaluate(expression hclsyntax.Expression, scope map[string]cty.Value) (cty.Value, error) {
	context := &hcl.EvalContext{Functions: e.functions, Variables: map[string]cty.Value{}}
	groups := map[string]map[string]cty.Value{}
	for _, traversal := range expression.Variables() {
		root := traversal.RootName()
		if value, ok := scope[root]; ok {
			context.Variables[root] = value
			continue
		}
		name, path := e.split(traversal)
		if name == "" {
			return cty.NilVal, fmt.Errorf("%s: a reference to %s is not supported", traversal.SourceRange(), root)
		}
		value, err := e.reference(name)
		if err != nil {
			return cty.NilVal, err
		}
		group := groups[path[0]]
		if group == nil {
			group = map[string]cty.Value{}
			groups[path[0]] = group
		}
		if len(path) == 3 { // data.TYPE.NAME
			group[path[1]] = cty.ObjectVal(map[string]cty.Value{path[2]: value})
		} else {
			group[path[1]] = value
		}
	}
	for root, members := range groups {
		context.Variables[root] = cty.ObjectVal(members)
	}
	value, found := expression.Value(context)
	if err := diagnostics(found); err != nil {
		return cty.NilVal, err
	}
	if !value.IsWhollyKnown() { // every value is known, as every resource exists when it is referred to
		return cty.NilVal, fmt.Errorf("%s: the value is unknown", expression.Range())
	}
	return value, nil
}

// split returns the name of what a traversal refers to, and its parts; "" if it is not supported.
func (e *evaluator) split(traversal hcl.Traversal) (name string, path []string) {
	parts := 2
	if traversal.RootName() == "data" {
		parts = 3
	}
	if len(traversal) < parts {
		return "", nil
	}
	path = []string{traversal.RootName()}
	name = path[0]
	for _, step := range traversal[1:parts] {
		attribute, ok := step.(hcl.TraverseAttr)
		if !ok {
			return "", nil
		}
		path = append(path, attribute.Name)
		name += "." + attribute.Name
	}
	return name, path
}

// reference returns the value of a local, a variable, a data source or a resource.
func (e *evaluator) reference(name string) (value cty.Value, err error) {
	if value, ok := e.values[name]; ok {
		return value, nil
	}
	if e.entered[name] {
		return cty.NilVal, fmt.Errorf("%s depends on itself", name)
	}
	e.entered[name] = true
	defer delete(e.entered, name)
	before, after := cut(name)
	local, isLocal := e.locals[after]
	switch {
	case before == "path" && after == "module":
		value = cty.StringVal(e.dir)
	case before == "local" && isLocal:
		value, err = e.evaluate(local, nil)
	case before == "var" && e.variables[after] != nil:
		value, err = e.variable(after)
	case e.data[name] != nil:
		value, err = e.source(name)
	case e.resources[name] != nil:
		value, err = e.resource(name)
	default:
		err = errors.New("the module does not declare it")
	}
	if err != nil {
		return cty.NilVal, fmt.Errorf("%s: %w", name, err)
	}
	e.values[name] = value
	return value, nil
}

// variable returns the value of a variable, converted to its type.
func (e *evaluator) variable(name string) (cty.Value, error) {
	body := e.variables[name].Body
	want := cty.DynamicPseudoType
	if declared, ok := body.Attributes["type"]; ok {
		constraint, found := typeexpr.TypeConstraint(declared.Expr)
		if err := diagnostics(found); err != nil {
			return cty.NilVal, err
		}
		want = constraint
	}
	value := cty.NullVal(want)
	if byDefault, ok := body.Attributes["default"]; ok {
		var err error
		if value, err = e.evaluate(byDefault.Expr, nil); err != nil {
			return cty.NilVal, err
		}
	}
	if given, ok := e.in.Variables[name]; ok {
		text, err := json.Marshal(given)
		if err != nil {
			return cty.NilVal, err
		}
		implied, err := ctyjson.ImpliedType(text)
		if err != nil {
			return cty.NilVal, err
		}
		if value, err = ctyjson.Unmarshal(text, implied); err != nil {
			return cty.NilVal, err
		}
	} else if _, optional := body.Attributes["default"]; !optional {
		return cty.NilVal, errors.New("the variable is required")
	}
	return convert.Convert(value, want)
}

// validate returns an error for the first validation of a variable that does not hold.
func (e *evaluator) validate(name string) error {
	if _, err := e.reference("var." + name); err != nil {
		return err
	}
	for _, block := range e.variables[name].Body.Blocks {
		if err := e.check(block, nil); err != nil {
			return fmt.Errorf("var.%s: %w", name, err)
		}
	}
	return nil
}

// check returns the message of a validation or of a condition of a resource, as an error, if it does not hold.
func (e *evaluator) check(block *hclsyntax.Block, scope map[string]cty.Value) error {
	holds, err := e.evaluate(block.Body.Attributes["condition"].Expr, scope)
	if err != nil {
		return err
	}
	if holds, err = convert.Convert(holds, cty.Bool); err != nil || holds.True() {
		return err
	}
	message, err := e.evaluate(block.Body.Attributes["error_message"].Expr, scope)
	if err != nil {
		return err
	}
	return errors.New(message.AsString())
}
