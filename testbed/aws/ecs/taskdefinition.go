package ecs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"deployer/testbed/aws/api"
)

// A family is the revisions of a task definition, from number 1.
type family struct {
	name      string
	revisions []*taskDefinition
}

// A taskDefinition is one revision. It keeps the members that were sent, so that none is lost that the emulator does
// not know.
type taskDefinition struct {
	scope        api.Scope
	family       string
	revision     int
	fields       map[string]json.RawMessage
	images       []string // of its containers
	needs        []string // the attributes that it requires of container instances
	compatible   []string // launch types
	awsvpc       bool
	tags         []tag
	registered   time.Time
	registeredBy string
	deregistered time.Time // zero while it is ACTIVE
}

const (
	statusActive   = "ACTIVE"
	statusInactive = "INACTIVE"
)

func (t *taskDefinition) arn() string {
	return t.scope.ARN("ecs", fmt.Sprintf("task-definition/%s:%d", t.family, t.revision))
}

func (t *taskDefinition) status() string {
	if t.deregistered.IsZero() {
		return statusActive
	}
	return statusInactive
}

func (t *taskDefinition) describe() api.Object {
	o := api.Object{}
	for name, value := range t.fields {
		o[name] = value
	}
	attributes := []api.Object{}
	for _, name := range t.needs {
		attributes = append(attributes, api.Object{"name": name})
	}
	o["taskDefinitionArn"] = t.arn()
	o["revision"] = t.revision
	o["status"] = t.status()
	o["requiresAttributes"] = attributes
	o["compatibilities"] = t.compatible
	o["registeredAt"] = api.Timestamp(t.registered)
	o["registeredBy"] = t.registeredBy
	if !t.deregistered.IsZero() {
		o["deregisteredAt"] = api.Timestamp(t.deregistered)
	}
	return o
}

// findTaskDefinition returns the revision family:revision, or the latest ACTIVE revision of a family; nil if there is
// none.
func (a *account) findTaskDefinition(id string) *taskDefinition {
	name, number, numbered := strings.Cut(id, ":")
	f, ok := a.families[name]
	if !ok {
		return nil
	}
	if numbered {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > len(f.revisions) {
			return nil
		}
		return f.revisions[n-1]
	}
	for _, t := range slices.Backward(f.revisions) {
		if t.status() == statusActive {
			return t
		}
	}
	return nil
}

// taskDefinition returns the revision that a request refers to by family, family:revision or ARN; nil if there is none.
func (e *Server) taskDefinition(scope api.Scope, reference string) *taskDefinition {
	if strings.HasPrefix(reference, "arn:") {
		service, owner, resource, _ := api.SplitARN(reference)
		id, ok := strings.CutPrefix(resource, "task-definition/")
		if service != "ecs" || owner != scope || !ok {
			return nil
		}
		reference = id
	}
	return e.account(scope).findTaskDefinition(reference)
}

// activeTaskDefinition is taskDefinition for a service, whose revision must be ACTIVE.
func (e *Server) activeTaskDefinition(scope api.Scope, reference string) (*taskDefinition, *api.Error) {
	t := e.taskDefinition(scope, reference)
	switch {
	case t == nil:
		return nil, clientError("TaskDefinition not found.")
	case t.status() != statusActive:
		return nil, clientError("TaskDefinition is inactive")
	}
	return t, nil
}

type describeTaskDefinitionInput struct {
	Reference string   `json:"taskDefinition"`
	Include   []string `json:"include"`
}

func (e *Server) describeTaskDefinition(r *api.Request, in describeTaskDefinitionInput) (any, *api.Error) {
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: "*"}); err != nil {
		return nil, err
	}
	t := e.taskDefinition(r.Scope(), in.Reference)
	if t == nil {
		return nil, clientError("Unable to describe task definition.")
	}
	answer := api.Object{"taskDefinition": t.describe()}
	if slices.Contains(in.Include, "TAGS") {
		answer["tags"] = api.NonNil(t.tags)
	}
	return answer, nil
}

type deregisterTaskDefinitionInput struct {
	Reference string `json:"taskDefinition"`
}

func (e *Server) deregisterTaskDefinition(r *api.Request, in deregisterTaskDefinitionInput) (any, *api.Error) {
	_, id, _ := strings.Cut(in.Reference, "task-definition/")
	if id == "" {
		id = in.Reference
	}
	if !strings.Contains(id, ":") {
		return nil, clientError("Revision is missing.")
	}
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: "*"}); err != nil {
		return nil, err
	}
	t := e.taskDefinition(r.Scope(), in.Reference)
	if t == nil {
		return nil, clientError("The specified task definition does not exist.")
	}
	if t.deregistered.IsZero() {
		t.deregistered = r.Now
	}
	return api.Object{"taskDefinition": t.describe()}, nil
}

type listTaskDefinitionsInput struct {
	api.Paging
	Family string `json:"familyPrefix"`
	Status string `json:"status"`
	Sort   string `json:"sort"`
}

func (e *Server) listTaskDefinitions(r *api.Request, in listTaskDefinitionsInput) (any, *api.Error) {
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: "*"}); err != nil {
		return nil, err
	}
	if in.Status == "" {
		in.Status = statusActive
	}
	families := e.account(r.Scope()).families
	arns := []string{}
	for _, name := range slices.Sorted(maps.Keys(families)) {
		if in.Family != "" && name != in.Family { // familyPrefix is the full name of a family
			continue
		}
		for _, t := range families[name].revisions {
			if t.status() == in.Status {
				arns = append(arns, t.arn())
			}
		}
	}
	if in.Sort == "DESC" {
		slices.Reverse(arns)
	}
	arns, next, err := api.Page(arns, in.Paging, 100, 100)
	if err != nil {
		return nil, err
	}
	return api.WithToken(api.Object{"taskDefinitionArns": arns}, next), nil
}
