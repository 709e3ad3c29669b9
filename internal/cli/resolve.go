package cli

import (
	"context"
	"fmt"

	"deployer/internal/awsconfig"
	"deployer/internal/caller"
	"deployer/internal/resolve"
)

// resolve is `deployer resolve`: the image reference of a service under a tag.
func (c *cli) resolve() error {
	file := c.flags.String("f", "", "the environment `FILE`")
	check := c.flags.Bool("check", false, "ask ECR whether the image exists, and print it by digest")
	env, workload, tag, err := c.serviceAndTag(file)
	if err != nil {
		return err
	}
	ctx, cancel := contextWithPatience(c)
	defer cancel()
	if !*check && env.AccountID == "" && workload.Registry.AccountID == "" {
		return fmt.Errorf("%s does not say which account's registry this is (add account_id to it, or use -check to ask AWS)", *file)
	}
	if !*check {
		if workload.Repository == "" {
			return fmt.Errorf("%s %s runs %q, from outside ECR: it has no image under a tag", workload.Kind, workload.Name, workload.External)
		}
		fmt.Fprintln(c.out, workload.Reference(tag))
		return nil
	}
	config, err := awsconfig.Load(ctx, env.Region)
	if err != nil {
		return err
	}
	if env.AccountID == "" {
		caller, err := caller.Identity(ctx, config)
		if err != nil {
			return err
		}
		env = env.In(caller.AccountID)
	}
	ref, err := resolve.New(config).Resolve(ctx, env, env.Current(workload), tag)
	if err != nil {
		return err
	}
	ref.Tag = "" // a digest says it all, and is what a task definition gets
	fmt.Fprintln(c.out, ref)
	return nil
}

// contextWithPatience bounds what a command waits for AWS.
func contextWithPatience(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, patience)
}
