package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/spf13/cobra"

	"deployer/internal/bus"
	"deployer/internal/caller"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
)

// request is the detail of a DEPLOY event, as package event reads it.
type request struct {
	Project  string `json:"project"`
	Service  string `json:"service,omitempty"`
	Services any    `json:"services,omitempty"` // names, or event.AllWorkloads
	Tag      string `json:"tag"`
	Env      string `json:"env"`
	Actor    string `json:"actor,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// putEventsEntry is an event as `aws events put-events` takes it.
type putEventsEntry struct{ EventBusName, Source, DetailType, Detail string }

// sendFlags are the flags of send.
type sendFlags struct {
	bus, reason, actor string
	profile            string // whose credentials are used; no flag of send's own
	dryRun, follow     bool
	asJSON             bool
	checkRule          bool          // look whether the rule exists after an event was sent
	timeout            time.Duration // of following; 0 for the default
	reportFlags
}

func (a *app) sendCommand() *cobra.Command {
	var how sendFlags
	cmd := &cobra.Command{
		Use:   "send -e ENV SERVICE TAG",
		Short: "Send a DEPLOY event, checked before and after",
		Long: `The event is the one that "aws events put-events" would send. The service, the tag
and the event bus are checked first, and a refusal by EventBridge is an error. The
id of the event is printed.

` + severalHelp + `
'*' (in quotes) is all services and tasks whose repository has the tag. It is one event.

With --bus, the event is sent to a bus of another account, and the credentials may
belong to any account that the bus allows and that SenderAccounts of the stack has.`,
		Example: `deployer send -e prod backend git-abc123f --dry-run
deployer send -e prod backend git-abc123f --follow
deployer send -e prod worker,web-api git-abc123f --follow
deployer send -e prod backend git-abc123f \
    --bus arn:aws:events:us-east-1:333333333333:event-bus/default`,
		Annotations: permissions(slices.Concat([]string{"events:PutEvents", "events:DescribeEventBus (with --bus)",
			"ecr:BatchGetImage (optional: checks the tag)", tagActions[0],
			"ecs:DescribeServices (with --follow)", "ecs:DescribeTaskDefinition (with --follow)",
			"scheduler:GetSchedule (with --follow, of a task)",
			"events:ListTargetsByRule (with --follow, of a task that rules start)",
			"logs:FilterLogEvents (with --follow; optional: ends at once if the function rejects the event)",
			"events:DescribeRule (optional: says whether the rule exists, and is not disabled)"},
			stageActions)...),
		Args: severalAndTag,
	}
	file := fileFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&how.bus, "bus", "", "`ARN` of the event bus, if it is in another account")
	flags.StringVar(&how.reason, "reason", "", "why: `TEXT` for the journal and the notifications")
	flags.StringVar(&how.actor, "actor", "", "`NAME` of the person or job that asks; by default the caller's")
	flags.BoolVar(&how.dryRun, "dry-run", false, "print the event, send nothing")
	flags.BoolVar(&how.follow, "follow", false, "wait until the rollout has ended; exit code 4 if it failed")
	flags.DurationVar(&how.timeout, "timeout", 0, "with --follow: give up after this `TIME`, such as 20m")
	how.reportFlags.add(flags)
	asJSON := jsonFlag(cmd)
	cmd.ValidArgsFunction = a.completeServiceAndTag()
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		env, c, tag, err := a.loadChosenAndTag(*file, args)
		if err != nil {
			return err
		}
		if how.timeout != 0 && !how.follow {
			return wrongUsage("--timeout is for --follow")
		}
		how.asJSON, how.checkRule = *asJSON, true
		event, err := a.send(cmd.Context(), env, c, tag, how)
		if how.asJSON && event.Status != "" {
			err = errors.Join(err, printJSON(a.out, event))
		}
		return err
	}
	return cmd
}

// sentEvent is what send prints with --json.
type sentEvent struct {
	Environment string `json:"environment"`
	EventID     string `json:"event_id,omitempty"` // EventBridge's, of an event that was sent
	// "planned" (a dry run), "sent", or with --follow the end of the rollouts, of several the worst
	Status   string           `json:"status"`
	Reason   string           `json:"reason"`
	Services []string         `json:"services"` // that the event deploys
	Tag      string           `json:"tag"`
	Entries  []putEventsEntry `json:"entries"`            // the event, as explain and PutEvents take it
	Rollouts []rolloutEnd     `json:"rollouts,omitempty"` // with --follow
}

// send sends the event, or prints it, and writes the report that is wanted. The event that it
// returns has no status unless it was sent or planned.
func (a *app) send(
	ctx context.Context, env *environment.Environment, c chosen, tag string, how sendFlags,
) (sentEvent, error) {
	a.patience = how.timeout
	r := newReport(env, how.reportFlags, how.dryRun)
	a.reports = true
	event, err := a.sendFor(ctx, env, c, tag, how, r)
	r.fail(c.names(), tag, notSent, err)
	if failed := r.write(a.commands); failed != nil {
		a.note("%v", failed)
	}
	return event, err
}

// startTimeout returns how long the event may take to start a rollout. An image that waits for its replication starts
// none before that.
func (how *sendFlags) startTimeout(waits bool) time.Duration {
	timeout := startTimeout
	if waits {
		timeout += environment.ReplicationTime
	}
	if how.timeout > 0 {
		timeout = min(timeout, how.timeout)
	}
	return timeout
}

// name sets the member that names what was chosen.
func (r *request) name(c chosen) {
	switch {
	case c.all:
		r.Services = event.AllWorkloads
	case c.several:
		r.Services = c.names()
	default:
		r.Service = c.workloads[0].Label()
	}
}

// sendFor sends the event, or prints it. What becomes of it is added to the report.
func (a *app) sendFor(
	ctx context.Context, env *environment.Environment, c chosen, tag string, how sendFlags, r *report,
) (result sentEvent, err error) {
	limited, cancel := withTimeout(ctx)
	defer cancel()
	s, err := a.newSender(limited, env, how)
	if err != nil {
		return result, err
	}
	found, waits, err := a.checkTags(limited, s, c.in(s.env), tag)
	if err != nil {
		return result, err
	}
	detail := request{Project: env.Project, Tag: tag, Env: env.Name, Reason: how.reason,
		Actor: cmp.Or(how.actor, s.caller.Resource)}
	detail.name(c)
	text, err := json.Marshal(detail)
	if err != nil {
		return result, err
	}
	entry := bus.Entry{Source: env.DeploySources[0], DetailType: "DEPLOY", Detail: string(text)}
	if s.caller.AccountID != s.env.AccountID {
		a.note("the deployer's stack must accept events of account %s: make deploy env=%s set=SenderAccounts=%s",
			s.caller.AccountID, env.Name, s.caller.AccountID)
	}
	result = sentEvent{Environment: env.Name, Services: chosen{workloads: found}.names(), Tag: tag,
		Entries: []putEventsEntry{{s.busName, entry.Source, entry.DetailType, entry.Detail}}}
	switch {
	case how.dryRun && how.asJSON:
		result.Status, result.Reason = "planned", "the event would be sent"
		return result, nil
	case how.dryRun: // in the form of `aws events put-events --entries file://…`
		return result, printJSON(a.out, result.Entries)
	}
	if how.follow {
		s.report, s.tag, s.asJSON = r, tag, how.asJSON
		err := a.sendAndFollow(ctx, limited, s, found, entry, how.startTimeout(waits), &result)
		return result, err
	}
	ids, err := s.bus.Put(limited, entry)
	for _, w := range found {
		d := deployed{Status: sent, Tag: tag, Actor: detail.Actor, Reason: how.reason}
		if err == nil {
			d.EventID = ids[0]
		}
		r.add(limited, &s.session, d, ecsservice.TargetOf(s.env, w), "", err)
	}
	if err != nil {
		return result, err
	}
	if how.checkRule && s.busName == "default" { // credentials of another account cannot look at the rule
		a.noteNoRule(limited, s)
	}
	result.EventID, result.Status, result.Reason = ids[0], sent, "the event is on the bus"
	if !how.asJSON {
		_, err = fmt.Fprintln(a.out, ids[0])
	}
	return result, err
}

