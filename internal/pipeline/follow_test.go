package pipeline

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
	"deployer/internal/rollout"
)

// steps records what is done with two reports, and fails at one of the steps.
type steps struct {
	done   []string
	failAt string
}

func (s *steps) do(step string) error {
	s.done = append(s.done, step)
	if step == s.failAt {
		return errors.New("failed at " + step)
	}
	return nil
}

func (s *steps) Handle(context.Context, *environment.Environment, event.Rollout, time.Time) (
	[]rollout.Report, string, error) {
	report := func(service string) rollout.Report {
		o := outcome.Outcome{Service: service, Message: "message of " + service}
		return rollout.Report{Outcome: o, Revision: journal.Record{TaskDefinition: service}}
	}
	return []rollout.Report{report("a"), report("b")}, "", nil
}

func (s *steps) TaskMoved(context.Context, *environment.Environment, environment.Workload, journal.Record,
	journal.Record, time.Time, string) (rollout.Report, error) {
	return rollout.Report{}, nil
}

func (s *steps) MissedRollback(context.Context, *environment.Environment, environment.Workload, *types.Service,
	journal.Record, time.Time) ([]rollout.Report, error) {
	return nil, nil
}

func (s *steps) Journal(_ context.Context, r rollout.Report) error {
	return s.do("journal " + r.Revision.TaskDefinition)
}

func (s *steps) Publish(_ context.Context, all ...outcome.Outcome) error {
	return s.do("bus " + all[0].Service + " " + all[1].Service)
}

func (s *steps) Notify(_ context.Context, all ...outcome.Outcome) {
	_ = s.do("people " + all[0].Service + " " + all[1].Service)
}

func (s *steps) Keep(_ context.Context, function string, _ time.Time, all ...outcome.Outcome) error {
	return s.do("queue " + all[0].Service + " " + all[1].Service + " of " + function)
}

func (s *steps) EventIgnored()  {}
func (s *steps) Reconciled(int) {}

// TestFollowOrder checks that outcomes are on the bus and events in the queue before the
// journal says so, and that people are notified last. A retry does nothing for what is
// in the journal.
func TestFollowOrder(t *testing.T) {
	t.Parallel()
	const queue = "queue a b of arn:aws:lambda:us-east-1:333333333333:function:shop_deployer_prod"
	env := &environment.Environment{Project: "shop", Name: "prod", Region: "us-east-1", AccountID: "333333333333"}
	for _, tt := range []struct {
		name, failAt string
		want         []string
		err          string
	}{
		{"no failure", "", []string{"bus a b", queue, "journal a", "journal b", "people a b"}, ""},
		{"not published", "bus a b", []string{"bus a b"}, "failed at bus a b"},
		{"not in the queue", queue, []string{"bus a b", queue}, "failed at " + queue},
		{"not in the journal", "journal a", []string{"bus a b", queue, "journal a", "journal b", "people a b"},
			"failed at journal a"},
	} {
		s := &steps{failAt: tt.failAt}
		p := &Pipeline{rollouts: s, publisher: s, queue: s, followsRollouts: true, now: time.Now}
		result, err := p.follow(t.Context(), env, event.Reading{ID: "r1"})
		text := ""
		if err != nil {
			text = err.Error()
		}
		if diff := cmp.Diff(tt.want, s.done); diff != "" || text != tt.err {
			t.Errorf("%s: error %q, want %q (-want +got):\n%s", tt.name, text, tt.err, diff)
		}
		if err == nil && (result.Status != ecsdeploy.Followed || result.Reason != "message of a") {
			t.Errorf("%s: %+v", tt.name, result)
		}
	}
}

// TestFollowOnlyFunction checks that a command handles no rollout event.
func TestFollowOnlyFunction(t *testing.T) {
	t.Parallel()
	s := &steps{}
	p := &Pipeline{rollouts: s, publisher: s}
	result, err := p.follow(t.Context(), nil, event.Reading{ID: "r1"})
	if err != nil || result.Status != ecsdeploy.Ignored || len(s.done) != 0 {
		t.Errorf("%+v, %v after %v", result, err, s.done)
	}
}
