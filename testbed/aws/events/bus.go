package events

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"deployer/internal/iam"
	"deployer/testbed/aws/api"
)

// defaultBus is the bus that every account has in every region. Other buses are not emulated.
const defaultBus = "default"

// A bus is the default event bus of a scope.
type bus struct {
	scope      api.Scope
	created    time.Time
	rules      map[string]*rule
	statements []statement // of its resource policy
	policyText json.RawMessage
	policy     *iam.Document
}

// A statement is one statement of a resource policy.
type statement struct {
	Sid       string          `json:"Sid,omitempty"`
	Effect    string          `json:"Effect"`
	Principal json.RawMessage `json:"Principal,omitempty"`
	Action    json.RawMessage `json:"Action,omitempty"`
	Resource  json.RawMessage `json:"Resource,omitempty"`
	Condition json.RawMessage `json:"Condition,omitempty"`
}

func busARN(scope api.Scope, name string) string { return scope.ARN("events", "event-bus/"+name) }

func (b *bus) arn() string { return busARN(b.scope, defaultBus) }

// bus returns the default bus of a scope.
func (e *Server) bus(scope api.Scope) *bus {
	b, ok := e.buses[scope]
	if !ok {
		b = &bus{scope: scope, created: e.backend.Clock(), rules: map[string]*rule{}}
		e.buses[scope] = b
	}
	return b
}

// A busID is what a request calls a bus.
type busID struct {
	scope api.Scope
	name  string
}

// parseBus returns the bus that a request refers to by its name or its ARN; without a reference it is the default bus.
func parseBus(r *api.Request, reference string) busID {
	if reference == "" {
		return busID{r.Scope(), defaultBus}
	}
	if _, owner, resource, ok := api.SplitARN(reference); ok {
		return busID{owner, strings.TrimPrefix(resource, "event-bus/")}
	}
	return busID{r.Scope(), reference}
}

// find returns the bus, or nil if it does not exist.
func (e *Server) find(id busID) *bus {
	if id.name != defaultBus {
		return nil
	}
	return e.bus(id.scope)
}

func notFound(format string, args ...any) *api.Error {
	return api.NewError("ResourceNotFoundException", format, args...)
}

func busNotFound(name string) *api.Error { return notFound("Event bus %s does not exist.", name) }

type describeEventBusInput struct{ Name string }

func (e *Server) describeEventBus(r *api.Request, in describeEventBusInput) (any, *api.Error) {
	b, err := e.openBus(r, in.Name)
	if err != nil {
		return nil, err
	}
	o := api.Object{
		"Name":             defaultBus,
		"Arn":              b.arn(),
		"CreationTime":     api.Timestamp(b.created),
		"LastModifiedTime": api.Timestamp(b.created),
	}
	if b.policy != nil {
		o["Policy"] = string(b.policyText)
	}
	return o, nil
}

// openBus checks that the caller may carry out the request's operation on a bus, and returns the bus.
func (e *Server) openBus(r *api.Request, reference string) (*bus, *api.Error) {
	id := parseBus(r, reference)
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: busARN(id.scope, id.name)}); err != nil {
		return nil, err
	}
	b := e.find(id)
	if b == nil {
		return nil, busNotFound(id.name)
	}
	return b, nil
}

type putPermissionInput struct {
	EventBusName string
	Policy       string
	StatementID  string `json:"StatementId"`
	Action       string
	Principal    string
	Condition    *struct{ Type, Key, Value string }
}

func (e *Server) putPermission(r *api.Request, in putPermissionInput) (any, *api.Error) {
	b, err := e.openBus(r, in.EventBusName)
	if err != nil {
		return nil, err
	}
	if in.Policy != "" {
		return api.Object{}, policyError(b.setPolicy([]byte(in.Policy)))
	}
	if in.StatementID == "" || in.Action != "events:PutEvents" || in.Principal == "" {
		return nil, api.Validation("StatementId, Action events:PutEvents and Principal must be specified when there " +
			"is no Policy.")
	}
	s := statement{
		Sid: in.StatementID, Effect: "Allow", Action: api.Encode(in.Action),
		Principal: api.Encode("*"), Resource: api.Encode(b.arn()),
	}
	if in.Principal != "*" {
		s.Principal = api.Encode(api.Object{"AWS": "arn:" + api.Partition(b.scope.Region) + ":iam::" + in.Principal +
			":root"})
	}
	c := in.Condition
	if c != nil {
		s.Condition = api.Encode(api.Object{c.Type: api.Object{c.Key: c.Value}})
	}
	return api.Object{}, policyError(b.addStatement(s))
}

func policyError(err error) *api.Error {
	if err == nil {
		return nil
	}
	return api.Validation("Parameter Policy is not valid. Reason: %v", err)
}

// addStatement adds a statement to the bus's policy. It replaces the one with the same Sid.
func (b *bus) addStatement(s statement) error {
	others := slices.DeleteFunc(slices.Clone(b.statements), func(old statement) bool { return old.Sid == s.Sid })
	return b.setPolicy(api.Encode(api.Object{"Version": "2012-10-17", "Statement": append(others, s)}))
}

// setPolicy replaces the bus's resource policy.
func (b *bus) setPolicy(document []byte) error {
	parsed, err := api.ParseResourcePolicy(document)
	if err != nil {
		return err
	}
	statements, err := statementsOf(document)
	if err != nil {
		return err
	}
	b.statements, b.policy, b.policyText = statements, parsed, document
	return nil
}

// statementsOf returns the statements of a policy.
func statementsOf(document []byte) (all []statement, err error) {
	var d struct{ Statement json.RawMessage }
	if err := json.Unmarshal(document, &d); err != nil {
		return nil, err
	}
	if json.Unmarshal(d.Statement, &all) != nil {
		all = make([]statement, 1)
		err = json.Unmarshal(d.Statement, &all[0])
	}
	return all, err
}

// AddToBusPolicy adds the statements of a policy to that of the bus with the ARN, which must be of the scope. They
// replace those with the same Sid: each AWS::Events::EventBusPolicy is one statement of the bus's policy, and other
// stacks have theirs (AWS resource and property types reference, "AWS::Events::EventBusPolicy").
func (e *Server) AddToBusPolicy(scope api.Scope, arn string, document []byte) error {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	b, err := e.ownBus(scope, arn)
	if err != nil {
		return err
	}
	statements, err := statementsOf(document)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if err := b.addStatement(s); err != nil {
			return err
		}
	}
	return nil
}

// ownBus returns the bus with the ARN, which must be of the scope.
func (e *Server) ownBus(scope api.Scope, arn string) (*bus, error) {
	_, owner, resource, ok := api.SplitARN(arn)
	if !ok || owner != scope {
		return nil, fmt.Errorf("the bus %q is not in account %s, region %s", arn, scope.Account, scope.Region)
	}
	b := e.find(busID{owner, strings.TrimPrefix(resource, "event-bus/")})
	if b == nil {
		return nil, fmt.Errorf("there is no bus %q", arn)
	}
	return b, nil
}
