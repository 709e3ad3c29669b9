package cloudformation

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"deployer/internal/iam"
)

// Queue is an SQS queue.
type Queue struct{ LogicalID, Name, ARN, URL string }

// QueuePolicy is the resource policy of the queue with the ARN.
type QueuePolicy struct {
	QueueARN string
	Document *iam.Document
}

// Role is an IAM role with its policies: the inline ones, and then the managed ones of the stack.
type Role struct {
	LogicalID, Name, ARN string
	Policies             []*iam.Document
}

// Function is a Lambda function. Environment has its own variables, without those that Lambda adds.
type Function struct {
	LogicalID, Name, ARN, RoleARN, Runtime, Handler string
	Environment                                     map[string]string
	Traced                                          bool // Lambda sends traces to X-Ray
}

// Stack returns the name of the stack.
func (t *Template) Stack() string { return t.stack }

// Names returns type and name of each resource, such as "AWS::SQS::Queue failed", that has a name in AWS.
// No other stack of the account and region can have a resource of the same type and name.
func (t *Template) Names() []string { return t.names }

// Queues returns the stack's queues, sorted by logical id.
func (t *Template) Queues() []Queue { return t.queues }

// QueuePolicies returns the policies of queues, one for each queue that has any.
func (t *Template) QueuePolicies() []QueuePolicy { return t.queuePolicies }

// ScheduleGroups returns the names of the stack's schedule groups, sorted by logical id.
func (t *Template) ScheduleGroups() []string { return t.scheduleGroups }

// Roles returns the stack's roles, sorted by logical id.
func (t *Template) Roles() []Role { return t.roles }

// Functions returns the stack's functions, sorted by logical id.
func (t *Template) Functions() []Function { return t.functions }

// Function returns the function with the logical id. It is not ok if the stack does not have it.
func (t *Template) Function(logicalID string) (Function, bool) {
	i := slices.IndexFunc(t.functions, func(f Function) bool { return f.LogicalID == logicalID })
	if i < 0 {
		return Function{}, false
	}
	return t.functions[i], true
}

// FunctionPolicies returns the policies of a function's role; nil if the stack lacks the function or the role.
func (t *Template) FunctionPolicies(logicalID string) []*iam.Document {
	f, _ := t.Function(logicalID)
	for _, role := range t.roles {
		if role.ARN == f.RoleARN {
			return role.Policies
		}
	}
	return nil
}

// read fills in what the accessors return.
func (t *Template) read(r *resolver) error {
	for _, id := range t.Resources("") {
		if err := t.readResource(r, id); err != nil {
			return fmt.Errorf("resource %s: %w", id, err)
		}
		kind, _ := t.resources[id]["Type"].(string)
		if _, known := kinds[kind]; !known {
			continue
		}
		_, name, _, err := r.identify(id)
		if err != nil {
			return fmt.Errorf("resource %s: %w", id, err)
		}
		t.names = append(t.names, kind+" "+name)
	}
	return nil
}

func (t *Template) readResource(r *resolver, id string) error {
	properties, _ := t.resources[id]["Properties"].(map[string]any)
	switch t.resources[id]["Type"] {
	case "AWS::Events::Rule":
		rule, err := r.readRule(id, properties)
		if err != nil {
			return err
		}
		t.rules = append(t.rules, rule)
	case "AWS::Events::EventBusPolicy":
		return t.addBusPolicy(r, properties)
	case "AWS::SQS::Queue":
		_, name, _, err := r.identify(id)
		if err != nil {
			return err
		}
		t.queues = append(t.queues, Queue{id, name, r.arn("sqs", r.stack.Region, name), queueURL(r, name, nil)})
	case "AWS::Scheduler::ScheduleGroup":
		_, name, _, err := r.identify(id)
		if err != nil {
			return err
		}
		t.scheduleGroups = append(t.scheduleGroups, name)
	case "AWS::SQS::QueuePolicy":
		return t.addQueuePolicies(r, properties)
	case "AWS::ECR::Repository":
		repository, err := r.readRepository(id, properties)
		if err != nil {
			return err
		}
		t.repositories = append(t.repositories, repository)
	case "AWS::IAM::Role":
		role, err := t.readRole(r, id, properties)
		if err != nil {
			return err
		}
		t.roles = append(t.roles, role)
	case "AWS::Serverless::Function":
		function, err := r.readFunction(id, properties)
		if err != nil {
			return err
		}
		t.functions = append(t.functions, function)
	case "AWS::IAM::ManagedPolicy":
		return r.checkManagedPolicy(properties)
	case "AWS::IAM::Policy", "AWS::IAM::RolePolicy":
		return errors.New("policies are read only from the Policies and ManagedPolicyArns of a role")
	}
	return nil
}

// addQueuePolicies adds the document of an AWS::SQS::QueuePolicy for every queue that it names by URL.
func (t *Template) addQueuePolicies(r *resolver, properties map[string]any) error {
	document, err := json.Marshal(properties["PolicyDocument"])
	if err != nil {
		return err
	}
	parsed, err := iam.Parse(document)
	if err != nil {
		return err
	}
	urls, _ := properties["Queues"].([]any)
	if len(urls) == 0 {
		return fmt.Errorf("property Queues is %s, not a list", describe(properties["Queues"]))
	}
	for _, element := range urls {
		url, ok := element.(string)
		if !ok {
			return fmt.Errorf("property Queues has %s, not a string", describe(element))
		}
		t.queuePolicies = append(t.queuePolicies, QueuePolicy{r.queueOfURL(url), parsed})
	}
	return nil
}

// queueOfURL returns the ARN of the queue with the URL.
func (r *resolver) queueOfURL(url string) string {
	return r.arn("sqs", r.stack.Region, url[strings.LastIndexByte(url, '/')+1:])
}

func (r *resolver) readFunction(id string, properties map[string]any) (Function, error) {
	_, name, _, err := r.identify(id)
	if err != nil {
		return Function{}, err
	}
	// SAM would create roles, rules and permissions for these two.
	for _, property := range []string{"Events", "Policies"} {
		if properties[property] != nil {
			return Function{}, fmt.Errorf("property %s is not supported: write the resources that SAM would make of "+
				"it", property)
		}
	}
	f := Function{LogicalID: id, Name: name, ARN: r.arn("lambda", r.stack.Region, "function:"+name),
		Environment: map[string]string{}}
	f.RoleARN, _ = properties["Role"].(string)
	f.Runtime, _ = properties["Runtime"].(string)
	f.Handler, _ = properties["Handler"].(string)
	f.Traced = properties["Tracing"] == "Active"
	environment, _ := properties["Environment"].(map[string]any)
	variables, _ := environment["Variables"].(map[string]any)
	for variable, value := range variables {
		text, ok := value.(string)
		if !ok {
			return Function{}, fmt.Errorf("environment variable %s is %s, not a string", variable, describe(value))
		}
		f.Environment[variable] = text
	}
	return f, nil
}
