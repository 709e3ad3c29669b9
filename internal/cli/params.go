package cli

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/stack"
)

// params is `deployer params`: the parameters of the deployer's own stack.
func (c *cli) params() error {
	file := c.flags.String("f", "", "the environment `FILE`")
	format := c.flags.String("format", "sam", "sam, samconfig or tfvars")
	more, err := c.parse("NAME=VALUE*")
	if err != nil {
		return err
	}
	if !slices.Contains(stack.Formats, *format) {
		return usageError(fmt.Sprintf("there is no format %q: choose one of %s", *format, strings.Join(stack.Formats, ", ")))
	}
	env, err := c.load(*file)
	if err != nil {
		return err
	}
	parameters, err := stack.Parameters(env, more...)
	if err != nil {
		return err
	}
	text, err := stack.Format(*format, env, parameters)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(c.out, text)
	return err
}
