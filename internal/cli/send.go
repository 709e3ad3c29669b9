package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"deployer/internal/awsconfig"
	"deployer/internal/bus"
	"deployer/internal/caller"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/resolve"
	"deployer/internal/rollout"
)

// request is the detail of a DEPLOY event, as package event reads it.
type request struct {
	Service string `json:"service"`
	Tag     string `json:"tag"`
	Env     string `json:"env"`
	Actor   string `json:"actor,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// send is `deployer send`: a DEPLOY event for the deployer, as `aws events
// put-events` sends one, but checked before and after.
func (c *cli) send() error {
	file := c.flags.String("f", "", "the environment `FILE`")
	busARN := c.flags.String("bus", "", "the event bus's `ARN`, where it is in another account; by default the environment's default bus")
	reason := c.flags.String("reason", "", "why, for the journal and the notifications")
	actor := c.flags.String("actor", "", "who asks; by default who you are to AWS")
	dryRun := c.flags.Bool("dry-run", false, "print the event, send nothing")
	follow := c.flags.Bool("follow", false, "wait for the deployment, and show its rollout to the end")
	env, w, tag, err := c.serviceAndTag(file)
	if err != nil {
		return err
	}
	ctx, cancel := contextWithPatience(c)
	defer cancel()
	s, err := c.newSender(ctx, env, *busARN)
	if err != nil {
		return err
	}
	if *actor == "" {
		*actor = s.caller.Resource
	}
	if err := s.check(ctx, c, w, tag); err != nil {
		return err
	}
	detail, err := json.Marshal(request{w.Name, tag, env.Name, *actor, *reason})
	if err != nil {
		return err
	}
	entry := bus.Entry{Source: env.DeploySources[0], DetailType: "DEPLOY", Detail: string(detail)}
	if *dryRun {
		// As `aws events put-events --entries file://…` takes it.
		return printJSON(c.out, []struct{ EventBusName, Source, DetailType, Detail string }{{s.name, entry.Source, entry.DetailType, entry.Detail}})
	}
	if *follow {
		return c.sendAndFollow(ctx, s, w, entry)
	}
	ids, err := s.Put(ctx, entry)
	if err == nil {
		_, err = fmt.Fprintln(c.out, ids[0])
	}
	return err
}

// sender sends to one environment's deployer.
type sender struct {
	*bus.Bus
	name   string // of the bus
	env    *environment.Environment
	config aws.Config
	caller arn.ARN
}

// newSender finds the bus: the environment's default one, for which the
// credentials have to be the environment's, or the one named.
func (c *cli) newSender(ctx context.Context, env *environment.Environment, busARN string) (*sender, error) {
	if busARN == "" {
		env, config, caller, err := c.credentials(ctx, env)
		return &sender{bus.New(config, ""), "default", env, config, caller}, err
	}
	at, err := arn.Parse(busARN)
	if err != nil || at.Service != "events" || !strings.HasPrefix(at.Resource, "event-bus/") {
		return nil, usageError(fmt.Sprintf("-bus %q is not the ARN of an event bus, like arn:aws:events:us-east-1:333333333333:event-bus/default", busARN))
	}
	if env.AccountID != "" && at.AccountID != env.AccountID || at.Region != env.Region {
		return nil, fmt.Errorf("the bus %s is not of %s, which is in account %s and region %s", busARN, env.File, env.AccountID, env.Region)
	}
	config, err := awsconfig.Load(ctx, env.Region)
	if err != nil {
		return nil, err
	}
	caller, err := caller.Identity(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &sender{bus.New(config, busARN), busARN, env.In(at.AccountID), config, caller}
	switch exists, err := s.Exists(ctx); {
	case err == nil && !exists:
		return nil, fmt.Errorf("event bus %q does not exist: EventBridge would take the event and drop it", busARN)
	case fault.NameOf(err) == "AccessDenied":
		fmt.Fprintf(c.err, "deployer: whether the bus exists is not known: %v\n", err)
	case err != nil:
		return nil, err
	}
	return s, nil
}

// check asks ECR whether the image is there, as far as the caller may: who may
// send need not be let in there, and the deployer asks once more.
func (s *sender) check(ctx context.Context, c *cli, w environment.Workload, tag string) error {
	_, err := resolve.New(s.config).Resolve(ctx, s.env, w, tag)
	if fault.NameOf(err) == "AccessDenied" {
		fmt.Fprintf(c.err, "deployer: whether the tag exists is for the deployer to find out: these credentials may not ask ECR\n")
		return nil
	}
	return err
}

// sendAndFollow sends an event and waits for what becomes of it.
func (c *cli) sendAndFollow(ctx context.Context, s *sender, w environment.Workload, entry bus.Entry) error {
	if s.caller.AccountID != s.env.AccountID {
		return fmt.Errorf("following needs credentials of the environment's own account %s, and these are %s (send without -follow)", s.env.AccountID, s.caller)
	}
	d, target := rollout.New(ecsservice.New(s.config)), ecsservice.TargetOf(s.env, w)
	newest, last, err := d.Newest(ctx, target)
	if err != nil {
		return err
	}
	// EventBridge gives events the time in seconds, and of two in one second
	// the deployer holds to the first.
	if err := fault.Wait(ctx, min(time.Until(last.Truncate(time.Second).Add(time.Second)), time.Second)); err != nil {
		return err
	}
	ids, err := s.Put(ctx, entry)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, ids[0])
	waiting, cancel := context.WithTimeoutCause(c, awaitPatience, errors.New("nothing came of it (the function's log says why, and the failure queue keeps what failed: deployer redrive)"))
	defer cancel()
	revision, moved, err := d.Await(waiting, target, ids[0], newest)
	if err != nil {
		return err
	}
	if !moved {
		fmt.Fprintf(c.err, "deployer: %s ran this image already\n", w.Name)
		return nil
	}
	return c.follow(c, d, target, revision)
}
