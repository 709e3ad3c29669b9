package pointer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/rawjson"
	"deployer/internal/signed"
)

// Client calls EventBridge and EventBridge Scheduler in one account and region. It is safe
// for concurrent use.
type Client struct {
	client signed.Client
	now    func() time.Time
}

// New returns a client with the credentials and in the region of config.
func New(config aws.Config) *Client { return &Client{signed.New(config), time.Now} }

// Read reads the pointers of a task at the same time: its schedules, and all targets of its
// rules that start the task. The error is a [fault.Misconfiguration] if one does not exist,
// or cannot be moved.
func (c *Client) Read(ctx context.Context, o Owner, from environment.TaskPointers) ([]Pointer, error) {
	all := from.All()
	if len(all) == 0 {
		return nil, fault.Misconfigured(fault.ErrPointerNotFound, fmt.Sprintf("finding what starts task %q", o.Task),
			errors.New("the conventional name of its schedule or rule is longer than AWS allows"),
			"name it in deployer.workloads."+o.Task+".schedule or .rule in "+o.File)
	}
	read := make([][]Pointer, len(all))
	g, gctx := errgroup.WithContext(ctx)
	for i, p := range all {
		g.Go(func() (err error) {
			if p.Rule {
				read[i], err = c.targets(gctx, o, p)
				return err
			}
			one, err := c.schedule(gctx, o, p)
			read[i] = []Pointer{one}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(read...), nil
}

// schedule reads a schedule (EventBridge Scheduler API reference, "GetSchedule").
func (c *Client) schedule(ctx context.Context, o Owner, at environment.TaskPointer) (Pointer, error) {
	p := Pointer{TaskPointer: at}
	query := url.Values{"groupName": {at.Group}}
	err := c.client.Get(ctx, "scheduler", "schedules/"+at.Name, query, o.reading(at), &p.raw)
	if fault.HasCode(err, "ResourceNotFoundException") {
		return p, o.notFound(at)
	}
	if err != nil {
		return p, err
	}
	var s struct {
		Arn, ScheduleExpression, ScheduleExpressionTimezone, State string
		StartDate, EndDate                                         float64
		FlexibleTimeWindow                                         struct{ MaximumWindowInMinutes float64 }
		Target                                                     target
	}
	if err := json.Unmarshal(p.raw, &s); err != nil || s.ScheduleExpression == "" {
		return p, fault.Incomplete(o.reading(at), "schedule")
	}
	if s.Target.Arn == "" {
		return p, fault.Incomplete(o.reading(at), "target of the schedule")
	}
	p.Expression, p.Timezone, p.Disabled = s.ScheduleExpression, s.ScheduleExpressionTimezone, s.State == "DISABLED"
	p.ARN, p.Window = s.Arn, time.Duration(s.FlexibleTimeWindow.MaximumWindowInMinutes)*time.Minute
	p.Starts, p.Ends = date(s.StartDate), date(s.EndDate)
	p.startsInPast = s.StartDate > 0 && s.StartDate < float64(c.now().Unix())
	p.fill(s.Target)
	return p, o.check(p)
}

// date returns a timestamp of EventBridge Scheduler, zero if it is 0.
func date(seconds float64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC()
}

// target is the part of a schedule's or a rule's target that is used.
type target struct {
	Arn, RoleArn, Id, Input, InputPath string
	InputTransformer, EcsParameters    json.RawMessage
	DeadLetterConfig                   struct{ Arn string }
}

// fill completes a pointer from its target.
func (p *Pointer) fill(t target) {
	var task struct{ TaskDefinitionArn string }
	_ = json.Unmarshal(t.EcsParameters, &task) // another kind of target has none
	p.Target, p.TaskDefinition, p.Cluster, p.Role = t.Id, task.TaskDefinitionArn, t.Arn, t.RoleArn
	p.EcsParameters, p.Input, p.DeadLetters = t.EcsParameters, t.Input, t.DeadLetterConfig.Arn
	p.fromEvent = t.InputPath != "" || len(t.InputTransformer) > 0
}

// listTargets reads all targets of a rule, as they come (EventBridge API reference, "ListTargetsByRule"). A rule has at
// most five, but AWS may return any list in pages.
func (c *Client) listTargets(ctx context.Context, o Owner, at environment.TaskPointer) (
	all []json.RawMessage, _ error) {
	in := map[string]string{"Rule": at.Name}
	if at.Group != "" {
		in["EventBusName"] = at.Group
	}
	for {
		var out struct {
			Targets   []json.RawMessage
			NextToken string
		}
		err := c.client.JSON(ctx, "events", "AWSEvents.ListTargetsByRule", o.reading(at), in, &out)
		if fault.HasCode(err, "ResourceNotFoundException") {
			return nil, o.notFound(at)
		}
		if err != nil {
			return nil, err
		}
		if out.Targets == nil { // a rule without targets has an empty list
			return nil, fault.Incomplete(o.reading(at), "list of targets")
		}
		all = append(all, out.Targets...)
		if out.NextToken == "" {
			return all, nil
		}
		in["NextToken"] = out.NextToken
	}
}

// targets reads the targets of a rule that start the task.
func (c *Client) targets(ctx context.Context, o Owner, at environment.TaskPointer) ([]Pointer, error) {
	listed, err := c.listTargets(ctx, o, at)
	if err != nil {
		return nil, err
	}
	var found []Pointer
	var others []string
	for _, raw := range listed {
		var t target
		if err := json.Unmarshal(raw, &t); err != nil || t.Id == "" {
			return nil, fault.Incomplete(o.reading(at), "id of a target")
		}
		p := Pointer{TaskPointer: at, raw: raw}
		p.fill(t)
		if ok, why := o.starts(p); ok {
			found = append(found, p)
		} else {
			others = append(others, fmt.Sprintf("of target %q %s", t.Id, why))
		}
	}
	// AWS documents no order, and a target that was moved may come last.
	slices.SortFunc(found, func(a, b Pointer) int { return strings.Compare(a.Target, b.Target) })
	if len(found) == 0 {
		cause := errors.New("the rule has no targets")
		if len(others) > 0 {
			cause = fmt.Errorf("none of its targets starts the task: %s", strings.Join(others, "; "))
		}
		return nil, o.unusable(at, cause, "add a target with the infrastructure, or name the right rule in "+
			o.setting(at)+", or the task's family in deployer.workloads."+o.Task+".family")
	}
	return found, nil
}

// Move makes a pointer hold the revision with an ARN. Nothing else of it is changed. It
// has to be as it was just read: AWS has no compare-and-swap, so what changed since would
// be undone. If AWS refuses because of another change at the same time, the error is a
// [signed.Conflict]: read the pointer again.
func (c *Client) Move(ctx context.Context, o Owner, p Pointer, arn string) error {
	if err := o.CheckTime(p, c.now()); err != nil {
		return err
	}
	if p.Rule {
		return o.passing(p, invalid(p, c.putTarget(ctx, o, p, arn)))
	}
	return o.passing(p, invalid(p, c.putSchedule(ctx, o, p, arn)))
}

// putSchedule moves a schedule (EventBridge Scheduler API reference, "UpdateSchedule").
func (c *Client) putSchedule(ctx context.Context, o Owner, p Pointer, arn string) error {
	doing := fmt.Sprintf("moving %s, which starts task %q, to %q", describe(p.TaskPointer), o.Task, arn)
	body, err := p.scheduleWith(arn)
	if err != nil {
		return fault.Incomplete(doing, "task definition of the schedule")
	}
	err = c.updateSchedule(ctx, p, doing, body)
	if !fault.HasCode(err, "ValidationException") || !p.startsInPast || !aboutStart(err) {
		return err
	}
	// A StartDate that is over changes nothing of a cron expression, and is the phase of a
	// rate: without it, the schedule would run at another time.
	if p.PhaseInPast() {
		return fault.Misconfigured(fault.ErrPointerUnusable, doing, fault.Plain(err), "AWS does not take back the "+
			"StartDate of the schedule, from which "+p.Expression+" counts: give it a later one, or write a cron(…)")
	}
	members, err := rawjson.Read(body)
	if err != nil {
		return fault.Incomplete(doing, "schedule")
	}
	return c.updateSchedule(ctx, p, doing, members.Without("StartDate").Bytes())
}

// aboutStart reports whether AWS refuses a schedule because of its StartDate: "The StartDate you specify cannot be
// earlier than 5 minutes ago." (getmoto/moto#8172).
func aboutStart(err error) bool {
	return strings.Contains(strings.ToLower(fault.Plain(err).Error()), "startdate")
}

// updateSchedule calls UpdateSchedule. Without the ARN, which AWS always returns, the
// schedule may be as it was.
func (c *Client) updateSchedule(ctx context.Context, p Pointer, doing string, body json.RawMessage) error {
	var out struct{ ScheduleArn string }
	err := c.client.Put(ctx, "scheduler", "schedules/"+p.Name, doing, body, &out)
	if err == nil && out.ScheduleArn == "" {
		return fault.Incomplete(doing, "ARN of the schedule")
	}
	return err
}

// scheduleWith returns the body of UpdateSchedule that only changes the task definition:
// what GetSchedule returned, without the members that AWS sets.
func (p Pointer) scheduleWith(arn string) (json.RawMessage, error) {
	raw, err := rawjson.Replace(p.raw, rawjson.Encode(p.with(arn)), "Target", "EcsParameters", "TaskDefinitionArn")
	if err != nil {
		return nil, err
	}
	o, err := rawjson.Read(raw)
	if err != nil {
		return nil, err
	}
	o = o.Without("Arn", "CreationDate", "LastModificationDate", "Name", "GroupName")
	return append(o, rawjson.Member{Name: "GroupName", Value: rawjson.Encode(p.Group)}).Bytes(), nil
}

// putTarget moves a target of a rule (EventBridge API reference, "PutTargets"). The rule's
// other targets are not sent, and are kept. A target can fail in an answer that is HTTP 200.
func (c *Client) putTarget(ctx context.Context, o Owner, p Pointer, arn string) error {
	doing := fmt.Sprintf("moving target %q of %s, which starts task %q, to %q", p.Target, describe(p.TaskPointer),
		o.Task, arn)
	raw, err := rawjson.Replace(p.raw, rawjson.Encode(p.with(arn)), "EcsParameters", "TaskDefinitionArn")
	if err != nil {
		return fault.Incomplete(doing, "task definition of the target")
	}
	in := rawjson.Object{{Name: "Rule", Value: rawjson.Encode(p.Name)}}
	if p.Group != "" {
		in = append(in, rawjson.Member{Name: "EventBusName", Value: rawjson.Encode(p.Group)})
	}
	in = append(in, rawjson.Member{Name: "Targets", Value: slices.Concat([]byte("["), raw, []byte("]"))})
	var out struct {
		FailedEntryCount *int
		FailedEntries    []struct{ TargetId, ErrorCode, ErrorMessage string }
	}
	if err := c.client.JSON(ctx, "events", "AWSEvents.PutTargets", doing, in.Bytes(), &out); err != nil {
		return err
	}
	switch {
	case out.FailedEntryCount == nil:
		return fault.Incomplete(doing, "number of failed targets")
	case *out.FailedEntryCount == 0:
		return nil
	case len(out.FailedEntries) == 0:
		return fault.Incomplete(doing, "reason why the target failed")
	}
	failed := out.FailedEntries[0]
	return fault.Classify(doing, &smithy.GenericAPIError{Code: failed.ErrorCode, Message: failed.ErrorMessage})
}
