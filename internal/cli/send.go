package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/spf13/cobra"

	"deployer/internal/bus"
	"deployer/internal/caller"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/resolve"
)

// request is the detail of a DEPLOY event, as package event reads it.
type request struct {
	Project string `json:"project"`
	Service string `json:"service"`
	Tag     string `json:"tag"`
	Env     string `json:"env"`
	Actor   string `json:"actor,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// putEventsEntry is an event as `aws events put-events` takes it.
type putEventsEntry struct{ EventBusName, Source, DetailType, Detail string }

// sendFlags are the flags of send.
type sendFlags struct {
	bus, reason, actor string
	profile            string // whose credentials are used; no flag of send's own
	dryRun, follow     bool
}

func (a *app) sendCommand() *cobra.Command {
	var how sendFlags
	cmd := &cobra.Command{
		Use:   "send -e ENV SERVICE TAG",
		Short: "Send a DEPLOY event, checked before and after",
		Long: `The event is the one that "aws events put-events" would send. The service, the tag
and the event bus are checked first, and a refusal by EventBridge is an error. The
id of the event is printed.

With --bus, the event is sent to a bus of another account, and the credentials may
belong to any account that the bus allows and that SenderAccounts of the stack has.`,
		Example: `deployer send -e prod backend git-abc123f --dry-run
deployer send -e prod backend git-abc123f --follow
deployer send -e prod backend git-abc123f \
    --bus arn:aws:events:us-east-1:333333333333:event-bus/default`,
		Annotations: permissions(slices.Concat([]string{"events:PutEvents", "events:DescribeEventBus (with --bus)",
			"ecr:BatchGetImage (optional: checks the tag)",
			"ecs:DescribeServices (with --follow)", "ecs:DescribeTaskDefinition (with --follow)"}, stageActions)...),
		Args: arguments("SERVICE", "TAG"),
	}
	file := fileFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&how.bus, "bus", "", "`ARN` of the event bus, if it is in another account")
	flags.StringVar(&how.reason, "reason", "", "why: `TEXT` for the journal and the notifications")
	flags.StringVar(&how.actor, "actor", "", "`NAME` of the person or job that asks; by default the caller's")
	flags.BoolVar(&how.dryRun, "dry-run", false, "print the event, send nothing")
	flags.BoolVar(&how.follow, "follow", false, "wait until the rollout has ended; exit code 1 unless it succeeded")
	cmd.ValidArgsFunction = completeServices(file, 1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		env, w, tag, err := a.loadServiceAndTag(*file, args)
		if err != nil {
			return err
		}
		return a.send(cmd.Context(), env, w, tag, how)
	}
	return cmd
}

// send sends the event, or prints it.
func (a *app) send(
	ctx context.Context, env *environment.Environment, w environment.Workload, tag string, how sendFlags,
) error {
	limited, cancel := withTimeout(ctx)
	defer cancel()
	s, err := a.newSender(limited, env, how)
	if err != nil {
		return err
	}
	waits, err := a.checkTag(limited, s, w, tag)
	if err != nil {
		return err
	}
	detail := request{Project: env.Project, Service: w.Name, Tag: tag, Env: env.Name, Actor: how.actor,
		Reason: how.reason}
	if detail.Actor == "" {
		detail.Actor = s.caller.Resource
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	entry := bus.Entry{Source: env.DeploySources[0], DetailType: "DEPLOY", Detail: string(text)}
	if s.caller.AccountID != s.env.AccountID {
		a.note("the deployer's stack must accept events of account %s: make deploy env=%s set=SenderAccounts=%s",
			s.caller.AccountID, env.Name, s.caller.AccountID)
	}
	if how.dryRun {
		// In the form of `aws events put-events --entries file://…`.
		return printJSON(a.out, []putEventsEntry{{s.busName, entry.Source, entry.DetailType, entry.Detail}})
	}
	if how.follow {
		timeout := startTimeout
		if waits {
			timeout += environment.ReplicationTime
		}
		return a.sendAndFollow(ctx, limited, s, w, entry, timeout)
	}
	ids, err := s.bus.Put(limited, entry)
	if err == nil {
		_, err = fmt.Fprintln(a.out, ids[0])
	}
	return err
}

// sender sends events to one environment's deployer.
type sender struct {
	session
	bus     *bus.Bus
	busName string
}

