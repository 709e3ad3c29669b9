package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/internal/iam"
	"deployer/internal/pipeline"
	"deployer/testbed/accounts"
	"deployer/testbed/lambdahost"
)

// schedule is the event of the schedule that looks for lost pushes.
const schedule = `{"version":"0","id":"s1","detail-type":"Scheduled Event","source":"aws.events",
	"account":"111111111111","time":"2026-01-22T10:15:00Z","region":"us-east-1","resources":[],"detail":{}}`

// TestReconcile checks that a push whose event was lost is deployed at the next
// scheduled run, once, and that an older image that was deployed since is left alone.
func TestReconcile(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "dev", nil)
	const nothing = "0 of 4 services and tasks run the image of their tag, or a newer one; " +
		"the others have no such image, or cannot be deployed to"
	if got := f.invoke(t, schedule); got.Status != "unchanged" || got.Reason != nothing {
		t.Errorf("nothing pushed: %+v", got)
	}
	// A push is later than the running revision by at least a second, because ECR
	// returns the times of pushes in whole seconds.
	f.ahead.Store(int64(2 * time.Second))
	digest, err := f.accounts["dev"].Push(t.Context(), "myproject_service_web-api", "v2", "latest")
	must(t, err)
	f.aws.ResetCalls()
	got := f.invoke(t, schedule)
	if got.Status != "deployed" || len(got.Deployments) != 1 ||
		got.Deployments[0].Service != "web-api" || got.Deployments[0].Digest != digest {
		t.Fatalf("a lost push: %+v", got)
	}
	if n := count(f.operations(), "DescribeServices"); n != 2 {
		t.Errorf("%d DescribeServices, want 2: one for three services, one for the deployment", n)
	}
	if got := f.invoke(t, schedule); got.Status != "unchanged" {
		t.Errorf("again: %+v", got)
	}
	older := deployEventAt(time.Now().Add(time.Minute), "older", "action.dev", `{"service":"web-api","tag":"v1"}`)
	if got := f.invoke(t, older); got.Status != "deployed" {
		t.Fatalf("the older image: %+v", got)
	}
	if got := f.invoke(t, schedule); got.Status != "unchanged" {
		t.Errorf("after the older image: %+v", got)
	}
}

func count(all []string, one string) int {
	n := 0
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// newDevScenario is newScenario in which dev's function gets its events too.
func newDevScenario(t *testing.T) *scenario {
	t.Helper()
	s := newScenario(t)
	s.deliver("dev")
	return s
}

// TestReconcileFailed checks that a push whose rollout failed is not taken for a lost
// one, whether its event arrived or was lost: it would fail again at every scheduled
// run. The failure queue gets the push event in both cases.
func TestReconcileFailed(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		s := newDevScenario(t)
		digest, err := s.dev.Push(t.Context(), "myproject_backend", "broken", "git-broken")
		must(t, err)
		s.aws.FailImage(digest)
		push := func() {
			_, err := s.dev.Push(t.Context(), "myproject_backend", "broken", "latest")
			must(t, err)
		}
		if lost {
			s.intercept(t, "dev", push)
			if got := s.reconcile(t); got.Status != "deployed" {
				t.Errorf("a lost push: %+v", got)
			}
		} else {
			push()
		}
		s.advance(t, 10*rolloutStep)
		s.aws.ResetCalls()
		if got := s.reconcile(t); !notLost(got) {
			t.Errorf("lost %v: %+v", lost, got)
		}
		for _, c := range s.aws.Calls() {
			if c.Operation == "RegisterTaskDefinition" || c.Operation == "UpdateService" || c.Operation == "PutEvents" {
				t.Errorf("it called %s", c.Operation)
			}
		}
		queue := s.aws.Queue("arn:aws:sqs:us-east-1:111111111111:myproject_deployer_failed_dev")
		const want = `"detail-type":"ECR Image Action"`
		if len(queue) != 1 || !strings.Contains(string(queue[0].Body), want) {
			t.Errorf("lost %v: %d messages in the failure queue, want one with %s: %s", lost, len(queue), want, queue)
		}
	}
}

