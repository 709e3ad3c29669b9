package event

import (
	"encoding/json"
	"strings"
	"time"

	"deployer/internal/environment"
)

// starters begin what ECS shows as the starter of a task that a schedule or a rule started.
// AWS does not document them; public logs of such tasks have them.
var starters = []string{"chronos-schedule/", "events-rule/"}

// Run is a run of a task that has ended, which its schedule or its rule started.
type Run struct {
	Workload       environment.Workload
	TaskDefinition string // ARN of the revision
	Task           string // ARN of the ECS task
	StopCode       string // of ECS, such as "EssentialContainerExited"; may be ""
	Reason         string // ECS's reason; may be ""
	Containers     []RunContainer
}

// RunContainer is a container of a run.
type RunContainer struct {
	Name     string
	ExitCode *int   // nil if it never ran
	Reason   string // of ECS; may be ""
}

// run reads an event of ECS about a task. It is for the deployer if a task of the
// environment has stopped that a schedule or a rule started.
func (r reader) run() Reading {
	var d struct {
		LastStatus, ClusterArn, StartedBy, TaskArn, TaskDefinitionArn, StopCode, StoppedReason string

		Containers []RunContainer
	}
	if err := json.Unmarshal(r.event.Detail, &d); err != nil {
		return r.unexpected("the ECS task event is not as AWS documents it: \"detail\" is not its JSON")
	}
	switch {
	case d.LastStatus != "STOPPED":
		return r.ignored("the task is " + quote(d.LastStatus) + ", and has not stopped")
	case d.ClusterArn != r.clusterARN() || r.event.Account != r.env.AccountID:
		return r.ignored("the cluster " + quote(d.ClusterArn) + " is not " + r.env.Cluster + " of " + r.env.Name)
	case !startedByPointer(d.StartedBy):
		return r.ignored("the task was started by " + quote(d.StartedBy) + ", not by a schedule or a rule")
	}
	_, revision, _ := strings.Cut(d.TaskDefinitionArn, ":task-definition/")
	family, number, _ := strings.Cut(revision, ":")
	if number == "" || !strings.Contains(d.TaskArn, ":task/") {
		return r.unexpected("the ECS task event is not as AWS documents it: it has no \"taskArn\" or " +
			"\"taskDefinitionArn\"")
	}
	for _, w := range r.env.Workloads {
		if w.HasService() || w.Family != family {
			continue
		}
		var wrong problems
		if r.checkTime(maxAheadOfAWS, &wrong); len(wrong) > 0 {
			return r.unexpected("the ECS task event is malformed: " + wrong.String())
		}
		return Reading{ID: r.event.ID, Verdict: Ran, Reason: "a run of " + w.Label() + " ended", At: r.runTime(),
			Run: Run{w, d.TaskDefinitionArn, d.TaskArn, d.StopCode, d.StoppedReason, d.Containers}}
	}
	return r.ignored("the family " + quote(family) + " is not that of a task of " + r.env.Name)
}

// runTime returns the event's time, or now if it has none.
func (r reader) runTime() time.Time {
	if r.event.Time.IsZero() {
		return r.now
	}
	return r.event.Time
}

func startedByPointer(by string) bool {
	for _, prefix := range starters {
		if strings.HasPrefix(by, prefix) {
			return true
		}
	}
	return false
}
