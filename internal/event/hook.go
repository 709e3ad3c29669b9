package event

import (
	"encoding/json"
	"strings"
	"time"

	"deployer/internal/environment"
)

// The steps of a lifecycle hook that are handled. A hook that is in progress, or
// that succeeded, needs no report.
const (
	HookAwaiting Step = "HOOK_AWAITING_ACTION" // a pause hook waits for ContinueServiceDeployment
	HookFailed   Step = "HOOK_FAILED"          // a function failed, or a pause was continued with ROLLBACK
	HookTimedOut Step = "HOOK_TIMED_OUT"       // ECS takes the hook's timeout action
)

// Hook is a lifecycle hook of a deployment, as ECS's event describes it.
type Hook struct {
	ID                string    // unique: each pause of a linear or canary deployment has its own
	Type              string    // "PAUSE" or "AWS_LAMBDA"
	Stage             string    // the lifecycle stage, such as "POST_TEST_TRAFFIC_SHIFT"; may be ""
	Expires           time.Time // when it times out; zero if the event does not say
	ServiceDeployment string    // ARN of the service deployment
}

// IsHook reports whether the step is one of a lifecycle hook.
func (s Step) IsHook() bool { return s == HookAwaiting || s == HookFailed || s == HookTimedOut }

// hook reads an event of ECS about a lifecycle hook. Its resource is the service
// deployment, so the cluster and the service are those of its detail. An event that
// is not as AWS documents it is ignored: its sender is AWS.
func (r reader) hook() Reading {
	detail, err := object(r.event.Detail)
	if err != nil {
		return r.unexpected("the ECS hook event is malformed: \"detail\" " + err.Error())
	}
	value := func(key string) string { s, _ := text(detail[key]); return s }
	step := Step(value("eventName"))
	if !step.IsHook() {
		return r.ignored("the ECS hook event " + quote(string(step)) + " needs no report")
	}
	w, reason := r.workloadOfHook(value("clusterArn"), value("serviceArn"))
	if reason != "" {
		return r.ignored(reason)
	}
	h := Hook{ID: value("hookId"), Type: value("hookType"), Stage: value("lifecycleStage"),
		ServiceDeployment: value("serviceDeploymentArn")}
	if h.ServiceDeployment == "" {
		h.ServiceDeployment = r.onlyResource()
	}
	switch {
	case h.ID == "":
		return r.unexpected("the ECS hook event is malformed: it has no \"hookId\"")
	case !strings.Contains(h.ServiceDeployment, ":service-deployment/"):
		return r.unexpected("the ECS hook event is malformed: \"serviceDeploymentArn\" is " +
			quote(h.ServiceDeployment))
	}
	var wrong problems
	if r.checkTime(maxAheadOfAWS, &wrong); len(wrong) > 0 {
		return r.unexpected("the ECS hook event is malformed: " + wrong.String())
	}
	h.Expires = r.expiry(value("expiresAt"))
	return Reading{ID: r.event.ID, Verdict: Followed, Reason: string(step) + " of " + w.Name, At: r.event.Time,
		Rollout: Rollout{Workload: w, Step: step, Hook: h}}
}

// maxExpiry is how far ahead a hook may expire. ECS's maximum is 14 days.
const maxExpiry = 30 * 24 * time.Hour

// expiry returns when a hook times out, zero if the event does not say, or names a
// time at which no hook can expire.
func (r reader) expiry(value string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, value)
	if err != nil || at.Before(earliest) || at.After(r.now.Add(maxExpiry)) {
		return time.Time{}
	}
	return at.UTC()
}

// workloadOfHook returns the workload of a hook event's cluster and service, or the
// reason why the environment has none.
func (r reader) workloadOfHook(cluster, service string) (w environment.Workload, reason string) {
	if cluster != r.clusterARN() || r.event.Account != r.env.AccountID {
		return w, "the cluster " + quote(cluster) + " is not " + r.env.Cluster + " of " + r.env.Name
	}
	return r.workloadWithARN(service)
}

// onlyResource returns the event's resource, "" if it does not have exactly one.
func (r reader) onlyResource() string {
	var arns []string
	if json.Unmarshal(r.event.Resources, &arns) != nil || len(arns) != 1 {
		return ""
	}
	return arns[0]
}
