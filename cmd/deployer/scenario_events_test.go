package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// intercept calls act and returns the events for an environment's function that it
// caused. The function does not get them.
func (s *scenario) intercept(t *testing.T, env string, act func()) (events [][]byte) {
	t.Helper()
	var mu sync.Mutex
	s.handle(env, func(_ context.Context, event []byte) error {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, event)
		return nil
	})
	act()
	must(t, s.aws.Drain(t.Context()))
	s.deliver(env)
	slices.SortStableFunc(events, byOccurrence)
	return events
}

// unhandled calls act. No function gets the events that it causes.
func (s *scenario) unhandled(t *testing.T, act func()) {
	t.Helper()
	for env := range s.cloud.Functions {
		s.handle(env, func(context.Context, []byte) error { return nil })
	}
	act()
	must(t, s.aws.Drain(t.Context()))
}

// handle makes f handle the events for an environment's function.
func (s *scenario) handle(env string, f func(context.Context, []byte) error) {
	s.aws.HandleLambda("arn:aws:lambda:us-east-1:"+s.cloud.Accounts[env].ID+":function:myproject_deployer_"+env, f)
}

// deliver delivers the events for an environment's function to it.
func (s *scenario) deliver(env string) {
	s.handle(env, func(_ context.Context, event []byte) error {
		_, err := s.cloud.Functions[env].InvokeAsync(event)
		return err
	})
}

// byOccurrence compares events by their time. Of the same second, a lifecycle hook's event comes first: the end of a
// hook is the cause of what happens to its deployment.
func byOccurrence(a, b []byte) int {
	key := func(event []byte) string {
		var e struct {
			Time string `json:"time"`
			Type string `json:"detail-type"`
		}
		if err := json.Unmarshal(event, &e); err != nil {
			return ""
		}
		return e.Time + map[bool]string{true: "0", false: "1"}[e.Type == "ECS Hook State Change"]
	}
	return cmp.Compare(key(a), key(b))
}

// deployTwo deploys v2, and v3 while the rollout of v2 is in progress.
func (s *scenario) deployTwo(t *testing.T) {
	t.Helper()
	for i, tag := range []string{"v2", "v3"} {
		s.push(t, tag)
		at := s.start.Add(time.Duration(i) * time.Second)
		s.invoke(t, []byte(deployEventAt(at, "of-"+tag, "action.production", deployTo(tag))))
		must(t, s.aws.Drain(t.Context()))
	}
}

// deploymentID returns the id of the backend's newest deployment.
func (s *scenario) deploymentID(t *testing.T) string {
	t.Helper()
	in := &ecs.DescribeServicesInput{Cluster: aws.String(prodCluster), Services: []string{prodBackend}}
	out, err := s.prod.ECS.DescribeServices(t.Context(), in)
	must(t, err)
	return *out.Services[0].Deployments[0].Id
}

// invokeWithStep sends prod's function an event of ECS about a deployment of the backend.
func (s *scenario) invokeWithStep(t *testing.T, step, deploymentID string) {
	t.Helper()
	s.invoke(t, fmt.Appendf(nil, `{"id":"e2","detail-type":"ECS Deployment State Change","source":"aws.ecs",
		"account":"333333333333","time":%q,"region":"us-east-1",
		"resources":["arn:aws:ecs:us-east-1:333333333333:service/myproject_cluster_prod/myproject_service_prod"],
		"detail":{"eventName":%q,"deploymentId":%q,"reason":"of this test"}}`,
		s.clock.Now().Format(time.RFC3339), step, deploymentID))
}

// deployTo returns the detail of a DEPLOY event for a tag of prod's backend. Its
// reason has characters that channels must escape.
func deployTo(tag string) string {
	return `{"service":"backend","tag":"` + tag + `","actor":"ada","reason":"fix \"it\" <!channel>\nsoon"}`
}
