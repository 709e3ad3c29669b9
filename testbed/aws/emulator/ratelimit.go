package emulator

import (
	"time"

	"deployer/testbed/aws/api"
)

// A rate is a token bucket's size and how many tokens it gains a second.
type rate struct {
	burst  float64
	refill float64
}

// ecsRates are the token buckets of ECS, each for one account in one region (ECS API reference, "Request throttling for
// the Amazon ECS API").
var ecsRates = map[string]rate{
	"cluster modify":         {20, 1},
	"cluster read":           {50, 20},
	"service deployments":    {50, 20},
	"service revisions":      {50, 20},
	"service modify":         {50, 5},
	"service read":           {100, 20},
	"tag modify":             {20, 10},
	"tag read":               {50, 20},
	"task definition modify": {20, 1},
	"task definition read":   {50, 20},
	"task read":              {100, 20},
}

// ecsBuckets are the buckets that operations take their tokens from.
var ecsBuckets = map[string]string{
	"ecs:CreateCluster":              "cluster modify",
	"ecs:ListClusters":               "cluster read",
	"ecs:CreateService":              "service modify",
	"ecs:UpdateService":              "service modify",
	"ecs:DeleteService":              "service modify",
	"ecs:DescribeServices":           "service read",
	"ecs:ListServices":               "service read",
	"ecs:ContinueServiceDeployment":  "service deployments",
	"ecs:DescribeServiceDeployments": "service deployments",
	"ecs:ListServiceDeployments":     "service deployments",
	"ecs:StopServiceDeployment":      "service deployments",
	"ecs:DescribeServiceRevisions":   "service revisions",
	"ecs:TagResource":                "tag modify",
	"ecs:ListTagsForResource":        "tag read",
	"ecs:RegisterTaskDefinition":     "task definition modify",
	"ecs:DeregisterTaskDefinition":   "task definition modify",
	"ecs:DescribeTaskDefinition":     "task definition read",
	"ecs:ListTaskDefinitions":        "task definition read",
	"ecs:DescribeTasks":              "task read",
	"ecs:ListTasks":                  "task read",
}

type bucketKey struct {
	scope api.Scope
	name  string
}

// A bucket is how many tokens were left at a time.
type bucket struct {
	tokens float64
	at     time.Time
}

// LimitRates makes ECS throttle calls from now on as documented. The buckets are full.
func (e *Emulator) LimitRates() {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	e.limited = true
}

// throttle takes a token for the call if rates are limited. It returns an error if there is none.
func (e *Emulator) throttle(r *api.Request) *api.Error {
	name, known := ecsBuckets[r.Name()]
	if !e.limited || !known {
		return nil
	}
	limit := ecsRates[name]
	key := bucketKey{r.Scope(), name}
	b, ok := e.buckets[key]
	if !ok {
		b = &bucket{tokens: limit.burst, at: r.Now}
		e.buckets[key] = b
	}
	b.tokens = min(limit.burst, b.tokens+limit.refill*r.Now.Sub(b.at).Seconds())
	b.at = r.Now
	if b.tokens < 1 {
		return api.ErrThrottled
	}
	b.tokens--
	return nil
}
