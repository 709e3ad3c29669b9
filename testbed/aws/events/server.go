// Package events emulates Amazon EventBridge (EventBridge API reference): the default bus of every account and region,
// its rules, and the delivery of events to Lambda functions, SQS queues, ECS tasks, and the buses of other accounts and
// regions.
// Schedules never fire.
package events

import (
	"context"
	"encoding/json"
	"sync"

	"deployer/testbed/aws/api"
	"deployer/testbed/aws/sqs"
)

// Queues are the SQS queues that rules send events to.
type Queues interface {
	// SendFromRule sends a message in the name of a rule. It reports false if the queue's policy does not allow that.
	SendFromRule(queueARN, ruleARN string, m sqs.Message) bool
}

// Tasks is Amazon ECS, which runs the tasks that are targets.
type Tasks interface {
	// RunTarget starts a task with the permissions of the target's role. It is called with the lock held.
	RunTarget(role api.Caller, cluster string, parameters, input json.RawMessage, startedBy string) *api.Error
}

// A Server is Amazon EventBridge in all accounts and regions. It is the [api.Publisher] of the other services.
type Server struct {
	backend *api.Backend
	iam     api.Authorizer
	queues  Queues
	tasks   Tasks // nil if there are none
	buses   map[api.Scope]*bus

	functions map[string]func(context.Context, []byte) error // by ARN
	running   int                                            // invocations of functions
	idle      *sync.Cond                                     // signaled when running is 0
}

// New returns an EventBridge without rules.
func New(backend *api.Backend, iam api.Authorizer, queues Queues) *Server {
	return &Server{
		backend: backend, iam: iam, queues: queues, buses: map[api.Scope]*bus{},
		functions: map[string]func(context.Context, []byte) error{}, idle: sync.NewCond(&backend.Mu),
	}
}

// RunTasks makes the tasks that are targets of rules run.
func (e *Server) RunTasks(tasks Tasks) { e.tasks = tasks }

// Operations returns the operations that are emulated.
func (e *Server) Operations() api.Operations {
	return api.Operations{
		"events:DescribeEventBus":  api.JSON(e.describeEventBus),
		"events:DescribeRule":      api.JSON(e.describeRule),
		"events:DisableRule":       api.JSON(e.setState(stateDisabled)),
		"events:EnableRule":        api.JSON(e.setState(stateEnabled)),
		"events:ListRules":         api.JSON(e.listRules),
		"events:ListTargetsByRule": api.JSON(e.listTargetsByRule),
		"events:PutEvents":         api.JSON(e.putEvents),
		"events:PutPermission":     api.JSON(e.putPermission),
		"events:PutRule":           api.JSON(e.putRule),
		"events:PutTargets":        api.JSON(e.putTargets),
		"events:TestEventPattern":  api.JSON(e.testEventPattern),
	}
}
