package emulator

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A cluster is an ECS cluster.
type cluster struct {
	scopeKey
	name     string
	services map[string]*service
	tags     []tag
}

// defaultCluster is what a request means that names none.
const defaultCluster = "default"

var clusterNameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

func (k scopeKey) clusterARN(name string) string { return k.arn("ecs", "cluster/"+name) }

func errClusterNotFound() *Error {
	return badRequest("ClusterNotFoundException", "Cluster not found.")
}

// clusterName returns the name of the cluster that a request refers to by its name or
// its ARN, without looking whether there is one.
func (r *request) clusterName(reference string) (string, *Error) {
	if reference == "" {
		return defaultCluster, nil
	}
	if !strings.HasPrefix(reference, "arn:") {
		return reference, nil
	}
	service, key, resource, _ := splitARN(reference)
	name, ok := strings.CutPrefix(resource, "cluster/")
	if service != "ecs" || key != r.key() || !ok {
		return "", errClusterNotFound()
	}
	return name, nil
}

// findCluster returns the cluster of the caller's with the name.
func (e *Emulator) findCluster(r *request, name string) (*cluster, *Error) {
	c, ok := e.scope(r.account, r.region).clusters[name]
	if !ok {
		return nil, errClusterNotFound()
	}
	return c, nil
}

func (c *cluster) describe() object {
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
	return object{
		"clusterArn":                        c.clusterARN(c.name),
		"clusterName":                       c.name,
		"status":                            statusActive,
		"registeredContainerInstancesCount": 0,
		"runningTasksCount":                 running,
		"pendingTasksCount":                 pending,
		"activeServicesCount":               active,
		"statistics":                        []object{},
		"settings":                          []object{},
		"capacityProviders":                 []string{},
		"defaultCapacityProviderStrategy":   []object{},
		"tags":                              nonNil(c.tags),
	}
}

// nonNil returns the slice, or an empty one for nil, which JSON writes as [].
func nonNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

type createClusterInput struct {
	Name string `json:"clusterName"`
	Tags []tag  `json:"tags"`
}

func (e *Emulator) createCluster(r *request, in createClusterInput) (any, *Error) {
	if in.Name == "" {
		in.Name = defaultCluster
	}
	if !clusterNameForm.MatchString(in.Name) {
		return nil, errInvalidParameter("Invalid cluster name: %s", in.Name)
	}
	if err := e.authorize(r, access{action: r.name(), resource: "*", context: addRequestTags(nil, in.Tags)}); err != nil {
		return nil, err
	}
	if err := e.authorizeTagging(r, r.key().clusterARN(in.Name), in.Tags); err != nil {
		return nil, err
	}
	clusters := e.scope(r.account, r.region).clusters
	c, ok := clusters[in.Name]
	if !ok {
		c = &cluster{scopeKey: r.key(), name: in.Name, services: map[string]*service{}, tags: in.Tags}
		clusters[in.Name] = c
	}
	return object{"cluster": c.describe()}, nil
}

type describeClustersInput struct {
	Clusters []string `json:"clusters"`
}

func (e *Emulator) describeClusters(r *request, in describeClustersInput) (any, *Error) {
	if len(in.Clusters) == 0 {
		in.Clusters = []string{defaultCluster}
	}
	described, failures := []object{}, []object{}
	for _, reference := range in.Clusters {
		name, err := r.clusterName(reference)
		if err != nil {
			name = reference
		}
		arn := r.key().clusterARN(name)
		if err := e.authorize(r, access{action: r.name(), resource: arn}); err != nil {
			return nil, err
		}
		c, err := e.findCluster(r, name)
		if err != nil {
			failures = append(failures, object{"arn": arn, "reason": "MISSING"})
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(c.services)) {
			e.advance(c.services[name])
		}
		described = append(described, c.describe())
	}
	return object{"clusters": described, "failures": failures}, nil
}

type listClustersInput struct {
	paging
}

func (e *Emulator) listClusters(r *request, in listClustersInput) (any, *Error) {
	if err := e.authorize(r, access{action: r.name(), resource: "*"}); err != nil {
		return nil, err
	}
	arns := []string{}
	for _, name := range slices.Sorted(maps.Keys(e.scope(r.account, r.region).clusters)) {
		arns = append(arns, r.key().clusterARN(name))
	}
	arns, next, err := page(arns, in.paging, 100, 100)
	if err != nil {
		return nil, err
	}
	return withToken(object{"clusterArns": arns}, next), nil
}

// sortedServices are the services of all accounts, in an order that is always the same.
func (e *Emulator) sortedServices() []*service {
	var all []*service
	for _, s := range e.scopes {
		for _, c := range s.clusters {
			for _, svc := range c.services {
				all = append(all, svc)
			}
		}
	}
	slices.SortFunc(all, func(a, b *service) int { return strings.Compare(a.arn(), b.arn()) })
	return all
}

// seconds is the form of times in events: whole seconds, in UTC.
func seconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
