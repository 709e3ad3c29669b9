package ecs_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

func TestRollouts(t *testing.T) {
	t.Parallel()
	updateTo := func(revision string) func(*testing.T, *env) {
		return func(t *testing.T, w *env) { w.update(t, revision) }
	}
	register := func(image string) func(*testing.T, *env) {
		return func(t *testing.T, w *env) {
			w.Register(t, dev, "web", image)
			w.update(t, "web")
		}
	}
	const (
		done1    = "d1 PRIMARY web:1 2/0/2-0 COMPLETED: ECS deployment d1 completed."
		old1     = "d1 ACTIVE web:1 2/0/2-0 COMPLETED: ECS deployment d1 completed."
		leaving1 = "d1 ACTIVE web:1 0/0/2-0 COMPLETED: ECS deployment d1 completed."
		failing2 = "d2 PRIMARY web:2 2/2/0-2 IN_PROGRESS: ECS deployment d2 in progress."
	)
	tests := []struct {
		name   string
		more   string
		phases []phase
	}{{
		name: "a new revision",
		phases: []phase{
			{want: []string{"ACTIVE web:1 2/0/2", done1}},
			{do: register("nginx:2"), want: []string{
				"ACTIVE web:2 2/2/2",
				"d2 PRIMARY web:2 2/2/0-0 IN_PROGRESS: ECS deployment d2 in progress.",
				old1}},
			{steps: 1, want: []string{
				"ACTIVE web:2 2/0/4",
				"d2 PRIMARY web:2 2/0/2-0 IN_PROGRESS: ECS deployment d2 in progress.",
				leaving1}},
			{steps: 1, want: []string{
				"ACTIVE web:2 2/0/2",
				"d2 PRIMARY web:2 2/0/2-0 COMPLETED: ECS deployment d2 completed."}},
		},
	}, {
		name: "the same revision changes nothing",
		phases: []phase{
			{do: updateTo("web:1"), want: []string{"ACTIVE web:1 2/0/2", done1}},
		},
	}, {
		name: "the same revision by force",
		phases: []phase{
			{want: []string{"ACTIVE web:1 2/0/2", done1}},
			{do: func(t *testing.T, w *env) {
				w.Do(t, dev, "ecs:UpdateService", `{"cluster":"c","service":"web","forceNewDeployment":true}`)
			}, want: []string{
				"ACTIVE web:1 2/2/2",
				"d2 PRIMARY web:1 2/2/0-0 IN_PROGRESS: ECS deployment d2 in progress.",
				old1}},
		},
	}, {
		name: "scaling is no deployment",
		phases: []phase{
			{do: func(t *testing.T, w *env) {
				w.Do(t, dev, "ecs:UpdateService", `{"cluster":"c","service":"web","desiredCount":3}`)
			}, want: []string{"ACTIVE web:1 3/0/3", "d1 PRIMARY web:1 3/0/3-0 COMPLETED: ECS deployment d1 " +
				"completed."}},
		},
	}, {
		name: "a deployment supersedes one in progress",
		phases: []phase{
			{want: []string{"ACTIVE web:1 2/0/2", done1}},
			{do: register("nginx:2"), steps: 1, want: []string{
				"ACTIVE web:2 2/0/4",
				"d2 PRIMARY web:2 2/0/2-0 IN_PROGRESS: ECS deployment d2 in progress.",
				leaving1}},
			{do: register("nginx:3"), steps: 1, want: []string{
				"ACTIVE web:3 2/0/6",
				"d3 PRIMARY web:3 2/0/2-0 IN_PROGRESS: ECS deployment d3 in progress.",
				"d2 ACTIVE web:2 0/0/2-0 IN_PROGRESS: ECS deployment d2 in progress.",
				leaving1}},
			{steps: 1, want: []string{
				"ACTIVE web:3 2/0/2",
				"d3 PRIMARY web:3 2/0/2-0 COMPLETED: ECS deployment d3 completed."}},
		},
	}, {
		name: "a deployment supersedes one whose tasks are pending",
		phases: []phase{
			{want: []string{"ACTIVE web:1 2/0/2", done1}},
			{do: register("nginx:2")},
			{do: register("nginx:3"), want: []string{
				"ACTIVE web:3 2/2/2",
				"d3 PRIMARY web:3 2/2/0-0 IN_PROGRESS: ECS deployment d3 in progress.",
				"d2 ACTIVE web:2 2/0/0-0 IN_PROGRESS: ECS deployment d2 in progress.",
				old1}},
		},
	}, {
		name: "a broken image without the circuit breaker",
		phases: []phase{
			{want: []string{"ACTIVE web:1 2/0/2", done1}},
			{do: register("nginx:broken"), steps: 1, want: []string{
				"ACTIVE web:2 2/2/2",
				failing2,
				old1}},
			{steps: 99, want: []string{
				"ACTIVE web:2 2/2/2",
				"d2 PRIMARY web:2 2/2/0-200 IN_PROGRESS: ECS deployment d2 in progress.",
				old1}},
		},
	}, {
		name: "a broken image is rolled back", more: rollback,
		phases: []phase{
			{want: []string{"ACTIVE web:1 2/0/2", done1}},
			{do: register("nginx:broken"), steps: 1, want: []string{
				"ACTIVE web:2 2/2/2",
				failing2,
				old1}},
			{steps: 1, want: []string{
				"ACTIVE web:1 2/2/2",
				"d3 PRIMARY web:1 2/2/0-0 IN_PROGRESS: ECS deployment circuit breaker: rolling back to deploymentId " +
					"d1.",
				"d2 ACTIVE web:2 0/0/0-4 FAILED: ECS deployment circuit breaker: tasks failed to start.",
				old1}},
			{steps: 2, want: []string{
				"ACTIVE web:1 2/0/2",
				"d3 PRIMARY web:1 2/0/2-0 COMPLETED: ECS deployment d3 completed."}},
		},
	}, {
		name: "a broken image is not rolled back", more: strings.Replace(rollback, `"rollback":true`,
			`"rollback":false`, 1),
		phases: []phase{
			{want: []string{"ACTIVE web:1 2/0/2", done1}},
			{do: register("nginx:broken"), steps: 9, want: []string{
				"ACTIVE web:2 2/0/2",
				"d2 PRIMARY web:2 2/0/0-4 FAILED: ECS deployment circuit breaker: tasks failed to start.",
				old1}},
			{do: updateTo("web:1"), steps: 2, want: []string{
				"ACTIVE web:1 2/0/2",
				"d3 PRIMARY web:1 2/0/2-0 COMPLETED: ECS deployment d3 completed."}},
		},
	}, {
		name: "a rollback that fails is not rolled back", more: rollback,
		phases: []phase{
			{want: []string{"ACTIVE web:1 2/0/2", done1}},
			{do: func(t *testing.T, w *env) {
				register("nginx:broken")(t, w)
				w.AWS.FailImage("nginx")
			}, steps: 60, want: []string{
				"ACTIVE web:1 2/0/2",
				"d3 PRIMARY web:1 2/0/0-4 FAILED: ECS deployment circuit breaker: tasks failed to start.",
				"d2 ACTIVE web:2 0/0/0-4 FAILED: ECS deployment circuit breaker: tasks failed to start.",
				old1}},
		},
	}, {
		name: "a change of the network is a deployment",
		phases: []phase{
			{do: func(t *testing.T, w *env) {
				w.Do(t, dev, "ecs:UpdateService",
					`{"cluster":"c","service":"web",`+
						`"networkConfiguration":{"awsvpcConfiguration":{"subnets":["subnet-1"]}}}`)
				w.Do(t, dev, "ecs:UpdateService", `{"cluster":"c","service":"web","networkConfiguration": `+
					`{"awsvpcConfiguration": {"subnets": ["subnet-1"]}}}`)
			}, want: []string{
				"ACTIVE web:1 2/2/2",
				"d2 PRIMARY web:1 2/2/0-0 IN_PROGRESS: ECS deployment d2 in progress.",
				old1}},
		},
	}, {
		name: "an image that ECR does not have", more: rollback,
		phases: []phase{
			{want: []string{"ACTIVE web:1 2/0/2", done1}},
			{do: register(registryImage + ":git-0000000"), steps: 69, want: []string{ // ECS is silent
				"ACTIVE web:2 2/2/2",
				"d2 PRIMARY web:2 2/2/0-4 IN_PROGRESS: ECS deployment d2 in progress.",
				old1}},
			{steps: 1, want: []string{
				"ACTIVE web:1 2/2/2",
				"d3 PRIMARY web:1 2/2/0-0 IN_PROGRESS: ECS deployment circuit breaker: rolling back to deploymentId " +
					"d1.",
				"d2 ACTIVE web:2 0/0/0-6 FAILED: ECS deployment circuit breaker: tasks failed to start.",
				old1}},
		},
	}, {
		name: "an image that is pushed after the first attempt", more: rollback,
		phases: []phase{
			{want: []string{"ACTIVE web:1 2/0/2", done1}},
			{do: register(registryImage + ":git-abc123f"), steps: 1, want: []string{
				"ACTIVE web:2 2/2/2",
				failing2,
				old1}},
			{do: func(t *testing.T, w *env) {
				w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
				w.Push(t, dev, "myproject_backend", "one", "git-abc123f")
			}, steps: 2, want: []string{
				"ACTIVE web:2 2/0/2",
				"d2 PRIMARY web:2 2/0/2-2 COMPLETED: ECS deployment d2 completed."}},
		},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newService(t, tt.more)
			w.AWS.FailImage("broken")
			n := names{}
			for i, s := range tt.phases {
				if s.do != nil {
					s.do(t, w)
				}
				w.Clock.Advance(time.Duration(s.steps) * time.Minute)
				if diff := cmp.Diff(s.want, w.rollout(t, n)); s.want != nil && diff != "" {
					t.Errorf("phase %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

// TestFirstDeploymentStalls: a first deployment that fails cannot be rolled back.
func TestFirstDeploymentStalls(t *testing.T) {
	t.Parallel()
	w := newEnv(t, emulator.Options{})
	w.Do(t, dev, "ecs:CreateCluster", `{"clusterName":"c"}`)
	w.Register(t, dev, "web", registryImage+"@"+emulatortest.Digest("no manifest"))
	w.Do(t, dev, "ecs:CreateService", `{"cluster":"c","serviceName":"web","taskDefinition":"web","desiredCount":1`+
		rollback+`}`)
	w.Clock.Advance(2 * time.Hour)
	want := []string{"ACTIVE web:1 1/0/0", "d1 PRIMARY web:1 1/0/0-4 FAILED: ECS deployment circuit breaker: tasks " +
		"failed to start."}
	if diff := cmp.Diff(want, w.rollout(t, names{})); diff != "" {
		t.Errorf("service (-want +got):\n%s", diff)
	}
}

func TestServiceEvents(t *testing.T) {
	t.Parallel()
	w := newService(t, rollback)
	w.AWS.FailImage("broken")
	w.Register(t, dev, "web", "nginx:broken")
	w.update(t, "web")
	w.Clock.Advance(time.Hour)
	var described struct {
		Services []struct {
			Events []struct {
				CreatedAt int64
				Message   string
			}
		}
	}
	answer := w.Do(t, dev, "ecs:DescribeServices", `{"cluster":"c","services":["web"]}`)
	if err := json.Unmarshal([]byte(answer), &described); err != nil {
		t.Fatal(err)
	}
	n := names{}
	var got []string
	events := described.Services[0].Events
	for i := range events {
		e := events[len(events)-1-i]
		got = append(got, n.replace(fmt.Sprintf("%s %s", time.Unix(e.CreatedAt, 0).UTC().Format("15:04"), e.Message)))
	}
	want := []string{
		"09:30 (service web) has started 2 tasks.",
		"09:32 (service web) (deployment d1) deployment completed.",
		"09:32 (service web) has reached a steady state.",
		"09:32 (service web) has started 2 tasks.",
		"09:34 (service web) (deployment d2) deployment failed: tasks failed to start.",
		"09:34 (service web) has started 2 tasks.",
		"09:34 (service web) rolling back to deployment d1.",
		"09:36 (service web) (deployment d3) deployment completed.",
		"09:36 (service web) has reached a steady state.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
