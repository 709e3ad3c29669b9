package environment

import (
	"slices"
	"strings"

	"deployer/internal/image"
)

// Kind is the kind of a workload. The conventional names follow from it.
type Kind string

// The kinds of workload.
const (
	Backend       Kind = "backend"              // the project's main service
	Service       Kind = "service"              // an item of `services`
	ScheduledTask Kind = "scheduled task"       // an item of `scheduled_tasks`
	EventTask     Kind = "event processor task" // an item of `event_processor_tasks`
)

// BackendName is the name of the backend in events and commands.
const BackendName = "backend"

// Services are the kinds that run as an ECS service, Tasks those that do not.
var (
	Services = []Kind{Backend, Service}
	Tasks    = []Kind{ScheduledTask, EventTask}
)

// Workload is a service or task of the environment.
type Workload struct {
	Kind Kind
	// Name is the name in events: "backend", or `name` in the file. That of a service
	// which the file calls backend is "service:backend".
	Name string

	OptOut   string // the setting by which no push deploys the workload; "" if pushes do
	Disabled string // the setting by which the workload does not exist in AWS; "" if it does

	// Repository is the ECR repository of the workload's images, Registry the
	// registry that holds it, and RegistryReason what decides that registry: the
	// strategy, ecr_config, or the image that the file names. All three are zero if the
	// image is not in ECR. Registry.AccountID may be "" until [Environment.In].
	Repository     string
	Registry       image.Registry
	RegistryReason string
	External       string // the image, if it is not in ECR

	Pointer   Pointer      // the ECS service that a deployment moves; nil for a task
	Pointers  TaskPointers // what starts a task, and a deployment moves; none for a service
	Family    string       // the conventional task definition family
	Container string       // the conventional name of the container that runs the image

	StartRoles RoleNames // the roles of the pointers, if the file names them: see [Environment.StartRoles]

	// Containers are the containers that the file names: they alone get the image.
	// Without them, see ecsservice.Target.
	Containers Containers
}

// Containers are the names of containers, separated by commas, which no name contains.
// It is not a slice, so that workloads can be compared.
type Containers string

// Names returns the names, none for the zero value.
func (c Containers) Names() []string {
	if c == "" {
		return nil
	}
	return strings.Split(string(c), ",")
}

// Noun returns what the workload is, with its article: "a service" for the backend too.
func (w Workload) Noun() string {
	switch w.Kind {
	case Backend, Service:
		return "a service"
	case EventTask:
		return "an " + string(w.Kind)
	}
	return "a " + string(w.Kind)
}

// Label returns the name of the workload that no other one has: "task:NAME" for a task,
// because a service may have the same name. Results and outcomes have it, and events and
// commands take it.
func (w Workload) Label() string {
	if slices.Contains(Tasks, w.Kind) {
		return TaskPrefix + w.Name
	}
	return w.Name
}

// HasService reports whether the workload runs as an ECS service. If it does not, it is a
// task.
func (w Workload) HasService() bool { return w.Pointer != nil }

// Deployable reports whether the workload is one that the deployer can deploy: a service or
// a task, and not the zero value of an event that names none.
func (w Workload) Deployable() bool { return w.Pointer != nil || slices.Contains(Tasks, w.Kind) }

// DeploysOnPush reports whether a push of an image to the workload's repository can deploy it.
func (w Workload) DeploysOnPush() bool { return w.Deployable() && w.Repository != "" && w.OptOut == "" }

// Roles returns the conventional names of a workload's task role and task execution role,
// which its revisions name.
func (e *Environment) Roles(w Workload) []string {
	owner := e.Project + "_backend"
	switch w.Kind {
	case Backend:
	case Service:
		owner = e.Project + "_service_" + strings.TrimPrefix(w.Name, ServicePrefix)
	default:
		return []string{e.Project + "_" + w.Name + "_task_" + e.Name,
			e.Project + "_scheduler_" + w.Name + "_task_execution_" + e.Name}
	}
	return []string{owner + "_task_" + e.Name, owner + "_task_execution_" + e.Name}
}

// Reference returns the image reference of tag in the workload's repository.
func (w Workload) Reference(tag string) image.Reference {
	return image.Reference{Host: w.Registry.Host(), Repository: w.Repository, Tag: tag}
}

// conventional returns a workload with its conventional names.
func (e *Environment) conventional(kind Kind, name string) Workload {
	w := Workload{Kind: kind, Name: name}
	switch kind {
	case Backend:
		w.Repository = e.Project + "_backend"
		w.runAs(e.Project + "_service_" + e.Name)
	case Service:
		w.Repository = e.Project + "_service_" + name
		w.runAs(e.Project + "_service_" + name + "_" + e.Name)
		if name == BackendName {
			w.Name = ServicePrefix + name
		}
	default:
		w.Repository = e.Project + "_task_" + name
		w.Family = name
		w.Container = e.Project + "_container_" + name + "_" + e.Name
	}
	return w
}

// runAs gives the workload an ECS service, whose family and container have the
// service's name by convention.
func (w *Workload) runAs(service string) {
	w.Pointer, w.Family, w.Container = ECSService(service), service, service
}
