package ecs_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const devQueue = "arn:aws:sqs:us-east-1:111111111111:events"

func TestDeploymentEvents(t *testing.T) {
	t.Parallel()
	w := newService(t, rollback)
	w.AWS.Tick()
	w.Rule(t, dev, `{"source":["aws.ecs"]}`, devQueue, "")
	w.AWS.FailImage("broken")
	w.Register(t, dev, "web", "nginx:broken")
	w.update(t, "web")
	w.Clock.Advance(time.Hour)
	w.AWS.Tick()
	event := func(at, kind, name, id, reason string) string {
		return `{"version":"0","id":"ID","detail-type":"ECS Deployment State Change","source":"aws.ecs",` +
			`"account":"111111111111","time":"2026-01-22T` + at + `Z","region":"us-east-1",` +
			`"resources":["arn:aws:ecs:us-east-1:111111111111:service/c/web"],` +
			`"detail":{"deploymentId":"` + id + `","eventName":"SERVICE_DEPLOYMENT_` + name + `","eventType":"` + kind +
			`","reason":"` + reason + `","updatedAt":"2026-01-22T` + at + `Z"}}`
	}
	want := []string{
		event("09:32:00", "INFO", "IN_PROGRESS", "d1", "ECS deployment d1 in progress."),
		event("09:34:00", "ERROR", "FAILED", "d1", "ECS deployment circuit breaker: tasks failed to start."),
		event("09:34:00", "INFO", "IN_PROGRESS", "d2", "ECS deployment circuit breaker: rolling back to deploymentId "+
			"d3."),
		event("09:36:00", "INFO", "COMPLETED", "d2", "ECS deployment d2 completed."),
	}
	var got []string
	n := names{}
	for _, body := range w.Bodies(t, devQueue) {
		got = append(got, n.replace(body))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestImpairedService: ECS reports once that the tasks of a service keep failing. Without the circuit breaker there are
// no other events.
func TestImpairedService(t *testing.T) {
	t.Parallel()
	const breaker = `,"deploymentConfiguration":{"deploymentCircuitBreaker":{"enable":true,"rollback":false}}`
	impaired := func(at string) string {
		return `{"version":"0","id":"ID","detail-type":"ECS Service Action","source":"aws.ecs",` +
			`"account":"111111111111","time":"2026-01-22T` + at + `Z","region":"us-east-1",` +
			`"resources":["arn:aws:ecs:us-east-1:111111111111:service/c/web"],` +
			`"detail":{"clusterArn":"arn:aws:ecs:us-east-1:111111111111:cluster/c","createdAt":"2026-01-22T` + at +
			`.000Z","eventName":"SERVICE_TASK_START_IMPAIRED","eventType":"WARN"}}`
	}
	tests := []struct {
		name, more, image string
		desired           int
		each              time.Duration // between two calls of Tick
		want              []string
	}{
		{"advanced once", "", "nginx:broken", 2, time.Hour, []string{impaired("09:35:00")}},
		{"advanced often", "", "nginx:broken", 2, time.Minute, []string{impaired("09:35:00")}},
		{"before the breaker triggers", breaker, "nginx:broken", 8, time.Minute, nil}, // it triggers at once
		{"as the breaker triggers", breaker, "nginx:broken", 1, time.Minute, []string{impaired("09:35:00")}},
		{"one task that cannot pull its image", breaker, registryImage + ":gone", 1, time.Minute,
			[]string{impaired("09:35:00")}},
		{"tasks that cannot pull their image", breaker, registryImage + ":gone", 2, time.Minute,
			[]string{impaired("09:34:00")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newService(t, tt.more)
			w.Do(t, dev, "ecs:UpdateService", fmt.Sprintf(`{"cluster":"c","service":"web","desiredCount":%d}`,
				tt.desired))
			w.Rule(t, dev, `{"source":["aws.ecs"],"detail-type":["ECS Service Action"]}`, devQueue, "")
			w.AWS.FailImage("broken")
			w.Register(t, dev, "web", tt.image)
			w.update(t, "web")
			for passed := time.Duration(0); passed < time.Hour; passed += tt.each {
				w.Clock.Advance(tt.each)
				w.AWS.Tick()
			}
			if diff := cmp.Diff(tt.want, w.Bodies(t, devQueue)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}
