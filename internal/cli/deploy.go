package cli

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

	"deployer/internal/awsconfig"
	"deployer/internal/caller"
	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/pipeline"
	"deployer/internal/rollout"
)

// patience ends a deployment by hand that AWS keeps from ending.
const patience = 5 * time.Minute

// firstAnswer is how long AWS may be silent at the very beginning: who has no
// network need not wait for patience to end.
const firstAnswer = 15 * time.Second

// manner is how something is deployed, by flags that deploy and rollback share.
type manner struct {
	dryRun, asJSON, follow *bool
	reason                 *string
}

func (c *cli) manner() manner {
	return manner{
		dryRun: c.flags.Bool("dry-run", false, "say what would change, change nothing"),
		asJSON: c.flags.Bool("json", false, "print the result as JSON, as the function returns it"),
		follow: c.flags.Bool("follow", false, "show the rollout to its end, on standard error; exit code 1 unless it succeeds"),
		reason: c.flags.String("reason", "", "why, for the revision's journal"),
	}
}

// deploy is `deployer deploy`: what a DEPLOY event does, with the caller's credentials.
func (c *cli) deploy() error {
	file := c.flags.String("f", "", "the environment `FILE`")
	force := c.flags.Bool("force", false, "register and roll out a new revision even if the service runs this image")
	how := c.manner()
	env, workload, tag, err := c.serviceAndTag(file)
	if err != nil {
		return err
	}
	return c.carryOut(env, event.Request{Workload: workload, Tag: tag, Force: *force}, how)
}

// carryOut carries out a request with the caller's credentials, and shows what
// became of it.
func (c *cli) carryOut(env *environment.Environment, request event.Request, how manner) error {
	ctx, cancel := contextWithPatience(c)
	defer cancel()
	env, config, caller, err := c.credentials(ctx, env)
	if err != nil {
		return err
	}
	request.Cause.ID, request.Cause.Time, request.Cause.Source = "cli-"+rand.Text(), time.Now().UTC(), "deployer.cli"
	request.Cause.Reason, request.Cause.Actor, request.DryRun = *how.reason, caller.Resource, *how.dryRun
	result, err := pipeline.New(env, config).Deploy(ctx, request)
	if err != nil {
		return err
	}
	if *how.asJSON {
		if err := printJSON(c.out, result); err != nil {
			return err
		}
	} else {
		for _, d := range result.Deployments {
			printDeployment(c.out, d)
		}
	}
	switch result.Status {
	case ecsdeploy.Deployed, ecsdeploy.Unchanged: // what runs already may still be on its way
		if *how.follow {
			return c.follow(c, rollout.New(ecsservice.New(config)), ecsservice.TargetOf(env, request.Workload), result.Deployments[0].TaskDefinition)
		}
		return nil
	case ecsdeploy.Planned:
		return nil
	}
	return errNotDone
}

// credentials returns the AWS configuration for an environment, after checking
// that its credentials are of the environment's own account; and the
// environment with that account settled.
func (c *cli) credentials(ctx context.Context, env *environment.Environment) (*environment.Environment, aws.Config, arn.ARN, error) {
	config, err := awsconfig.Load(ctx, env.Region)
	if err != nil {
		return nil, config, arn.ARN{}, err
	}
	asking, cancel := context.WithTimeout(ctx, firstAnswer)
	defer cancel()
	caller, err := caller.Identity(asking, config)
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
	env, w, err := c.fileAndService(*file, args[0])
	if err != nil {
		return nil, w, "", err
	}
	if wrong := event.CheckTag(args[1]); wrong != "" {
		return nil, w, "", errors.New(wrong)
	}
	return env, w, args[1], nil
}

// fileAndService reads an environment file and finds a service in it.
func (c *cli) fileAndService(file, name string) (*environment.Environment, environment.Workload, error) {
	env, err := c.load(file)
	if err != nil {
		return nil, environment.Workload{}, err
	}
	w, err := serviceOf(env, name)
	return env, w, err
}

// target finds a service of an environment file, and how to reach it in ECS.
func (c *cli) target(ctx context.Context, file, name string) (*environment.Environment, *rollout.Client, ecsservice.Target, error) {
	env, w, err := c.fileAndService(file, name)
	if err != nil {
		return nil, nil, ecsservice.Target{}, err
	}
	env, config, _, err := c.credentials(ctx, env)
	if err != nil {
		return nil, nil, ecsservice.Target{}, err
	}
	return env, rollout.New(ecsservice.New(config)), ecsservice.TargetOf(env, w), nil
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
