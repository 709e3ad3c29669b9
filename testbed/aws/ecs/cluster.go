package ecs

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"deployer/testbed/aws/api"
)

// A cluster is an ECS cluster.
type cluster struct {
	scope    api.Scope
	name     string
	services map[string]*service
	tags     []tag
	tasks    []*task        // that RunTask started
	ran      map[string]ran // by the client token of RunTask
}

// defaultCluster is the cluster of requests that name none.
const defaultCluster = "default"

// maxName is how many characters the name of a cluster, a service or a family may have.
const maxName = 255

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// IsName reports whether a cluster, a service or a family may have the name.
func IsName(name string) bool { return len(name) <= maxName && nameForm.MatchString(name) }

func clusterARN(scope api.Scope, name string) string { return scope.ARN("ecs", "cluster/"+name) }

// clusterName returns the name of the cluster that a request refers to by name or ARN. The cluster need not exist.
func clusterName(r *api.Request, reference string) (string, *api.Error) {
	if reference == "" {
		return defaultCluster, nil
	}
	if !strings.HasPrefix(reference, "arn:") {
		return reference, nil
	}
	service, owner, resource, _ := api.SplitARN(reference)
	name, ok := strings.CutPrefix(resource, "cluster/")
	if service != "ecs" || owner != r.Scope() || !ok {
		return "", errClusterNotFound
	}
	return name, nil
}

// findCluster returns the cluster with the name in the caller's account and region.
func (e *Server) findCluster(r *api.Request, name string) (*cluster, *api.Error) {
	c, ok := e.account(r.Scope()).clusters[name]
	if !ok {
		return nil, errClusterNotFound
	}
	return c, nil
}

func (c *cluster) describe() api.Object {
	running, pending, active := 0, 0, 0
	for _, s := range c.services {
		if s.status == statusActive {
			active++
		}
		for _, d := range s.deployments {
			running += d.running
			pending += d.pending
		}
	}
	return api.Object{
		"clusterArn":                        clusterARN(c.scope, c.name),
		"clusterName":                       c.name,
		"status":                            statusActive,
		"registeredContainerInstancesCount": 0,
		"runningTasksCount":                 running,
		"pendingTasksCount":                 pending,
		"activeServicesCount":               active,
		"statistics":                        []api.Object{},
		"settings":                          []api.Object{},
		"capacityProviders":                 []string{},
		"defaultCapacityProviderStrategy":   []api.Object{},
		"tags":                              api.NonNil(c.tags),
	}
}

type createClusterInput struct {
	Name string `json:"clusterName"`
	Tags []tag  `json:"tags"`
}

func (e *Server) createCluster(r *api.Request, in createClusterInput) (any, *api.Error) {
	if in.Name == "" {
		in.Name = defaultCluster
	}
	if !IsName(in.Name) {
		return nil, api.InvalidParameter("Invalid cluster name: %s", in.Name)
	}
	context := addRequestTags(nil, in.Tags)
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: "*", Context: context}); err != nil {
		return nil, err
	}
	if err := e.authorizeTagging(r, clusterARN(r.Scope(), in.Name), in.Tags); err != nil {
		return nil, err
	}
	clusters := e.account(r.Scope()).clusters
	c, ok := clusters[in.Name]
	if !ok {
		c = &cluster{scope: r.Scope(), name: in.Name, services: map[string]*service{}, tags: in.Tags,
			ran: map[string]ran{}}
		clusters[in.Name] = c
	}
	return api.Object{"cluster": c.describe()}, nil
}

type listClustersInput struct {
	api.Paging
}

func (e *Server) listClusters(r *api.Request, in listClustersInput) (any, *api.Error) {
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: "*"}); err != nil {
		return nil, err
	}
	arns := []string{}
	for _, name := range slices.Sorted(maps.Keys(e.account(r.Scope()).clusters)) {
		arns = append(arns, clusterARN(r.Scope(), name))
	}
	arns, next, err := api.Page(arns, in.Paging, 100, 100)
	if err != nil {
		return nil, err
	}
	return api.WithToken(api.Object{"clusterArns": arns}, next), nil
}