// notLost reports whether a service was left alone because it was rolled back.
func notLost(result pipeline.Result) bool {
	return result.Status == "ignored" && len(result.Deployments) == 1 &&
		result.Deployments[0].Reason == "the push was not lost: the service was rolled back from the image"
}

// TestReconcileMovedBack checks that a service that was moved back to a revision older
// than the push, without the deployer, is left alone.
func TestReconcileMovedBack(t *testing.T) {
	t.Parallel()
	s := newDevScenario(t)
	_, err := s.dev.Push(t.Context(), "myproject_backend", "v2", "latest") // its event arrives
	must(t, err)
	s.advance(t, 3*rolloutStep)
	s.moveDevBack(t)
	if got := s.reconcile(t); !notLost(got) {
		t.Errorf("%+v", got)
	}
}

// TestReconcileReportsNothing checks that a lost push that is superseded by a newer
// event is not reported. It would be reported again by every scheduled run.
func TestReconcileReportsNothing(t *testing.T) {
	t.Parallel()
	s := newDevScenario(t)
	s.intercept(t, "dev", func() {
		_, err := s.dev.Push(t.Context(), "myproject_backend", "v2", "latest")
		must(t, err)
	})
	s.advance(t, rolloutStep)
	s.push(t, "v3")
	newer := deployEventAt(s.clock.Now(), "6f1d", "action.dev", `{"service":"backend","tag":"v3"}`)
	response, err := s.cloud.Functions["dev"].Invoke(t.Context(), []byte(newer))
	must(t, err)
	if !strings.Contains(string(response.Payload), `"status":"deployed"`) {
		t.Fatalf("%s", response.Payload)
	}
	s.advance(t, 3*rolloutStep)
	s.moveDevBack(t)
	s.aws.ResetCalls()
	if got := s.reconcile(t); got.Status != "superseded" {
		t.Errorf("%+v", got)
	}
	for _, c := range s.aws.Calls() {
		if c.Operation == "PutEvents" && strings.Contains(string(c.Body), `reconcile-`) {
			t.Errorf("it reported %s", c.Body)
		}
	}
}

// moveDevBack moves dev's backend to its first revision without the deployer.
func (s *scenario) moveDevBack(t *testing.T) {
	t.Helper()
	_, err := s.dev.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{
		Cluster: aws.String("myproject_cluster_dev"), Service: aws.String("myproject_service_dev"),
		TaskDefinition: aws.String("myproject_service_dev:1"),
	})
	must(t, err)
	s.advance(t, 3*rolloutStep)
}

// reconcile sends dev's function the schedule's event and returns its result.
func (s *scenario) reconcile(t *testing.T) (got pipeline.Result) {
	t.Helper()
	response, err := s.cloud.Functions["dev"].Invoke(t.Context(), []byte(schedule))
	must(t, err)
	must(t, json.Unmarshal(response.Payload, &got))
	return got
}

// TestReconcileDenied checks that a registry that denies DescribeImages is logged
// once. [TestReconcileOff] checks that it is not called again.
func TestReconcileDenied(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "staging", func(o *lambdahost.Options) { o.AccessKeyID = accounts.Staging + "-deployer" })
	all, err := iam.Parse([]byte(`{"Version":"2012-10-17",
		"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`))
	must(t, err)
	f.aws.SetRolePolicy(accounts.Staging, "deployer", all)
	got := f.invoke(t, schedule) // the repository policy lacks DescribeImages
	if got.Status != "ignored" ||
		!strings.Contains(got.Reason, `access denied: the repository policy does not allow it`) ||
		!strings.Contains(got.Reason, `"Action":["ecr:DescribeImages"]}`) {
		t.Errorf("%+v", got)
	}
	got = f.invoke(t, schedule)
	logged := len(f.logs.lines(t, "reconciling is off for repositories"))
	if got.Status != "ignored" || !strings.HasPrefix(got.Reason, "reconciling is off: ") || logged != 1 {
		t.Errorf("%+v\n%s", got, f.logs)
	}
}