// newSender finds the event bus: the one with the given ARN, else the default
// bus of the environment, which needs credentials of the environment's account.
func (a *app) newSender(ctx context.Context, env *environment.Environment, how sendFlags) (*sender, error) {
	busARN := how.bus
	if busARN == "" {
		s, err := a.connectAs(ctx, env, how.profile)
		if err != nil {
			return nil, err
		}
		return &sender{*s, bus.New(s.config, ""), "default"}, nil
	}
	at, err := arn.Parse(busARN)
	if err != nil || at.Service != "events" || !strings.HasPrefix(at.Resource, "event-bus/") {
		return nil, wrongUsage("--bus %q is not the ARN of an event bus, like %s", busARN,
			"arn:aws:events:us-east-1:333333333333:event-bus/default")
	}
	if env.AccountID != "" && at.AccountID != env.AccountID || at.Region != env.Region {
		return nil, fmt.Errorf("the bus %s is not in account %s and region %s, where %s puts the environment",
			busARN, env.AccountID, env.Region, env.File)
	}
	config, err := a.config(ctx, env)
	if err != nil {
		return nil, err
	}
	identity, err := caller.Identity(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &sender{session{env.In(at.AccountID), config, identity}, bus.New(config, busARN), busARN}
	exists, err := s.bus.Exists(ctx)
	switch {
	case err == nil && !exists:
		return nil, fmt.Errorf("event bus %q does not exist: EventBridge would accept the event and drop it", busARN)
	case errors.Is(err, fault.ErrAccessDenied):
		a.note("whether the bus exists was not checked: %v", err)
	case err != nil:
		return nil, err
	}
	return s, nil
}

// checkTag checks that ECR has the image, if the credentials have access to ECR.
// Sending does not require that: the function looks the image up again. It reports
// whether the function will wait for the image.
func (a *app) checkTag(ctx context.Context, s *sender, w environment.Workload, tag string) (waits bool, err error) {
	_, err = resolve.New(s.config).Resolve(ctx, s.env, s.env.Current(w), tag)
	missing := errors.Is(err, fault.ErrImageNotFound) || errors.Is(err, fault.ErrRepositoryNotFound)
	if missing && s.env.IsReplicated(w) {
		a.note("ECR does not have the image yet; the function waits for it until %.0f minutes after the event",
			environment.ReplicationTime.Minutes())
		return true, nil
	}
	if errors.Is(err, fault.ErrAccessDenied) {
		a.note("whether the tag exists was not checked: these credentials have no access to ECR")
		return false, nil
	}
	return false, err
}

// sendAndFollow sends an event and follows the deployment that it causes, which has to
// start within a time. The calls before the event is sent are limited by the second
// context.
func (a *app) sendAndFollow(ctx, limited context.Context, s *sender, w environment.Workload, entry bus.Entry,
	timeout time.Duration) error {
	if s.caller.AccountID != s.env.AccountID {
		args := slices.DeleteFunc(slices.Clone(a.args), func(arg string) bool { return arg == "--follow" })
		return hinted(commandLine(args...),
			"--follow needs credentials of the environment's account %s, but these belong to %s",
			s.env.AccountID, s.caller)
	}
	rollouts, target := s.rollouts(), ecsservice.TargetOf(s.env, w)
	newest, last, err := rollouts.Newest(limited, target)
	if err != nil {
		return err
	}
	// EventBridge gives events their time in whole seconds, and of two events in
	// one second the deployer obeys the first.
	nextSecond := time.Until(last.Truncate(time.Second).Add(time.Second))
	if err := fault.Wait(limited, min(nextSecond, time.Second)); err != nil {
		return err
	}
	ids, err := s.bus.Put(limited, entry)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.out, ids[0])
	notStarted := fmt.Errorf("no deployment started in %s; the function's log says why", timeout)
	waiting, cancel := context.WithTimeoutCause(ctx, timeout, notStarted)
	defer cancel()
	revision, moved, err := rollouts.Await(waiting, target, ids[0], newest)
	if errors.Is(err, notStarted) {
		return hinted(fmt.Sprintf("aws logs filter-log-events --region %s --log-group-name /aws/lambda/%s_deployer_%s "+
			`--filter-pattern '"%s"' --query 'events[].message' --output text`,
			s.env.Region, s.env.Project, s.env.Name, ids[0]), "%w", err)
	}
	if err != nil {
		return err
	}
	if !moved {
		a.note("%s runs this image already", w.Name)
		return nil
	}
	return a.follow(ctx, rollouts, target, revision)
}
