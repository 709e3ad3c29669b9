package outcome

import (
	"strings"
	"testing"
	"time"
)

func TestConstructorsRefuse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		make   func(Outcome) (Outcome, error)
		change func(*Outcome)
		want   string
	}{
		{"nothing known", Started, func(o *Outcome) { *o = Outcome{} },
			`making a Deployment Started outcome of service "": environment is missing` +
				"\nproject is missing\nservice is missing\nevent_id is missing\nrevision.after is missing\ntime " +
				"is missing"},
		{"a success of nothing", Succeeded, func(o *Outcome) { o.Revision.After = "" }, "revision.after is missing"},
		{"a failure without a reason", Failed, func(*Outcome) {}, "ecs_reason or cause is missing"},
		{"a rejection without a cause", Rejected, func(o *Outcome) { o.ECSReason = "no" }, "cause is missing"},
		{"superseded without the newer one", Superseded, func(*Outcome) {}, "superseded_by is missing"},
		{"no event", Succeeded, func(o *Outcome) { o.Cause.ID = "" }, "event_id is missing"},
		{"an invalid tag", Succeeded, func(o *Outcome) { o.Tag = "git-\n" }, `tag "git-\n" is invalid`},
		{"an invalid digest", Succeeded, func(o *Outcome) { o.Digest = "sha256:1" },
			`digest "sha256:1" is invalid`},
		{"a revision without its number", Succeeded, func(o *Outcome) { o.Revision.Before = family },
			`revision "` + family + `" is not a task definition's ARN`},
		{"a service's name for its ARN", Succeeded, func(o *Outcome) { o.ServiceARN = "web" },
			`"web" is not the ARN of an ECS service`},
		{"another deployment id", Succeeded, func(o *Outcome) { o.DeploymentID = "d-1" },
			`deployment_id "d-1" is not like ecs-svc/1234567890`},
		{"a success rolled back", Succeeded, func(o *Outcome) { o.RolledBackTo.Image = "a" },
			"only a failure has rolled_back_to"},
		{"a success superseded", Succeeded, func(o *Outcome) { o.SupersededBy.EventID = "1" },
			"only a superseded deployment has superseded_by"},
		{"a success with its event", Succeeded, func(o *Outcome) { o.Event = []byte("{}") },
			"only a rejection or a failure has event"},
		{"a pause without a hook", Paused, func(o *Outcome) {}, "hook.id is missing"},
		{"an impairment without a cause", Impaired, func(*Outcome) {}, "cause is missing"},
		{"a success with stopped tasks", Succeeded, func(o *Outcome) { o.StoppedTasks = []string{"a"} },
			"only a failure or an impairment has stopped_tasks"},
		{"a success with a hook", Succeeded, func(o *Outcome) { o.Hook.ID = "a" },
			"only a pause or an impairment has hook"},
		{"a foreign rejection", Rejected, func(o *Outcome) { o.Foreign, o.Problem = true, "no" },
			"a rejection cannot be foreign: only an event is rejected"},
	} {
		o := base(t)
		tt.change(&o)
		_, err := tt.make(o)
		if err == nil || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("%s: error %v\nwant it to end: %s", tt.name, err, tt.want)
		}
	}
}

// TestClockAhead checks that an event of a clock that is ahead took no time.
func TestClockAhead(t *testing.T) {
	t.Parallel()
	o := base(t)
	o.Cause.Time = o.Time.Add(time.Minute)
	o, err := Succeeded(o)
	if took, known := o.Took(); err != nil || took != 0 || !known {
		t.Errorf("took %v, known %v, error %v", took, known, err)
	}
	o.Seconds = nil
	if _, known := o.Took(); known {
		t.Error("an unknown time is known")
	}
}
