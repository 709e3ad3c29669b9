// Package ecs emulates Amazon ECS (ECS API reference): clusters, task definitions, services, their deployments and
// tasks. Rollouts advance with the emulator's clock, a step at a time; see [Options].
package ecs

import (
	"maps"
	"slices"
	"strings"
	"time"

	"deployer/testbed/aws/api"
)

// Options are the options of [New].
type Options struct {
	RolloutStep time.Duration // how long each phase of a rollout lasts
	BakeMinute  time.Duration // how long a minute of a deployment's bake time lasts
}

// Registries are the ECR registries that tasks pull images from.
type Registries interface {
	// Digest returns the digest that an image reference resolves to; "" if there is no such image.
	Digest(reference string) string
	// Pullable reports whether a task can pull the image. Images of registries outside ECR always can.
	Pullable(reference string) bool
	// ExitCode returns the code with which the image's program exits at once; 0 if it runs.
	ExitCode(reference string) int
	// Hosts reports whether an image reference is of an ECR registry.
	Hosts(reference string) bool
}

// A Server is Amazon ECS in all accounts and regions.
type Server struct {
	backend      *api.Backend
	registries   Registries
	events       api.Publisher
	iam          api.Authorizer
	options      Options
	accounts     map[api.Scope]*account
	brokenImages []string
	failureDelay time.Duration
	logs         Logs // nil for none
	output       []output
	noCapacity   string // why RunTask places no task; "" if it does
}

// An account is what one account holds in one region.
type account struct {
	clusters map[string]*cluster
	families map[string]*family // of task definitions
}

// New returns an ECS without clusters and task definitions.
func New(backend *api.Backend, registries Registries, events api.Publisher, iam api.Authorizer, o Options) *Server {
	return &Server{backend: backend, registries: registries, events: events, iam: iam, options: o,
		accounts: map[api.Scope]*account{}}
}

// account returns what a scope holds.
func (e *Server) account(scope api.Scope) *account {
	a, ok := e.accounts[scope]
	if !ok {
		a = &account{clusters: map[string]*cluster{}, families: map[string]*family{}}
		e.accounts[scope] = a
	}
	return a
}

// Operations returns the operations that are emulated.
func (e *Server) Operations() api.Operations {
	return api.Operations{
		"ecs:ContinueServiceDeployment":  api.JSON(e.continueServiceDeployment),
		"ecs:CreateCluster":              api.JSON(e.createCluster),
		"ecs:CreateService":              api.JSON(e.createService),
		"ecs:DeleteService":              api.JSON(e.deleteService),
		"ecs:DeregisterTaskDefinition":   api.JSON(e.deregisterTaskDefinition),
		"ecs:DescribeServiceDeployments": api.JSON(e.describeServiceDeployments),
		"ecs:DescribeServiceRevisions":   api.JSON(e.describeServiceRevisions),
		"ecs:DescribeServices":           api.JSON(e.describeServices),
		"ecs:DescribeTaskDefinition":     api.JSON(e.describeTaskDefinition),
		"ecs:DescribeTasks":              api.JSON(e.describeTasks),
		"ecs:ListClusters":               api.JSON(e.listClusters),
		"ecs:ListServiceDeployments":     api.JSON(e.listServiceDeployments),
		"ecs:ListServices":               api.JSON(e.listServices),
		"ecs:ListTagsForResource":        api.JSON(e.listTagsForResource),
		"ecs:ListTaskDefinitions":        api.JSON(e.listTaskDefinitions),
		"ecs:ListTasks":                  api.JSON(e.listTasks),
		"ecs:RegisterTaskDefinition":     api.JSON(e.registerTaskDefinition),
		"ecs:RunTask":                    api.JSON(e.runTask),
		"ecs:StopServiceDeployment":      api.JSON(e.stopServiceDeployment),
		"ecs:TagResource":                api.JSON(e.tagResource),
		"ecs:UpdateService":              api.JSON(e.updateService),
	}
}

// FailImage makes every task fail to become healthy that has a container whose image reference contains part, from its
// next attempt on.
func (e *Server) FailImage(part string) {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	e.brokenImages = append(e.brokenImages, part)
}

// Tick advances every rollout and task to the clock's time, so that its events are sent even if no one describes it.
func (e *Server) Tick() {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	for _, c := range e.sortedClusters() {
		e.advanceTasks(c)
	}
	for _, s := range e.sortedServices() {
		e.advance(s)
	}
}

// sortedClusters returns the clusters of all accounts, sorted by ARN.
func (e *Server) sortedClusters() []*cluster {
	var all []*cluster
	for _, a := range e.accounts {
		all = slices.AppendSeq(all, maps.Values(a.clusters))
	}
	slices.SortFunc(all, func(a, b *cluster) int {
		return strings.Compare(clusterARN(a.scope, a.name), clusterARN(b.scope, b.name))
	})
	return all
}

// sortedServices returns the services of all accounts, sorted by ARN.
func (e *Server) sortedServices() []*service {
	var all []*service
	for _, a := range e.accounts {
		for _, c := range a.clusters {
			all = slices.AppendSeq(all, maps.Values(c.services))
		}
	}
	slices.SortFunc(all, func(a, b *service) int { return strings.Compare(a.arn(), b.arn()) })
	return all
}

// publish sends an event of ECS.
func (e *Server) publish(scope api.Scope, at time.Time, detailType string, resources []string, detail api.Object) {
	e.events.Publish(api.Event{
		Scope: scope, Time: at, Source: "aws.ecs", DetailType: detailType, Resources: resources, Detail: detail,
	})
}
