package event

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"deployer/internal/environment"
)

// TestSamples reads samples of events that senders send by mistake.
func TestSamples(t *testing.T) {
	t.Parallel()
	const sendToDev = `which accepts DEPLOY events from action.dev; to deploy dev, send detail-type "DEPLOY", ` +
		`source "action.dev" and a detail like {"project":"myproject","service":"backend","tag":"git-abc123f"}`
	for _, tt := range []struct {
		file, env string
		verdict   Verdict
		want      string
	}{
		{"deploy-another-project", "prod", Ignored, `the DEPLOY is for project "vineyard", not for myproject`},
		{"deploy-rejected-no-tag", "prod", Rejected, `the DEPLOY is malformed: ` + noTag},
		{"deploy-several", "prod", Accepted, `DEPLOY of worker, web-api with tag git-abc123f from action.production`},
		{"deploy-several-with-task", "prod", Accepted, `DEPLOY of worker, task:nightly-report with tag git-abc123f ` +
			`from action.production`},
		{"deploy-all", "prod", Accepted,
			`DEPLOY of all workloads whose repository has the tag git-abc123f from action.production`},
		{"deploy-rejected-several", "prod", Rejected, `the DEPLOY is malformed: both "service" and "services" are ` +
			`set: name everything in one of them; service "web_api" is not in the prod environment; did you mean ` +
			`"web-api"?; "services" has "nightly-report", which is a scheduled task: write "task:nightly-report"`},
		{"deploy-redeploy", "prod", Accepted, `redeployment of backend from action.production`},
		{"deploy-rollback", "prod", Accepted, `rollback of backend from action.production`},
		{"deploy-other-type", "dev", Ignored, `events of type "SERVICE_DEPLOY" from "github.actions.dev" are not for ` +
			`dev, ` + strings.Replace(sendToDev, "backend", "web-api", 1)},
		{"deploy-other-source", "dev", Ignored, `DEPLOY from "action.deploy" is not for dev, ` + sendToDev},
	} {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(filepath.Join("..", "..", "events", tt.file+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if got := Read(raw, load(t, tt.env), now); got.Verdict != tt.verdict || got.Reason != tt.want {
				t.Errorf("%s: %s\nwant %s: %s", got.Verdict, got.Reason, tt.verdict, tt.want)
			}
		})
	}
}

// FuzzRead checks the contract of Read for any bytes: no panic, always a verdict
// with a reason, requests exactly if it is accepted, and messages that fit a log line.
func FuzzRead(f *testing.F) {
	f.Add([]byte(deployment("action.production", `{"service":"backend","tag":"git-abc123f","dry_run":true}`)))
	for _, name := range []string{"parameter-updated", "secret-label-updated", "secret-rotation-succeeded",
		"s3-env-file-created"} {
		if raw, err := os.ReadFile("../../events/" + name + ".json"); err == nil {
			f.Add(raw)
		}
	}
	f.Add([]byte(deployment("action.dev", `{"task":"nightly-report","tag":"a","env":"dev"}`)))
	f.Add([]byte(pushed("111111111111", "us-east-1", fmt.Sprintf(push, "myproject_backend", "latest"))))
	hook, err := os.ReadFile("../../events/ecs-hook-awaiting-action.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(hook)
	f.Add([]byte(deployment("action.production", `{"services":["worker","task:a","*",1],"tag":"v2"}`)))
	f.Add([]byte(deployment("action.production", `{"services":"*","action":"redeploy"}`)))
	f.Add([]byte(deployment("action.prod", `{"project":"vineyard","service":"backend","tag":"a"}`)))
	f.Add([]byte(`{"id":"e1","source":"github.actions.dev","detail-type":"SERVICE_DEPLOY",` +
		`"detail":{"service":"backend"}}`))
	f.Add([]byte(replicated("111111111111", "us-east-1", fmt.Sprintf(replication, "myproject_backend", "latest"))))
	f.Add([]byte(`{"detail":{"a":[[[[]]]]}}`))
	f.Add([]byte(deployment("action.production",
		`{"app":"backend","image":"a/b:v1@sha256:","payload":"{}","plan":true}`)))
	f.Add([]byte(deployment("action.production", `{"service":"arn:x/","tag":"v1","image":":","environment":"dev"}`)))
	f.Add([]byte("{\"source\":\"\xff\",\"detail-type\":\"DEPLOY\"}"))
	for _, at := range []string{"0000-01-01T00:00:00Z", "1500-01-01T00:00:00Z", "2014-12-31T23:59:59Z",
		"9999-12-31T23:59:59+23:59"} {
		f.Add([]byte(timed(deployment("action.production", `{"service":"backend","tag":"a"}`), at)))
		f.Add([]byte(timed(pushed("111111111111", "us-east-1", fmt.Sprintf(push, "myproject_backend", "latest")), at)))
		service := "myproject_cluster_prod/myproject_service_prod"
		f.Add([]byte(timed(rolled(change, "333333333333", service, completed), at)))
		f.Add([]byte(timed(string(hook), at)))
	}
	envs := []*environment.Environment{load(f, "dev"), load(f, "prod")}
	envs[1].RedeployOn = environment.Triggers
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		for _, env := range envs {
			got := Read(raw, env, now)
			if got.Reason == "" || (got.Verdict == Accepted) != (len(got.Requests) > 0) || got.Verdict != Accepted &&
				len(got.Reason) > 1<<20 {
				t.Errorf("Read(%q) = %+v", raw, got)
			}
			for _, r := range got.Requests {
				noTag := r.Tag == "" && !r.Redeploy && !r.Rollback
				if r.Cause.ID == "" || noTag || r.Cause.Time.After(now.Add(maxAhead)) ||
					r.Cause.Time.Before(earliest) {
					t.Errorf("Read(%q) asks for %+v", raw, r)
				}
			}
			for _, at := range []time.Time{got.At, got.Claims.Cause.Time, got.Rollout.Hook.Expires} {
				if !at.IsZero() && (at.Before(earliest) || at.After(now.Add(maxExpiry))) {
					t.Errorf("Read(%q) has the time %s", raw, at)
				}
			}
			if got.Verdict == Changed && (got.ID == "" || got.At.IsZero() || got.Change.RefersTo(env, "")) {
				t.Errorf("Read(%q) = %+v", raw, got)
			}
			if got.Verdict == Rejected && strings.HasPrefix(got.Claims.Cause.Source, "aws.") &&
				!strings.HasPrefix(got.Reason, "the event has no") {
				t.Errorf("Read(%q) rejects an event of AWS: %s", raw, got.Reason)
			}
		}
		if !bytes.Equal(before, raw) {
			t.Error("Read changed the event")
		}
	})
}
