// Package scheduler emulates the part of Amazon EventBridge Scheduler that creates, reads, updates and deletes
// schedules of functions and ECS tasks (EventBridge Scheduler API reference; user guide, "Schedule types" and "Managing
// the schedule group"). One-time schedules of functions run when they are due;
// those of tasks only by [Server.Run].
package scheduler

import (
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"deployer/testbed/aws/api"
	"deployer/testbed/aws/sqs"
)

// Functions are the Lambda functions that schedules invoke.
type Functions interface {
	// Invoke starts an invocation with the lock held, and calls failed, also with the lock held, if it could not.
	Invoke(arn string, input []byte, failed func(code, message string))
}

// Tasks is Amazon ECS, which runs the tasks of schedules.
type Tasks interface {
	// RunTarget starts a task with the permissions of the schedule's role. It is called with the lock held.
	RunTarget(role api.Caller, cluster string, parameters, input json.RawMessage, startedBy string) *api.Error
}

// Queues are the queues that dead letters are sent to.
type Queues interface {
	// SendAs sends a message with the permissions of a caller. It is called with the lock held.
	SendAs(caller api.Caller, queueARN string, m sqs.Message) *api.Error
}

// A Server is EventBridge Scheduler in all accounts and regions.
type Server struct {
	backend   *api.Backend
	iam       api.Authorizer
	functions Functions
	tasks     Tasks
	queues    Queues
	groups    map[string]bool      // by ARN
	schedules map[string]*schedule // by ARN
}

// schedule is a schedule. Its members are as they were sent, with the defaults that EventBridge Scheduler returns.
type schedule struct {
	arn               string
	members           map[string]json.RawMessage
	created, modified time.Time
	at                time.Time // when it runs; zero if it never does
	target            target
}

// caller returns the role that invokes the target.
func (s *schedule) caller() api.Caller {
	_, scope, _, _ := api.SplitARN(s.arn)
	_, owner, role, _ := api.SplitARN(s.target.RoleArn)
	return api.Caller{Account: owner.Account, Region: scope.Region, Role: role[strings.LastIndex(role, "/")+1:]}
}

// New returns a Scheduler that has only the default groups.
func New(backend *api.Backend, iam api.Authorizer, functions Functions, tasks Tasks, queues Queues) *Server {
	return &Server{backend: backend, iam: iam, functions: functions, tasks: tasks, queues: queues,
		groups: map[string]bool{}, schedules: map[string]*schedule{}}
}

// Operations returns the operations that are emulated.
func (s *Server) Operations() api.Operations {
	return api.Operations{
		"scheduler:CreateSchedule":      api.JSON(s.createSchedule),
		"scheduler:CreateScheduleGroup": api.JSON(s.createScheduleGroup),
		"scheduler:DeleteSchedule":      api.JSON(s.deleteSchedule),
		"scheduler:GetSchedule":         api.JSON(s.getSchedule),
		"scheduler:UpdateSchedule":      api.JSON(s.updateSchedule),
	}
}

// IsRequest reports whether a request is for Scheduler, whose protocol names the operation by method and path.
func IsRequest(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/schedules/") || strings.HasPrefix(r.URL.Path, groups)
}

// operations are the operations by the method of their requests.
var operations = map[string]string{
	http.MethodGet: "GetSchedule", http.MethodPost: "CreateSchedule", http.MethodPut: "UpdateSchedule",
	http.MethodDelete: "DeleteSchedule",
}

// Parse returns the operation that a request calls and its input: the body with the name of the path and the group of
// the query.
func Parse(r *http.Request, body []byte) (operation string, input []byte) {
	if name, ok := strings.CutPrefix(r.URL.Path, groups); ok && r.Method == http.MethodPost {
		return "CreateScheduleGroup", slices.Concat([]byte(`{"name":`), api.Encode(name), []byte("}"))
	}
	name, ok := strings.CutPrefix(r.URL.Path, "/schedules/")
	operation = operations[r.Method]
	if !ok || operation == "" {
		return r.Method + " " + r.URL.Path, nil
	}
	if len(body) == 0 {
		body = []byte("{}")
	}
	return operation, slices.Concat([]byte(`{"name":`), api.Encode(name), []byte(`,"group":`),
		api.Encode(r.URL.Query().Get("groupName")), []byte(`,"body":`), body, []byte("}"))
}

// groups begins the paths of schedule groups.
const groups = "/schedule-groups/"

// createScheduleGroup creates a schedule group.
func (s *Server) createScheduleGroup(r *api.Request, in input) (any, *api.Error) {
	arn := r.Scope().ARN("scheduler", "schedule-group/"+in.Name)
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: arn}); err != nil {
		return nil, err
	}
	switch {
	case !nameForm.MatchString(in.Name):
		return nil, api.Validation("Invalid group %q.", in.Name)
	case s.groups[arn]:
		return nil, &api.Error{Status: http.StatusConflict, Code: "ConflictException",
			Message: "Schedule group " + in.Name + " already exists."}
	}
	s.groups[arn] = true
	return api.Object{"ScheduleGroupArn": arn}, nil
}

// CreateGroup creates a schedule group, if there is none of the name.
func (s *Server) CreateGroup(scope api.Scope, name string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.groups[scope.ARN("scheduler", "schedule-group/"+name)] = true
}

// Pending returns the times of the schedules that have not run, in order.
func (s *Server) Pending() (times []time.Time) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	for _, one := range s.schedules {
		if !one.at.IsZero() {
			times = append(times, one.at)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// Tick invokes the targets of the schedules that are due, in order. A schedule is deleted then, as its
// ActionAfterCompletion says.
func (s *Server) Tick() {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	var due []*schedule
	for arn, one := range s.schedules {
		if !one.at.IsZero() && !one.at.After(s.backend.Clock()) {
			due = append(due, one)
			delete(s.schedules, arn)
		}
	}
	slices.SortFunc(due, func(a, b *schedule) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.arn, b.arn)) })
	for _, one := range due {
		s.run(one)
	}
}

// run invokes the target of a schedule with its role (user guide, "Set up the execution role").
func (s *Server) run(one *schedule) {
	fail := func(code, message string) { s.deadLetter(one, code, message) }
	access := api.Access{Action: "lambda:InvokeFunction", Resource: one.target.Arn}
	if err := s.iam.Authorize(one.caller(), access); err != nil {
		fail("AccessDeniedException", err.Message)
		return
	}
	s.functions.Invoke(one.target.Arn, []byte(one.target.Input), fail)
}

// deadLetter sends what could not be delivered to the target's queue, with the schedule's role (user guide,
// "Configuring a schedule's dead-letter queue").
func (s *Server) deadLetter(one *schedule, code, message string) {
	queue := one.target.DeadLetterConfig.Arn
	if queue == "" {
		return
	}
	_ = s.queues.SendAs(one.caller(), queue, sqs.Message{Body: []byte(one.target.Input), Attributes: map[string]string{
		"ERROR_CODE": code, "ERROR_MESSAGE": message, "SCHEDULE_ARN": one.arn, "TARGET_ARN": one.target.Arn,
		"RETRY_ATTEMPTS": "0", "IS_PAYLOAD_TRUNCATED": "false",
		"SCHEDULED_TIME": one.at.UTC().Format("2006-01-02T15:04:05Z"),
	}}) // refused: the letter is lost
}

var nameForm = regexp.MustCompile(`^[0-9a-zA-Z-_.]{1,64}$`)
