package retry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/fault"
	"deployer/internal/signed"
)

// Scheduler makes the one-time schedules. It is safe for concurrent use.
type Scheduler struct {
	group, role string
	client      signed.Client
}

// NewScheduler returns a scheduler for the account and region of config. Its schedules are
// in a group, given by its name, and use the role with an ARN.
func NewScheduler(config aws.Config, group, role string) *Scheduler {
	return &Scheduler{group, role, signed.New(config)}
}

// How long EventBridge Scheduler tries to invoke the function: for an hour, as the rules
// of the stack do.
const maxAge, maxAttempts = 3600, 185

// schedule is the input of CreateSchedule (EventBridge Scheduler API reference).
type schedule struct {
	ActionAfterCompletion string
	FlexibleTimeWindow    struct{ Mode string }
	GroupName             string
	ScheduleExpression    string // in UTC, to the second
	Target                struct {
		Arn, RoleArn, Input string
		DeadLetterConfig    struct{ Arn string }
		RetryPolicy         struct{ MaximumEventAgeInSeconds, MaximumRetryAttempts int }
	}
}

// Schedule makes the function get an event again when it is due, at the second or up to
// a minute later. What Scheduler cannot deliver goes to the queue with the ARN
// deadLetters. The schedule is named for the event, the services and the time,
// so that two deliveries of one event make one schedule. The error is a fault of package fault.
func (s *Scheduler) Schedule(ctx context.Context, m Message, deadLetters string) error {
	m.Kind, m.Schema, m.Due = Kind, Schema, m.Due.UTC().Truncate(time.Second)
	// Marshal escapes "<" in the event's texts too: Scheduler would replace
	// "<aws.scheduler.execution-id>" in an input.
	input, err := json.Marshal(m)
	if err != nil {
		return err
	}
	in := schedule{ActionAfterCompletion: "DELETE", GroupName: s.group,
		ScheduleExpression: "at(" + m.Due.Format("2006-01-02T15:04:05") + ")"}
	in.FlexibleTimeWindow.Mode = "OFF"
	in.Target.Arn, in.Target.RoleArn, in.Target.Input = m.Function, s.role, string(input)
	in.Target.DeadLetterConfig.Arn = deadLetters
	in.Target.RetryPolicy.MaximumEventAgeInSeconds, in.Target.RetryPolicy.MaximumRetryAttempts = maxAge, maxAttempts
	name, err := nameOf(m)
	if err != nil {
		return err
	}
	doing := fmt.Sprintf("scheduling the next try in group %q as %q", s.group, name)
	var out struct{ ScheduleArn string }
	err = s.client.Post(ctx, "scheduler", "schedules/"+name, doing, in, &out)
	switch {
	case fault.HasCode(err, "ConflictException"): // another delivery of the event has made it
		return nil
	case err == nil && out.ScheduleArn == "":
		return fault.Incomplete(doing, "ARN of the schedule")
	}
	return err
}

// nameOf returns the name of a message's schedule, which has at most 64 characters. The
// event is encoded as it is in an input, so that one that has waited has the same name.
func nameOf(m Message) (string, error) {
	event, err := json.Marshal(m.Event)
	if err != nil {
		return "", err
	}
	if m.Key != "" {
		event = []byte(m.Key)
	}
	sum := sha256.Sum256(append(event, strings.Join(m.Services, ",")...))
	return hex.EncodeToString(sum[:16]) + "-" + m.Due.Format("20060102T150405Z"), nil
}
