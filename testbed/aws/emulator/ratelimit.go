package emulator

import "time"

// A rate is a token bucket's size and how many tokens it gains a second.
type rate struct {
	burst  float64
	refill float64
}

// ecsRates are the buckets of the ECS control plane, one of each for an account in a
// region, as the API reference gives them under "Request throttling".
var ecsRates = map[string]rate{
	"cluster modify":         {20, 1},
	"cluster read":           {50, 20},
	"service deployments":    {50, 20},
	"service modify":         {50, 5},
	"service read":           {100, 20},
	"service revisions":      {50, 20},
	"tag modify":             {20, 10},
	"tag read":               {50, 20},
	"task definition modify": {20, 1},
	"task definition read":   {50, 20},
	"task read":              {100, 20},
}

// ecsBuckets says which bucket an operation takes its token from.
var ecsBuckets = map[string]string{
	"ecs:CreateCluster":              "cluster modify",
	"ecs:DescribeClusters":           "cluster read",
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
	"ecs:UntagResource":              "tag modify",
	"ecs:ListTagsForResource":        "tag read",
	"ecs:RegisterTaskDefinition":     "task definition modify",
	"ecs:DeregisterTaskDefinition":   "task definition modify",
	"ecs:DescribeTaskDefinition":     "task definition read",
	"ecs:ListTaskDefinitions":        "task definition read",
	"ecs:DescribeTasks":              "task read",
	"ecs:ListTasks":                  "task read",
}

type bucketKey struct {
	scopeKey
	name string
}

// A bucket holds the tokens that were left at a time.
type bucket struct {
	tokens float64
	at     time.Time
}

// LimitRates makes ECS throttle from now on as Options.RateLimits does, from full buckets.
func (e *Emulator) LimitRates() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rateLimits = true
}

// throttle takes a token for the call, if rates are limited at all.
func (e *Emulator) throttle(r *request) *Error {
	name, limited := ecsBuckets[r.name()]
	if !e.rateLimits || !limited {
		return nil
	}
	limit := ecsRates[name]
	key := bucketKey{r.key(), name}
	b, ok := e.buckets[key]
	if !ok {
		b = &bucket{tokens: limit.burst, at: r.now}
		e.buckets[key] = b
	}
	b.tokens = min(limit.burst, b.tokens+limit.refill*r.now.Sub(b.at).Seconds())
	b.at = r.now
	if b.tokens < 1 {
		return Throttled()
	}
	b.tokens--
	return nil
}
