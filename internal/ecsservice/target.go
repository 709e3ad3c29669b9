package ecsservice

import (
	"fmt"
	"strconv"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// Target is what an image is deployed to: an ECS service, or a task. Its names are those
// that the environment file contains or implies.
type Target struct {
	File   string // the environment file, for hints
	ByName bool   // hints name the environment, not its file

	Environment string // its name, for hints
	Workload    string // the name in events
	Cluster     string
	Service     string // of a task, what its journals name

	Task     bool                     // it is a task: Pointers start it, and it has no ECS service
	Pointers environment.TaskPointers // of a task
	Region   string                   // of a task's pointers
	Account  string                   // of a task's pointers; "" if it is not known
	// StartRoles are the ARNs of the roles that start tasks, for hints about a task's pointers.
	StartRoles []string

	// Family is the conventional task definition family. If the service runs
	// another one, that one is used.
	Family string
	// Repository is the ECR repository of the workload's images in Registry, and
	// Container the conventional name of the container that runs them. Named are
	// the containers that the environment file names: see [Target.Containers].
	Repository string
	Registry   image.Registry
	Container  string
	Named      []string
	Base       environment.Base // the revision that deployments clone
}

// TargetOf returns the target of a workload.
func TargetOf(env *environment.Environment, w environment.Workload) Target {
	t := Target{File: env.File, ByName: env.ByName, Environment: env.Name, Workload: w.Label(),
		Cluster: env.Cluster, Family: w.Family, Repository: w.Repository, Registry: w.Registry,
		Container: w.Container, Named: w.Containers.Names(), Base: env.Base}
	if !w.HasService() {
		return taskTarget(t, env, w)
	}
	t.Service = w.Pointer.Name()
	return t
}

// Command returns a command of the deployer for the target's workload, for
// hints: "deployer history -f dev.yaml web" for "history".
func (t Target) Command(name string) string {
	return environment.CommandFor(t.ByName, t.Environment, t.File, name, t.Workload)
}

// describing returns the operation of reading the service, for faults.
func (t Target) describing() string {
	return fmt.Sprintf("describing service %q in cluster %q", t.Service, t.Cluster)
}

// FamilyOf returns the family in a revision's ARN or family:revision name.
func FamilyOf(arn string) string {
	_, family, ok := strings.Cut(arn, "/")
	if !ok {
		family = arn
	}
	family, _, _ = strings.Cut(family, ":")
	return family
}

// NumberOf returns the number in a revision's ARN or family:revision name, 0
// if it has none.
func NumberOf(arn string) int {
	n, _ := strconv.Atoi(arn[strings.LastIndexByte(arn, ':')+1:])
	return n
}

// Sibling returns the ARN of another revision of the family of the revision
// with the given ARN.
func Sibling(arn string, number int) string {
	return arn[:strings.LastIndexByte(arn, ':')+1] + strconv.Itoa(number)
}
