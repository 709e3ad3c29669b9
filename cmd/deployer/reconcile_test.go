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

const schedule = `{"version":"0","id":"s1","detail-type":"Scheduled Event","source":"aws.events","account":"111111111111","time":"2026-01-22T10:15:00Z","region":"us-east-1","resources":[],"detail":{}}`

// TestReconcile holds that a push whose event was lost is deployed at the next
// schedule, once, and that what a person moved back since is left alone.
func TestReconcile(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "dev", nil)
	if got := f.invoke(t, schedule); got.Status != "unchanged" || got.Reason != "0 of 3 services run the image of their tag, or a newer one; the others have no such image, or cannot be deployed to" {
		t.Errorf("nothing pushed: %+v", got)
	}
	// The second that its revisions were registered in has to pass: times of pushes are whole seconds.
	digest := f.pushLater(t, "myproject_service_web-api", "v2", "latest")
	f.aws.ResetCalls()
	got := f.invoke(t, schedule)
	if got.Status != "deployed" || len(got.Deployments) != 1 || got.Deployments[0].Service != "web-api" || got.Deployments[0].Digest != digest {
		t.Fatalf("a lost push: %+v", got)
	}
	if n := count(f.operations(), "DescribeServices"); n != 2 {
		t.Errorf("%d DescribeServices, want 2: one for three services, one for the deployment", n)
	}
	if got := f.invoke(t, schedule); got.Status != "unchanged" {
		t.Errorf("again: %+v", got)
	}
	// A person deploys the old image by hand.
	if got := f.invoke(t, deployEventAt(time.Now().Add(time.Minute), "back", "action.dev", `{"service":"web-api","tag":"v1"}`)); got.Status != "deployed" {
		t.Fatalf("back: %+v", got)
	}
	if got := f.invoke(t, schedule); got.Status != "unchanged" {
		t.Errorf("after a person: %+v", got)
	}
}

// TestReconcileFailed holds that a push whose rollout failed is not taken for a
// lost one: it would fail again with every schedule. Nor is one that was lost,
// and found, and failed then; what is kept of it is the event that did not come.
func TestReconcileFailed(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		s := newScenario(t)
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
		got := s.reconcile(t)
		if got.Status != "ignored" || len(got.Deployments) != 1 || got.Deployments[0].Reason != "the push was not lost: the service was rolled back from the image" {
			t.Errorf("lost %v: %+v", lost, got)
		}
		for _, c := range s.aws.Calls() {
			if c.Operation == "RegisterTaskDefinition" || c.Operation == "UpdateService" || c.Operation == "PutEvents" {
				t.Errorf("it called %s", c.Operation)
			}
		}
		kept := s.aws.Queue("arn:aws:sqs:us-east-1:111111111111:myproject_deployer_failed_dev")
		if want := `"detail-type":"ECR Image Action"`; len(kept) != 1 || !strings.Contains(string(kept[0].Body), want) {
			t.Errorf("lost %v: %d messages are kept, want one with %s: %s", lost, len(kept), want, kept)
		}
	}
}

// TestReconcileMovedBack holds that a service that somebody moved back by hand,
// to a revision that is older than the push, is left alone.
func TestReconcileMovedBack(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	_, err := s.dev.Push(t.Context(), "myproject_backend", "v2", "latest") // its event arrives
	must(t, err)
	s.advance(t, 3*rolloutStep)
	_, err = s.dev.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("myproject_cluster_dev"), Service: aws.String("myproject_service_dev"), TaskDefinition: aws.String("myproject_service_dev:1")})
	must(t, err)
	s.advance(t, 3*rolloutStep)
	if got := s.reconcile(t); got.Status != "ignored" || len(got.Deployments) != 1 || got.Deployments[0].Reason != "the push was not lost: the service was rolled back from the image" {
		t.Errorf("%+v", got)
	}
}

// TestReconcileTellsNothing holds that a found push that a newer event has
// outdone is told to nobody: it would be with every schedule.
func TestReconcileTellsNothing(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.intercept(t, "dev", func() {
		_, err := s.dev.Push(t.Context(), "myproject_backend", "v2", "latest")
		must(t, err)
	})
	s.advance(t, rolloutStep)
	s.push(t, "v3")
	response, err := s.cloud.Functions["dev"].Invoke(t.Context(), []byte(deployEventAt(s.clock.Now(), "6f1d", "action.dev", `{"service":"backend","tag":"v3"}`)))
	must(t, err)
	if !strings.Contains(string(response.Payload), `"status":"deployed"`) {
		t.Fatalf("%s", response.Payload)
	}
	s.advance(t, 3*rolloutStep)
	_, err = s.dev.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("myproject_cluster_dev"), Service: aws.String("myproject_service_dev"), TaskDefinition: aws.String("myproject_service_dev:1")})
	must(t, err)
	s.advance(t, 3*rolloutStep)
	s.aws.ResetCalls()
	if got := s.reconcile(t); got.Status != "superseded" {
		t.Errorf("%+v", got)
	}
	for _, c := range s.aws.Calls() {
		if c.Operation == "PutEvents" && strings.Contains(string(c.Body), `reconcile-`) {
			t.Errorf("it told %s", c.Body)
		}
	}
}

// reconcile makes dev's function look for lost pushes.
func (s *scenario) reconcile(t *testing.T) (got pipeline.Result) {
	t.Helper()
	response, err := s.cloud.Functions["dev"].Invoke(t.Context(), []byte(schedule))
	must(t, err)
	must(t, json.Unmarshal(response.Payload, &got))
	return got
}

// TestReconcileDenied holds that a registry that does not let images be
// described is spoken of once, and then left alone.
func TestReconcileDenied(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "staging", func(o *lambdahost.Options) { o.AccessKeyID = accounts.Staging + "-deployer" })
	all, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`))
	must(t, err)
	f.aws.SetRolePolicy(accounts.Staging, "deployer", all)
	got := f.invoke(t, schedule) // the guide's manual repository policy lacks DescribeImages
	if got.Status != "ignored" || !strings.Contains(got.Reason, `access denied: the repository policy does not allow it`) || !strings.Contains(got.Reason, `"Action":["ecr:DescribeImages"]}`) {
		t.Errorf("%+v", got)
	}
	f.aws.ResetCalls()
	got = f.invoke(t, schedule)
	if got.Status != "ignored" || len(f.aws.Calls()) != 0 || len(f.logs.lines(t, "reconciling is off until the next cold start")) != 1 {
		t.Errorf("%+v after %v\n%s", got, f.operations(), f.logs)
	}
}

// pushLater pushes to dev's registry at a time that is later than everything so far.
func (f *testFunction) pushLater(t *testing.T, repository, content, tag string) string {
	t.Helper()
	f.ahead.Store(int64(2 * time.Second))
	digest, err := f.accounts["dev"].Push(t.Context(), repository, content, tag)
	must(t, err)
	return digest
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
