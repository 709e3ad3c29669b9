package terraform

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	ctyyaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// functions returns Terraform's functions that modules may use here. Most are those of the library that Terraform takes
// them from. The others are as in the language's documentation, "Built-in Functions".
func functions() map[string]function.Function {
	all := map[string]function.Function{
		"can": tryfunc.CanFunc, "try": tryfunc.TryFunc, "yamldecode": ctyyaml.YAMLDecodeFunc,
		"ceil": stdlib.CeilFunc, "coalescelist": stdlib.CoalesceListFunc, "compact": stdlib.CompactFunc,
		"concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": stdlib.DistinctFunc,
		"flatten": stdlib.FlattenFunc, "floor": stdlib.FloorFunc, "format": stdlib.FormatFunc, "join": stdlib.JoinFunc,
		"jsonencode": stdlib.JSONEncodeFunc, "jsondecode": stdlib.JSONDecodeFunc, "keys": stdlib.KeysFunc,
		"lower": stdlib.LowerFunc, "max": stdlib.MaxFunc, "merge": stdlib.MergeFunc, "min": stdlib.MinFunc,
		"range": stdlib.RangeFunc, "regex": stdlib.RegexFunc,
		"reverse": stdlib.ReverseListFunc, "setintersection": stdlib.SetIntersectionFunc,
		"slice": stdlib.SliceFunc, "split": stdlib.SplitFunc, "values": stdlib.ValuesFunc,
		"tostring": stdlib.MakeToFunc(cty.String), "tonumber": stdlib.MakeToFunc(cty.Number),
		"tobool": stdlib.MakeToFunc(cty.Bool), "toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
		"tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),

		"startswith": predicate(strings.HasPrefix), "endswith": predicate(strings.HasSuffix),
		"sum": sumFunc, "replace": replaceFunc, "length": lengthFunc, "alltrue": allTrueFunc, "coalesce": coalesceFunc,
		"fileexists": ofFile(cty.Bool, func(path string) (cty.Value, error) {
			info, err := os.Stat(path)
			return cty.BoolVal(err == nil && info.Mode().IsRegular()), nil
		}),
		"file": ofFile(cty.String, func(path string) (cty.Value, error) {
			text, err := os.ReadFile(path)
			return cty.StringVal(string(text)), err
		}),
		"filebase64sha256": ofFile(cty.String, func(path string) (cty.Value, error) {
			data, err := os.ReadFile(path)
			sum := sha256.Sum256(data)
			return cty.StringVal(base64.StdEncoding.EncodeToString(sum[:])), err
		}),
	}
	all["templatefile"] = templateFunc(all)
	return all
}

// ofFile returns a function of the path of a file.
func ofFile(result cty.Type, of func(path string) (cty.Value, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}}, Type: function.StaticReturnType(result),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return of(args[0].AsString()) },
	})
}

// predicate returns a function of two texts.
func predicate(holds func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "str", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(holds(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// replaceFunc replaces a text, or a regular expression between slashes.
var replaceFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "str", Type: cty.String}, {Name: "substr", Type: cty.String},
		{Name: "replace", Type: cty.String}},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		text, old, replacement := args[0].AsString(), args[1].AsString(), args[2].AsString()
		if len(old) > 1 && old[0] == '/' && old[len(old)-1] == '/' {
			pattern, err := regexp.Compile(old[1 : len(old)-1])
			if err != nil {
				return cty.NilVal, err
			}
			return cty.StringVal(pattern.ReplaceAllString(text, replacement)), nil
		}
		return cty.StringVal(strings.ReplaceAll(text, old, replacement)), nil
	},
})

// lengthFunc counts the elements of a collection or the characters of a text.
var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		kind := args[0].Type()
		switch {
		case kind == cty.String:
			return stdlib.Strlen(args[0])
		case kind.IsObjectType():
			return cty.NumberIntVal(int64(len(kind.AttributeTypes()))), nil
		case kind.IsTupleType(), kind.IsListType(), kind.IsMapType(), kind.IsSetType():
			return cty.NumberIntVal(int64(args[0].LengthInt())), nil
		}
		return cty.NilVal, function.NewArgErrorf(0, "%s has no length", kind.FriendlyName())
	},
})

// allTrueFunc reports whether every element of a list is true.
var allTrueFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}}, Type: function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		for it := args[0].ElementIterator(); it.Next(); {
			if _, element := it.Element(); element.IsNull() || element.False() {
				return cty.False, nil
			}
		}
		return cty.True, nil
	},
})

// sumFunc adds the numbers of a list.
var sumFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Number)}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		total := cty.Zero
		for it := args[0].ElementIterator(); it.Next(); {
			_, element := it.Element()
			total = total.Add(element)
		}
		return total, nil
	},
})

// coalesceFunc returns the first argument that is neither null nor an empty text.
var coalesceFunc = function.New(&function.Spec{
	VarParam: &function.Parameter{Name: "values", Type: cty.DynamicPseudoType, AllowNull: true,
		AllowDynamicType: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		var kinds []cty.Type
		for _, arg := range args {
			kinds = append(kinds, arg.Type())
		}
		kind, _ := convert.UnifyUnsafe(kinds)
		if kind == cty.NilType {
			return cty.NilType, errors.New("all arguments must have one type")
		}
		return kind, nil
	},
	Impl: func(args []cty.Value, kind cty.Type) (cty.Value, error) {
		for _, arg := range args {
			value, err := convert.Convert(arg, kind)
			if err != nil {
				return cty.NilVal, err
			}
			if !value.IsNull() && (kind != cty.String || value.AsString() != "") {
				return value, nil
			}
		}
		return cty.NilVal, errors.New("no argument is neither null nor empty")
	},
})

// templateFunc returns a function that renders a template in a file, in which all functions can be called.
func templateFunc(all map[string]function.Function) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String},
			{Name: "vars", Type: cty.DynamicPseudoType}},
		Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			path := args[0].AsString()
			text, err := os.ReadFile(path)
			if err != nil {
				return cty.NilVal, err
			}
			template, found := hclsyntax.ParseTemplate(text, path, hcl.InitialPos)
			if err := diagnostics(found); err != nil {
				return cty.NilVal, err
			}
			value, found := template.Value(&hcl.EvalContext{Functions: all, Variables: args[1].AsValueMap()})
			if err := diagnostics(found); err != nil {
				return cty.NilVal, fmt.Errorf("rendering: %w", err)
			}
			return convert.Convert(value, cty.String)
		},
	})
}
