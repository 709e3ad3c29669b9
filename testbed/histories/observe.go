package histories

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// revisionOf returns the revision of an ARN as "family:number".
func revisionOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// recordMove records the rollout that an UpdateService started, if it did.
func (w *world) recordMove(answer []byte, by string, a *attempt) {
	var out struct {
		Service struct {
			Name           string `json:"serviceName"`
			TaskDefinition string `json:"taskDefinition"`
			Deployments    []struct{ ID string }
		}
	}
	if json.Unmarshal(answer, &out) != nil || len(out.Service.Deployments) == 0 {
		return
	}
	w.record.mu.Lock()
	id := out.Service.Deployments[0].ID
	if w.record.moved(id) != nil {
		w.record.mu.Unlock()
		return
	}
	m := move{
		at: time.Now(), service: w.serviceOf(out.Service.Name), deployment: id,
		revision: revisionOf(out.Service.TaskDefinition), by: by, attempt: a,
	}
	g := w.record.registrationOf(m.revision)
	m.image, m.ownRevision, m.registeredAt = g.image, g.own(), g.at
	who := by
	if a != nil {
		m.start, who = a.start, a.key
	}
	w.record.moves = append(w.record.moves, m)
	w.record.mu.Unlock()
	w.record.add(m.at, "%s moves s%d to %s (%s), rollout %s", who, m.service, m.revision, m.image, shortID(id))
}

func shortID(deployment string) string {
	return strings.TrimPrefix(deployment, "ecs-svc/")[:6]
}

// serviceOf returns the number of a service of ECS.
func (w *world) serviceOf(name string) int {
	for i := range w.history.Services {
		if w.ecsName(i) == name {
			return i
		}
	}
	return -1
}

// recordRegistration records the revision that a RegisterTaskDefinition registered.
func (w *world) recordRegistration(answer []byte, by string) {
	var out struct {
		TaskDefinition struct {
			ARN        string `json:"taskDefinitionArn"`
			Containers []struct {
				Image       string
				Environment []struct{ Name, Value string }
			} `json:"containerDefinitions"`
		}
		Tags []struct{ Key, Value string }
	}
	if json.Unmarshal(answer, &out) != nil || len(out.TaskDefinition.Containers) == 0 {
		return
	}
	g := registration{
		at: time.Now(), revision: revisionOf(out.TaskDefinition.ARN), by: by,
		image: w.imageOf(out.TaskDefinition.Containers[0].Image),
	}
	for _, v := range out.TaskDefinition.Containers[0].Environment {
		if v.Name == "CONFIG" {
			g.config = v.Value
		}
	}
	for _, t := range out.Tags {
		if t.Key == "deployer:event-id" {
			g.eventID = t.Value
		}
	}
	w.record.mu.Lock()
	w.record.registered = append(w.record.registered, g)
	if e := w.record.events[g.eventID]; e != nil && e.image == "" && g.own() { // a rollback, which names no image
		e.image = g.image
	}
	w.record.mu.Unlock()
	w.record.add(g.at, "%s registers %s (%s, configuration %s) for %s", by, g.revision, g.image, g.config, g.eventID)
}

// recordOutcomes records the outcomes that a PutEvents put on the bus.
func (w *world) recordOutcomes(body []byte, a *attempt) {
	var in struct {
		Entries []struct{ DetailType, Detail string }
	}
	if json.Unmarshal(body, &in) != nil {
		return
	}
	for _, e := range in.Entries {
		var d struct {
			Service    string
			EventID    string `json:"event_id"`
			Deployment string `json:"deployment_id"`
			Cause      string
			ECSReason  string `json:"ecs_reason"`
		}
		if json.Unmarshal([]byte(e.Detail), &d) != nil {
			continue
		}
		p := publication{
			at: time.Now(), kind: strings.TrimPrefix(e.DetailType, "Deployment "), eventID: d.EventID,
			deployment: d.Deployment, attempt: a, reason: d.Cause + d.ECSReason, service: -1,
		}
		for i := range w.history.Services {
			if serviceName(i) == d.Service {
				p.service = i
			}
		}
		w.record.mu.Lock()
		w.record.published = append(w.record.published, p)
		w.record.mu.Unlock()
		id := ""
		if p.deployment != "" {
			id = shortID(p.deployment)
		}
		w.record.add(p.at, "%s publishes %s of %q, rollout %s: %.80s", a.key, p.kind, p.eventID, id, p.reason)
	}
}

// recordRollout records an event of ECS about a rollout.
func (w *world) recordRollout(service int, name, deployment, reason string, at time.Time) {
	rollsBack := name == "SERVICE_DEPLOYMENT_IN_PROGRESS" && strings.Contains(reason, "rolling back to")
	w.record.mu.Lock()
	m := w.record.moved(deployment)
	switch {
	case m != nil && name == "SERVICE_DEPLOYMENT_COMPLETED":
		m.completed = true
	case m != nil && name == "SERVICE_DEPLOYMENT_FAILED":
		m.failed = true
	}
	w.record.mu.Unlock()
	if deployment != "" {
		w.record.add(time.Now(), "ECS: %s %s of s%d: %s", shortName(name), shortID(deployment), service, reason)
	}
	if !rollsBack {
		return
	}
	runs := w.rolledBackTo(service, deployment)
	if runs == "" {
		return
	}
	w.record.mu.Lock()
	defer w.record.mu.Unlock()
	if m := w.record.moved(deployment); m != nil {
		m.by = "ECS" // what a person asked for at that moment, ECS was doing already: it began no other rollout
		return
	}
	g := w.record.registrationOf(runs)
	w.record.moves = append(w.record.moves, move{
		at: time.Now(), service: service, deployment: deployment, revision: runs, image: g.image, by: "ECS",
		ownRevision: g.own(), registeredAt: g.at,
	})
	slices.SortStableFunc(w.record.moves, func(a, b move) int { return a.at.Compare(b.at) })
}

// rolledBackTo returns the revision of a rollback, "" if ECS no longer lists it.
func (w *world) rolledBackTo(service int, deployment string) string {
	s, err := w.admin.ECS.DescribeServices(context.Background(), describeService(w.ecsName(service)))
	if err != nil || len(s.Services) != 1 {
		return ""
	}
	for _, d := range s.Services[0].Deployments {
		if aws.ToString(d.Id) == deployment {
			return revisionOf(aws.ToString(d.TaskDefinition))
		}
	}
	return ""
}
