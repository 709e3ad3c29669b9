package terraform

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// meta are the arguments of Terraform's own.
var meta = []string{"count", "for_each", "depends_on", "lifecycle"}

func cut(name string) (before, after string) {
	before, after, _ = strings.Cut(name, ".")
	return before, after
}

// source returns the value of a data source.
func (e *evaluator) source(name string) (cty.Value, error) {
	attributes := map[string]map[string]string{
		"data.aws_caller_identity.current": {"account_id": e.in.Account},
		"data.aws_region.current":          {"region": e.in.Region},
		"data.aws_partition.current":       {"partition": e.in.Partition, "dns_suffix": e.in.Suffix},
	}[name]
	if attributes == nil {
		return cty.NilVal, fmt.Errorf("the data source is not supported")
	}
	values := map[string]cty.Value{}
	for attribute, value := range attributes {
		values[attribute] = cty.StringVal(value)
	}
	value := cty.ObjectVal(values)
	return value, e.conditions(e.data[name], map[string]cty.Value{"self": value})
}

// conditions checks the preconditions and postconditions of a data source or resource.
func (e *evaluator) conditions(block *hclsyntax.Block, scope map[string]cty.Value) error {
	for _, lifecycle := range block.Body.Blocks {
		if lifecycle.Type != "lifecycle" {
			continue
		}
		for _, condition := range lifecycle.Body.Blocks {
			if err := e.check(condition, scope); err != nil {
				return err
			}
		}
	}
	return nil
}

// resource evaluates the instances of a resource, and returns what expressions see of them.
func (e *evaluator) resource(name string) (cty.Value, error) {
	block := e.resources[name]
	count, counted := block.Body.Attributes["count"]
	forEach, each := block.Body.Attributes["for_each"]
	switch {
	case counted:
		return e.counted(name, count.Expr)
	case each:
		return e.forEach(name, forEach.Expr)
	}
	return e.instance(name, "", nil)
}

func (e *evaluator) counted(name string, expression hclsyntax.Expression) (cty.Value, error) {
	value, err := e.evaluate(expression, nil)
	if err != nil {
		return cty.NilVal, err
	}
	if value, err = convert.Convert(value, cty.Number); err != nil {
		return cty.NilVal, err
	}
	n, _ := value.AsBigFloat().Int64()
	var all []cty.Value
	for i := range n {
		index := cty.ObjectVal(map[string]cty.Value{"index": cty.NumberIntVal(i)})
		one, err := e.instance(name, strconv.FormatInt(i, 10), map[string]cty.Value{"count": index})
		if err != nil {
			return cty.NilVal, err
		}
		all = append(all, one)
	}
	return cty.TupleVal(all), nil
}

func (e *evaluator) forEach(name string, expression hclsyntax.Expression) (cty.Value, error) {
	value, err := e.evaluate(expression, nil)
	if err != nil {
		return cty.NilVal, err
	}
	kind := value.Type()
	if !kind.IsMapType() && !kind.IsObjectType() && !kind.IsSetType() {
		return cty.NilVal, fmt.Errorf("for_each is %s, not a map or a set", kind.FriendlyName())
	}
	all := map[string]cty.Value{}
	for it := value.ElementIterator(); it.Next(); {
		key, element := it.Element()
		if kind.IsSetType() {
			key = element
		}
		scope := map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": element})}
		if all[key.AsString()], err = e.instance(name, key.AsString(), scope); err != nil {
			return cty.NilVal, fmt.Errorf("[%q]: %w", key.AsString(), err)
		}
	}
	return cty.ObjectVal(all), nil
}

// instance evaluates one instance of a resource.
func (e *evaluator) instance(name, key string, scope map[string]cty.Value) (cty.Value, error) {
	block := e.resources[name]
	if err := e.conditions(block, scope); err != nil {
		return cty.NilVal, err
	}
	values, err := e.body(block.Body, scope)
	if err != nil {
		return cty.NilVal, err
	}
	arguments := slices.Sorted(maps.Keys(values))
	kind, local := cut(name)
	for attribute, value := range e.computed(kind, values) {
		values[attribute] = cty.StringVal(value)
	}
	value := cty.ObjectVal(values)
	decoded, err := native(value)
	if err != nil {
		return cty.NilVal, err
	}
	e.instances[name] = append(e.instances[name], Resource{kind, local, key, decoded.(map[string]any), arguments})
	return value, nil
}

// body evaluates the arguments and the blocks of a resource or of a block.
func (e *evaluator) body(body *hclsyntax.Body, scope map[string]cty.Value) (map[string]cty.Value, error) {
	values := map[string]cty.Value{}
	for name, attribute := range body.Attributes {
		if slices.Contains(meta, name) {
			continue
		}
		value, err := e.evaluate(attribute.Expr, scope)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		values[name] = value
	}
	blocks := map[string][]cty.Value{}
	for _, block := range body.Blocks {
		if slices.Contains(meta, block.Type) {
			continue
		}
		if block.Type == "dynamic" || len(block.Labels) > 0 {
			return nil, fmt.Errorf("a block of type %s is not supported", block.Type)
		}
		members, err := e.body(block.Body, scope)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", block.Type, err)
		}
		blocks[block.Type] = append(blocks[block.Type], cty.ObjectVal(members))
	}
	for name, all := range blocks {
		values[name] = cty.TupleVal(all)
	}
	return values, nil
}

// computed returns the attributes that AWS adds to a resource (the pages of the resources in the provider's reference,
// "Attribute Reference").
func (e *evaluator) computed(kind string, values map[string]cty.Value) map[string]string {
	text := func(name string) string {
		if value, ok := values[name]; ok && value.Type() == cty.String && !value.IsNull() {
			return value.AsString()
		}
		return ""
	}
	arn := func(service, region, resource string) map[string]string {
		return map[string]string{"arn": fmt.Sprintf("arn:%s:%s:%s:%s:%s", e.in.Partition, service, region, e.in.Account,
			resource)}
	}
	name := text("name")
	switch kind {
	case "aws_lambda_function":
		return arn("lambda", e.in.Region, "function:"+text("function_name"))
	case "aws_sqs_queue":
		attributes := arn("sqs", e.in.Region, name)
		attributes["url"] = fmt.Sprintf("https://sqs.%s.%s/%s/%s", e.in.Region, e.in.Suffix, e.in.Account, name)
		return attributes
	case "aws_iam_role":
		return arn("iam", "", "role/"+name)
	case "aws_iam_policy":
		return arn("iam", "", "policy/"+name)
	case "aws_cloudwatch_event_rule":
		return arn("events", e.in.Region, "rule/"+name)
	case "aws_scheduler_schedule_group":
		return arn("scheduler", e.in.Region, "schedule-group/"+name)
	case "aws_cloudwatch_log_group":
		return arn("logs", e.in.Region, "log-group:"+name)
	}
	return nil
}
