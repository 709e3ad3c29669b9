package emulator

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	"deployer/internal/iam"
)

// defaultBus is the bus that every account has in every region.
const defaultBus = "default"

// An eventBus is an EventBridge event bus.
type eventBus struct {
	scopeKey
	name       string
	created    time.Time
	rules      map[string]*rule
	statements []statement // of its resource policy
	policyText json.RawMessage
	policy     *iam.Document
}

// A statement is one statement of a policy that is put together or looked through.
type statement struct {
	Sid          string          `json:"Sid,omitempty"`
	Effect       string          `json:"Effect"`
	Principal    json.RawMessage `json:"Principal,omitempty"`
	NotPrincipal json.RawMessage `json:"NotPrincipal,omitempty"`
	Action       json.RawMessage `json:"Action,omitempty"`
	Resource     json.RawMessage `json:"Resource,omitempty"`
	Condition    json.RawMessage `json:"Condition,omitempty"`
}

// namesPrincipals reports whether every statement of a policy says whom it is for, as
// those of a resource's policy must.
func namesPrincipals(document string) bool {
	var one struct{ Statement statement }
	var many struct{ Statement []statement }
	if json.Unmarshal([]byte(document), &many) != nil {
		if json.Unmarshal([]byte(document), &one) != nil {
			return false
		}
		many.Statement = []statement{one.Statement}
	}
	for _, s := range many.Statement {
		if s.Principal == nil && s.NotPrincipal == nil {
			return false
		}
	}
	return len(many.Statement) > 0
}

func newEventBus(key scopeKey, name string, now time.Time) *eventBus {
	return &eventBus{scopeKey: key, name: name, created: now, rules: map[string]*rule{}}
}

func (k scopeKey) busARN(name string) string { return k.arn("events", "event-bus/"+name) }

// busOf returns the scope and the name of the bus that a request refers to by its name,
// by its ARN, or not at all.
func (r *request) busOf(reference string) (scopeKey, string) {
	if reference == "" {
		return r.key(), defaultBus
	}
	if _, key, resource, ok := splitARN(reference); ok {
		return key, strings.TrimPrefix(resource, "event-bus/")
	}
	return r.key(), reference
}

// findBus returns the bus, or nil.
func (e *Emulator) findBus(key scopeKey, name string) *eventBus {
	return e.scope(key.account, key.region).buses[name]
}

func errEventsNotFound(format string, args ...any) *Error {
	return badRequest("ResourceNotFoundException", format, args...)
}

var busNameForm = regexp.MustCompile(`^[/.\-_A-Za-z0-9]{1,256}$`)

type createEventBusInput struct{ Name string }

func (e *Emulator) createEventBus(r *request, in createEventBusInput) (any, *Error) {
	if !busNameForm.MatchString(in.Name) {
		return nil, errValidation("Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [/\\.\\-_A-Za-z0-9]+", in.Name)
	}
	arn := r.key().busARN(in.Name)
	if err := e.authorize(r, access{action: r.name(), resource: arn}); err != nil {
		return nil, err
	}
	buses := e.scope(r.account, r.region).buses
	if _, ok := buses[in.Name]; ok {
		return nil, badRequest("ResourceAlreadyExistsException", "Event bus %s already exists.", in.Name)
	}
	buses[in.Name] = newEventBus(r.key(), in.Name, r.now)
	return object{"EventBusArn": arn}, nil
}

type describeEventBusInput struct{ Name string }

func (e *Emulator) describeEventBus(r *request, in describeEventBusInput) (any, *Error) {
	bus, err := e.openBus(r, in.Name)
	if err != nil {
		return nil, err
	}
	o := object{
		"Name":             bus.name,
		"Arn":              bus.busARN(bus.name),
		"CreationTime":     timestamp(bus.created),
		"LastModifiedTime": timestamp(bus.created),
	}
	if bus.policy != nil {
		o["Policy"] = string(bus.policyText)
	}
	return o, nil
}

// openBus asks for leave for the request's action and returns the bus.
func (e *Emulator) openBus(r *request, reference string) (*eventBus, *Error) {
	key, name := r.busOf(reference)
	if err := e.authorize(r, access{action: r.name(), resource: key.busARN(name)}); err != nil {
		return nil, err
	}
	bus := e.findBus(key, name)
	if bus == nil {
		return nil, errEventsNotFound("Event bus %s does not exist.", name)
	}
	return bus, nil
}

type putPermissionInput struct {
	EventBusName string
	Policy       string
	StatementID  string `json:"StatementId"`
	Action       string
	Principal    string
	Condition    *struct{ Type, Key, Value string }
}

func (e *Emulator) putPermission(r *request, in putPermissionInput) (any, *Error) {
	bus, err := e.openBus(r, in.EventBusName)
	if err != nil {
		return nil, err
	}
	if in.Policy != "" {
		return object{}, bus.setPolicy([]byte(in.Policy))
	}
	if in.StatementID == "" || in.Action != "events:PutEvents" || in.Principal == "" {
		return nil, errValidation("StatementId, Action events:PutEvents and Principal must be specified when there is no Policy.")
	}
	s := statement{
		Sid: in.StatementID, Effect: "Allow", Action: encode(in.Action),
		Principal: encode("*"), Resource: encode(bus.busARN(bus.name)),
	}
	if in.Principal != "*" {
		s.Principal = encode(object{"AWS": "arn:" + partition(bus.region) + ":iam::" + in.Principal + ":root"})
	}
	if c := in.Condition; c != nil {
		s.Condition = encode(object{c.Type: object{c.Key: c.Value}})
	}
	return object{}, bus.addStatement(s)
}

// addStatement sets the statement of its Sid.
func (b *eventBus) addStatement(s statement) *Error {
	statements := []statement{}
	for _, old := range b.statements {
		if old.Sid != s.Sid {
			statements = append(statements, old)
		}
	}
	return b.setPolicy(encode(object{"Version": "2012-10-17", "Statement": append(statements, s)}))
}

// setPolicy gives the bus the document as its resource policy.
func (b *eventBus) setPolicy(document []byte) *Error {
	parsed, err := iam.Parse(document)
	if err == nil && !namesPrincipals(string(document)) {
		err = errors.New("a statement has no principal")
	}
	if err != nil {
		return errValidation("Parameter Policy is not valid. Reason: %v", err)
	}
	var d struct{ Statement json.RawMessage }
	json.Unmarshal(document, &d) // Parse has read it
	b.statements = nil
	if json.Unmarshal(d.Statement, &b.statements) != nil {
		b.statements = make([]statement, 1)
		json.Unmarshal(d.Statement, &b.statements[0])
	}
	b.policy, b.policyText = parsed, document
	return nil
}
