package emulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A family is all revisions of a task definition; the first is number 1.
type family struct {
	name      string
	revisions []*taskDefinition
}

// A taskDefinition is one revision. What was registered is kept as it was sent, so that
// no field can be lost that the emulator does not know.
type taskDefinition struct {
	scopeKey
	family       string
	revision     int
	fields       map[string]json.RawMessage
	containers   []container
	images       []string // of its containers
	needs        []string // the attributes that container instances must have
	compatible   []string // the launch types it can run on
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
	return t.scopeKey.arn("ecs", fmt.Sprintf("task-definition/%s:%d", t.family, t.revision))
}

func (t *taskDefinition) status() string {
	if t.deregistered.IsZero() {
		return statusActive
	}
	return statusInactive
}

func (t *taskDefinition) describe() object {
	o := object{}
	for name, value := range t.fields {
		o[name] = value
	}
	attributes := []object{}
	for _, name := range t.needs {
		attributes = append(attributes, object{"name": name})
	}
	o["taskDefinitionArn"] = t.arn()
	o["revision"] = t.revision
	o["status"] = t.status()
	o["requiresAttributes"] = attributes
	o["compatibilities"] = t.compatible
	o["registeredAt"] = timestamp(t.registered)
	o["registeredBy"] = t.registeredBy
	if !t.deregistered.IsZero() {
		o["deregisteredAt"] = timestamp(t.deregistered)
	}
	return o
}

// findTaskDefinition returns the revision that family:revision means, or for a family
// alone its latest ACTIVE one; nil if there is none.
func (s *scope) findTaskDefinition(id string) *taskDefinition {
	name, number, numbered := strings.Cut(id, ":")
	f, ok := s.taskDefinitions[name]
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

// referredTaskDefinition returns what a request refers to by family, family:revision or
// ARN; nil if there is no such thing.
func (e *Emulator) referredTaskDefinition(key scopeKey, reference string) *taskDefinition {
	if strings.HasPrefix(reference, "arn:") {
		service, owner, resource, _ := splitARN(reference)
		id, ok := strings.CutPrefix(resource, "task-definition/")
		if service != "ecs" || owner != key || !ok {
			return nil
		}
		reference = id
	}
	return e.scope(key.account, key.region).findTaskDefinition(reference)
}

// deployable returns the task definition for a service, which must be ACTIVE.
func (e *Emulator) deployable(key scopeKey, reference string) (*taskDefinition, *Error) {
	t := e.referredTaskDefinition(key, reference)
	switch {
	case t == nil:
		return nil, errClient("TaskDefinition not found.")
	case t.status() != statusActive:
		return nil, errClient("TaskDefinition is inactive")
	}
	return t, nil
}

type describeTaskDefinitionInput struct {
	Reference string   `json:"taskDefinition"`
	Include   []string `json:"include"`
}

func (e *Emulator) describeTaskDefinition(r *request, in describeTaskDefinitionInput) (any, *Error) {
	if err := e.authorize(r, access{action: r.name(), resource: "*"}); err != nil {
		return nil, err
	}
	t := e.referredTaskDefinition(r.key(), in.Reference)
	if t == nil {
		return nil, errClient("Unable to describe task definition.")
	}
	answer := object{"taskDefinition": t.describe()}
	if slices.Contains(in.Include, "TAGS") {
		answer["tags"] = nonNil(t.tags)
	}
	return answer, nil
}

type deregisterTaskDefinitionInput struct {
	Reference string `json:"taskDefinition"`
}

func (e *Emulator) deregisterTaskDefinition(r *request, in deregisterTaskDefinitionInput) (any, *Error) {
	_, id, _ := strings.Cut(in.Reference, "task-definition/")
	if id == "" {
		id = in.Reference
	}
	if !strings.Contains(id, ":") {
		return nil, errClient("Revision is missing.")
	}
	if err := e.authorize(r, access{action: r.name(), resource: "*"}); err != nil {
		return nil, err
	}
	t := e.referredTaskDefinition(r.key(), in.Reference)
	if t == nil {
		return nil, errClient("The specified task definition does not exist.")
	}
	if t.deregistered.IsZero() {
		t.deregistered = r.now
	}
	return object{"taskDefinition": t.describe()}, nil
}

type listTaskDefinitionsInput struct {
	paging
	Family string `json:"familyPrefix"`
	Status string `json:"status"`
	Sort   string `json:"sort"`
}

func (e *Emulator) listTaskDefinitions(r *request, in listTaskDefinitionsInput) (any, *Error) {
	if err := e.authorize(r, access{action: r.name(), resource: "*"}); err != nil {
		return nil, err
	}
	if in.Status == "" {
		in.Status = statusActive
	}
	families := e.scope(r.account, r.region).taskDefinitions
	arns := []string{}
	for _, name := range slices.Sorted(maps.Keys(families)) {
		if in.Family != "" && name != in.Family { // despite its name, familyPrefix is a whole family
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
	arns, next, err := page(arns, in.paging, 100, 100)
	if err != nil {
		return nil, err
	}
	return withToken(object{"taskDefinitionArns": arns}, next), nil
}
