package environment

import "deployer/internal/image"

// Kind says what a workload is, and so by which names it goes.
type Kind string

// The kinds of workload.
const (
	Backend       Kind = "backend"              // the project's main service
	Service       Kind = "service"              // one of `services`
	ScheduledTask Kind = "scheduled task"       // one of `scheduled_tasks`
	EventTask     Kind = "event processor task" // one of `event_processor_tasks`
)

// BackendName is the name by which events and people call the backend.
const BackendName = "backend"

// Services are the kinds that run as an ECS service, Tasks those that do not.
var (
	Services = []Kind{Backend, Service}
	Tasks    = []Kind{ScheduledTask, EventTask}
)

// Workload is something of the environment that runs an image.
type Workload struct {
	Kind Kind
	Name string // as events name it: "backend", or the `name` in the file

	Repository string         // the ECR repository of its images; "" if they come from outside ECR
	Registry   image.Registry // of a repository named by its URI; zero means the strategy's
	External   string         // the image from outside ECR, if it has one

	ECSService string // the ECS service's name; "" for a task
	Family     string // the conventional task definition family
	Container  string // the conventional name of the application's container
}

// named returns the workload of a kind with its conventional names.
func (e *Environment) named(kind Kind, name string) Workload {
	w := Workload{Kind: kind, Name: name}
	switch kind {
	case Backend:
		w.Repository = e.Project + "_backend"
		w.ECSService = e.Project + "_service_" + e.Name
		w.Family, w.Container = w.ECSService, w.ECSService
	case Service:
		w.Repository = e.Project + "_service_" + name
		w.ECSService = e.Project + "_service_" + name + "_" + e.Name
		w.Family, w.Container = w.ECSService, w.ECSService
	default:
		w.Repository = e.Project + "_task_" + name
		w.Family = name
		w.Container = e.Project + "_container_" + name + "_" + e.Name
	}
	return w
}
