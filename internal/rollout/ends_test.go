package rollout

import (
	"testing"
	"time"

	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestSupersededBy checks which of the later rollouts ends an event's for good.
func TestSupersededBy(t *testing.T) {
	t.Parallel()
	of := func(number int, id string, seconds int, image string) journal.Record {
		return journal.Record{Revision: number, Image: image, DeploymentID: "ecs-svc/" + id,
			Cause: event.Cause{ID: id, Time: eventTime.Add(time.Duration(seconds) * time.Second)},
			Rule:  journal.Rule{Configuration: journal.Configuration{From: 1}}}
	}
	one := of(12, "one", 10, "v1")
	forced, configured, external := one, of(11, "older", 5, "v1"), of(13, "", 0, "v3")
	forced.Rule.Demand = journal.Forced
	configured.Rule.Configuration.From = 7
	external.Foreign = true
	by := func(id string) outcome.Newer { return outcome.Newer{EventID: id, DeploymentID: "ecs-svc/" + id} }
	for _, tt := range []struct {
		name  string
		one   journal.Record
		later []journal.Record
		want  outcome.Newer
		final bool
	}{
		{"nothing", one, nil, outcome.Newer{}, false},
		{"a newer event", one, []journal.Record{of(13, "newer", 20, "v2")}, by("newer"), true},
		{"an event of the same second, later", one, []journal.Record{of(13, "twin", 10, "v2")},
			by("twin"), true},
		{"an event of the same second, earlier", one, []journal.Record{of(11, "twin", 10, "v2")},
			outcome.Newer{}, false},
		{"an external rollout", one, []journal.Record{external}, by(""), true},
		{"an older event", one, []journal.Record{of(11, "older", 5, "v2")}, outcome.Newer{}, false},
		{"an older event of its image", one, []journal.Record{of(11, "older", 5, "v1")}, by("older"), true},
		{"an older event of its image, another configuration", one, []journal.Record{configured},
			outcome.Newer{}, false},
		{"an older event of the image to deploy again", forced, []journal.Record{of(11, "older", 5, "v1")},
			outcome.Newer{}, false},
		{"a newer event, then its own copy", one, []journal.Record{of(13, "newer", 20, "v2"), of(14, "one", 10, "v1")},
			outcome.Newer{}, false},
		{"two newer events", one, []journal.Record{of(13, "newer", 20, "v2"), of(14, "newest", 30, "v3")},
			by("newer"), true},
	} {
		if got, final := supersededBy(tt.one, tt.later); got != tt.want || final != tt.final {
			t.Errorf("%s: %+v, %t; want %+v, %t", tt.name, got, final, tt.want, tt.final)
		}
	}
}

// TestNeedsPast checks when ECS's service deployments are read, which cost a call: not for a
// rollout that followed one that had ended.
func TestNeedsPast(t *testing.T) {
	t.Parallel()
	usual := func(change func(*Observation)) Observation {
		o := Observation{Primary: true, Revision: journal.Record{Revision: 12},
			Previous: journal.Record{Revision: 11, Outcome: journal.Succeeded}, SameEvent: SameEvent{Newest: 12}}
		change(&o)
		return o
	}
	for _, tt := range []struct {
		name   string
		change func(*Observation)
		want   bool
	}{
		{"after one that had ended", func(*Observation) {}, false},
		{"a newer revision exists", func(o *Observation) { o.SameEvent.Newest = 13 }, true},
		{"after one that had not ended", func(o *Observation) { o.Previous.Outcome = "" }, true},
		{"revisions between", func(o *Observation) { o.Previous.Revision = 9 }, true},
		{"replaced", func(o *Observation) { o.Primary = false }, true},
		{"ECS's rollback", func(o *Observation) { o.SameEvent.Newest, o.IsRollback = 13, true }, false},
	} {
		o := usual(tt.change)
		got := o.needsPast(&types.Service{}, event.Rollout{Step: event.RolloutCompleted})
		if got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}