// ruleTime limits the look at the rule, which is not worth waiting for: the event was sent.
const ruleTime = 2 * time.Second

// noteNoRule warns, as far as the credentials may look, that nothing takes an event that was sent.
func (a *app) noteNoRule(ctx context.Context, s *sender) {
	ctx, cancel := context.WithTimeout(ctx, ruleTime)
	defer cancel()
	name, what := s.env.RuleName(deployRule), ""
	state, err := s.bus.RuleState(ctx, name)
	switch {
	case err != nil:
		return
	case state == "":
		what = "does not exist"
	case state == "DISABLED":
		what = "is DISABLED"
	default:
		return
	}
	a.note("warning: rule %s %s on the default bus of account %s in %s: nothing will take this event", name, what,
		s.env.AccountID, s.env.Region)
	a.hint(s.env.Command("doctor"))
}

// sender sends events to one environment's deployer.
type sender struct {
	session
	bus     *bus.Bus
	busName string
	report  *report // nil for none
	tag     string  // for the report
	asJSON  bool

	silent atomic.Bool  // it was said that nothing came of the event yet
	causes atomic.Value // what may be the cause, as it was said: a string
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
		return &sender{session: *s, bus: bus.New(s.config, ""), busName: "default"}, nil
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
	s := &sender{session: session{env.In(at.AccountID), config, identity}, bus: bus.New(config, busARN),
		busName: busARN}
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
