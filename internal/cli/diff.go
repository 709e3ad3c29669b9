package cli

import (
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/resolve"
)

// diff is `deployer diff`: what a deployment would change of what runs.
func (c *cli) diff() error {
	file := c.flags.String("f", "", "the environment `FILE`")
	env, w, tag, err := c.serviceAndTag(file)
	if err != nil {
		return err
	}
	ctx, cancel := contextWithPatience(c)
	defer cancel()
	env, config, _, err := c.credentials(ctx, env)
	if err != nil {
		return err
	}
	image, err := resolve.New(config).Resolve(ctx, env, env.Current(w), tag)
	if err != nil {
		return err
	}
	state, err := ecsdeploy.New(ecsservice.New(config)).Read(ctx, ecsservice.TargetOf(env, w))
	if err != nil {
		return err
	}
	change, err := state.Change(ecsdeploy.Order{Image: image, Form: env.ImageForm})
	if err != nil {
		return err
	}
	if change.Same {
		fmt.Fprintf(c.err, "deployer: %s runs this image already: only deployer deploy -force would move it\n", w.Name)
	}
	short := func(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
	text := diff.Diff(short(change.Runs), change.Before, short(change.Base)+" with "+tag, change.After)
	if text == nil {
		fmt.Fprintln(c.err, "deployer: nothing differs")
	}
	_, err = c.out.Write(text)
	return err
}
