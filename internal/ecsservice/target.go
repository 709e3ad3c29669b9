package ecsservice

import (
	"fmt"
	"strconv"
	"strings"

	"deployer/internal/environment"
)

// Target is where an image is to run: an ECS service, by the names that the
// environment file gives or implies.
type Target struct {
	File     string // the environment file, for hints
	Workload string // as events name it
	Cluster  string
	Service  string // the ECS service
	Family   string // the conventional task definition family; the one that the service runs takes precedence
	// Repository is the ECR repository of the workload's images, by which its
	// container is recognized; Container is the container's conventional name.
	Repository string
	Container  string
	Base       environment.Base
}

// TargetOf returns the target of a workload that runs as an ECS service.
func TargetOf(env *environment.Environment, w environment.Workload) Target {
	return Target{File: env.File, Workload: w.Name, Cluster: env.Cluster, Service: w.Pointer.Name(), Family: w.Family,
		Repository: w.Repository, Container: w.Container, Base: env.Base}
}

// describing is the operation that faults of reading the service name.
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
