package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/pipeline"
)

// patience ends a deployment by hand that AWS keeps from ending.
const patience = 5 * time.Minute

// firstAnswer is how long AWS may be silent at the very beginning: who has no
// network need not wait for patience to end.
const firstAnswer = 15 * time.Second

// deploy is `deployer deploy`: what a DEPLOY event does, with the caller's credentials.
func (c *cli) deploy() error {
	file := c.flags.String("f", "", "the environment `FILE`")
	dryRun := c.flags.Bool("dry-run", false, "say what would change, change nothing")
	force := c.flags.Bool("force", false, "register and roll out a new revision even if the service runs this image")
	reason := c.flags.String("reason", "", "why, for the revision's journal")
	asJSON := c.flags.Bool("json", false, "print the result as JSON, as the function returns it")
	env, workload, tag, err := c.serviceAndTag(file)
	if err != nil {
		return err
	}
	ctx, cancel := contextWithPatience(c)
	defer cancel()
	env, config, caller, err := c.credentials(ctx, env)
	if err != nil {
		return err
	}
	result, err := pipeline.New(env, config).Deploy(ctx, event.Request{
		EventID: "cli-" + rand.Text(), Time: time.Now().UTC(), Source: "deployer.cli", Workload: workload, Tag: tag,
		Reason: *reason, Actor: caller.Resource, DryRun: *dryRun, Force: *force,
	})
	if err != nil {
		return err
	}
	if *asJSON {
		if err := printJSON(c.out, result); err != nil {
			return err
		}
	} else {
		for _, d := range result.Deployments {
			printDeployment(c.out, d)
		}
	}
	switch result.Status {
	case ecsdeploy.Deployed, ecsdeploy.Unchanged, ecsdeploy.Planned:
		return nil
	}
	return errNotDone
}

// credentials returns the AWS configuration for an environment, after checking
// that its credentials are of the environment's own account; and the
// environment with that account settled.
func (c *cli) credentials(ctx context.Context, env *environment.Environment) (*environment.Environment, aws.Config, arn.ARN, error) {
	config, err := loadConfig(ctx, env.Region)
	if err != nil {
		return nil, config, arn.ARN{}, err
	}
	asking, cancel := context.WithTimeout(ctx, firstAnswer)
	defer cancel()
	caller, err := pipeline.Caller(asking, config)
	if err != nil {
		return nil, config, caller, err
	}
	if env.AccountID != "" && caller.AccountID != env.AccountID {
		return nil, config, caller, fmt.Errorf("%s is environment %s of account %s, and these credentials are %s (choose others, for example with AWS_PROFILE)", env.File, env.Name, env.AccountID, caller)
	}
	return env.In(caller.AccountID), config, caller, nil
}

// serviceAndTag reads the arguments SERVICE and TAG, and the environment file
// that the flag -f names, and finds the service in it. What is wrong with the
// tag's form is said before anybody is asked.
func (c *cli) serviceAndTag(file *string) (*environment.Environment, environment.Workload, string, error) {
	args, err := c.parse("SERVICE", "TAG")
	if err != nil {
		return nil, environment.Workload{}, "", err
	}
	env, err := c.load(*file)
	if err != nil {
		return nil, environment.Workload{}, "", err
	}
	w, err := serviceOf(env, args[0])
	if err != nil {
		return nil, w, "", err
	}
	if wrong := event.CheckTag(args[1]); wrong != "" {
		return nil, w, "", errors.New(wrong)
	}
	return env, w, args[1], nil
}

// serviceOf returns the service that goes by a name.
func serviceOf(env *environment.Environment, name string) (environment.Workload, error) {
	w, ok := env.Find(name, environment.Services...)
	if !ok {
		return w, errors.New(event.Unknown(env, "service", name))
	}
	return w, nil
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printDeployment shows a person what became of one service.
func printDeployment(w io.Writer, d ecsdeploy.Deployment) {
	fmt.Fprintf(w, "%s: %s: %s\n", d.Service, d.Status, d.Reason)
	for _, line := range [][2]string{
		{"cluster", d.Cluster}, {"service", d.ECSService}, {"tag", d.Tag}, {"image", d.Image},
		{"revision", d.TaskDefinition}, {"before", d.PreviousTaskDefinition}, {"rollout", d.DeploymentID},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "  %-9s %s\n", line[0], line[1])
		}
	}
}
