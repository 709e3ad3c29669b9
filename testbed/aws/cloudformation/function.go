package cloudformation

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// join is Fn::Join. Its delimiter, like that of Fn::Split, must not be a function.
func (r *resolver) join(operands []any) (any, error) {
	delimiter, rest, err := delimited("Fn::Join", operands)
	if err != nil {
		return nil, err
	}
	list, err := r.list("Fn::Join", rest)
	if err != nil {
		return nil, err
	}
	var parts []string
	for _, element := range list {
		part, err := r.text("Fn::Join", element)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, delimiter), nil
}

func (r *resolver) split(operands []any) (any, error) {
	delimiter, rest, err := delimited("Fn::Split", operands)
	if err != nil {
		return nil, err
	}
	if delimiter == "" {
		return nil, errors.New("Fn::Split takes a delimiter that is not empty")
	}
	source, err := r.text("Fn::Split", rest)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for part := range strings.SplitSeq(source, delimiter) {
		list = append(list, part)
	}
	return list, nil
}

func delimited(name string, operands []any) (delimiter string, rest any, err error) {
	if len(operands) != 2 {
		return "", nil, fmt.Errorf("%s takes a delimiter and a value, not %d operands", name, len(operands))
	}
	delimiter, ok := operands[0].(string)
	if !ok {
		return "", nil, fmt.Errorf("%s takes a string as delimiter, not %s", name, describe(operands[0]))
	}
	return delimiter, operands[1], nil
}

// pick is Fn::Select.
func (r *resolver) pick(operands []any) (any, error) {
	if len(operands) != 2 {
		return nil, fmt.Errorf("Fn::Select takes an index and a list, not %d operands", len(operands))
	}
	text, err := r.text("Fn::Select", operands[0])
	if err != nil {
		return nil, err
	}
	list, err := r.list("Fn::Select", operands[1])
	if err != nil {
		return nil, err
	}
	index, err := strconv.Atoi(text)
	if err != nil || index < 0 || index >= len(list) {
		return nil, fmt.Errorf("Fn::Select cannot select %q of a list of %d", text, len(list))
	}
	return list[index], nil
}
