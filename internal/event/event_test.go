package event

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
)

var now = time.Date(2026, 1, 22, 10, 20, 0, 0, time.UTC)

// load returns an environment of examples/centralized-dev-ecr.
func load(tb testing.TB, name string) *environment.Environment {
	tb.Helper()
	e, err := environment.Load(filepath.Join("..", "..", "examples", "centralized-dev-ecr", name+".yaml"))
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// deployment returns a DEPLOY event with the given source and detail.
func deployment(source, detail string) string {
	return fmt.Sprintf(
		`{"version":"0","id":"e1","detail-type":"DEPLOY","source":%q,"account":"333333333333",`+
			`"time":"2026-01-22T10:15:30Z","region":"us-east-1","resources":[],"detail":%s}`, source, detail)
}

// pushed returns an ECR Image Action event of a registry.
func pushed(account, region, detail string) string {
	return fmt.Sprintf(
		`{"version":"0","id":"e2","detail-type":"ECR Image `+
			`Action","source":"aws.ecr","account":%q,"time":"2026-01-22T10:15:30Z","region":%q,"resources":[],`+
			`"detail":%s}`, account, region, detail)
}

const (
	digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	push   = `{"action-type":"PUSH","result":"SUCCESS","repository-name":%q,"image-tag":%q,"image-digest":"` + digest +
		`"}`
)

func TestDeploy(t *testing.T) {
	t.Parallel()
	prod := load(t, "prod")
	backend, _ := prod.Find("backend", environment.Services...)
	api, _ := prod.Find("web-api", environment.Services...)
	report, _ := prod.Find("nightly-report", environment.Tasks...)
	at := time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC)
	tests := []struct {
		name, detail string
		want         Request
	}{
		{"from the documentation", `{"service":"backend","tag":"git-abc123f"}`,
			Request{Cause: Cause{ID: "e1", Time: at, Source: "action.production"}, Workload: backend,
				Tag: "git-abc123f"}},
		{"hyphenated service, all members",
			`{"service":"web-api","tag":"v1.2.3","env":"prod","reason":"fix ` +
				`\"it\"","actor":"ada","dry_run":true,"force":true}`,
			Request{Cause: Cause{ID: "e1", Time: at, Source: "action.production", Reason: `fix "it"`, Actor: "ada"},
				Workload: api, Tag: "v1.2.3", DryRun: true, Force: true}},
		{"task", `{"task":"nightly-report","tag":"latest"}`,
			Request{Cause: Cause{ID: "e1", Time: at, Source: "action.production"}, Workload: report, Tag: "latest"}},
		{"the action spelt out", `{"service":"backend","tag":"a","action":"deploy"}`,
			Request{Cause: Cause{ID: "e1", Time: at, Source: "action.production"}, Workload: backend, Tag: "a"}},
		{"rollback", `{"service":"backend","action":"rollback","tag":null}`,
			Request{Cause: Cause{ID: "e1", Time: at, Source: "action.production"}, Workload: backend, Rollback: true}},
		{"nulls and unknown members",
			`{"service":"backend","task":null,"tag":"a","dry_run":null,"env":null,"commit":{"sha":"abc"}}`,
			Request{Cause: Cause{ID: "e1", Time: at, Source: "action.production"}, Workload: backend, Tag: "a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Read([]byte(deployment("action.production", tt.detail)), prod, now)
			want := Reading{ID: "e1", Verdict: Accepted, Requests: []Request{tt.want},
				Reason: "DEPLOY of " + tt.want.Workload.Name + " with tag " + tt.want.Tag + " from action.production"}
			if tt.want.Rollback {
				want.Reason = "rollback of backend from action.production"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRejected checks every message about an invalid event.
func TestRejected(t *testing.T) {
	t.Parallel()
	env := load(t, "prod")
	malformed := func(s string) string { return "the DEPLOY is malformed: " + s }
	valid := deployment("action.production", `{"service":"backend","tag":"a"}`)
	tests := []struct{ name, raw, want string }{
		{"not JSON", `nope`, `the event is not JSON: invalid character 'o' in literal null (expecting 'u')`},
		{"nothing", ``, `the event is empty`},
		{"empty object", `{}`, `the event is empty`},
		{"null", `null`, `the event is null, not a JSON object`},
		{"array", `[{}]`, `the event is an array, not a JSON object`},
		{"cut off", `{"id":"e1",`, `the event is not JSON: it ends within the object`},
		{"two events", valid + valid, `the event is not JSON: text follows the object`},
		{"not of EventBridge", `{"service":"backend","tag":"a"}`,
			`the event has no "source" or no "detail-type": it is not an EventBridge event`},
		{"source twice", `{"source":"a","source":"b"}`, `the event has "source" twice`},
		{"no id, bad time",
			`{"detail-type":"DEPLOY","source":"action.production","time":"yesterday","detail":{"service":"backend",` +
				`"tag":"a"}}`,
			malformed(`"id" is missing; "time" is "yesterday", not a time like "2026-01-22T10:15:30Z"`)},
		{"envelope of wrong kinds",
			`{"id":1,"detail-type":"DEPLOY","source":"action.production","time":2,"detail":{"service":"backend",` +
				`"tag":"a"}}`,
			malformed(`"id" is a number, not a string; "time" is a number, not a string`)},
		{"no time",
			`{"id":"","detail-type":"DEPLOY","source":"action.production","detail":{"service":"backend","tag":"a"}}`,
			malformed(`"id" is missing; "time" is missing`)},
		{"no detail", `{"id":"e1","detail-type":"DEPLOY","source":"action.production","time":"2026-01-22T10:15:30Z"}`,
			malformed(`"detail" is missing`)},
		{"detail a string", deployment("action.production", `"{\"service\":\"backend\"}"`),
			malformed(`"detail" is a string, not a JSON object`)},
		{"detail null", deployment("action.production", `null`), malformed(`"detail" is null, not a JSON object`)},
		{"detail an array", deployment("action.production", `[]`),
			malformed(`"detail" is an array, not a JSON object`)},
		{"action unknown", deployment("action.production", `{"service":"backend","action":"restart","tag":"a"}`),
			malformed(`"action" is "restart", not "deploy" or "rollback"`)},
		{"rollback to a tag", deployment("action.production", `{"service":"backend","action":"rollback","tag":"a"}`),
			malformed(`"action" is "rollback", which chooses the image itself, and "tag" is "a": remove one of them`)},
		{"rollback of nothing", deployment("action.production", `{"action":"rollback"}`),
			malformed(`neither "service" nor "task" is set: name what to deploy`)},
		{"detail empty", deployment("action.production", `{}`),
			malformed(`neither "service" nor "task" is set: name what to deploy; "tag" is missing`)},
		{"detail of 1 MB", deployment("action.production", `{"service":"backend","tag":"`+strings.Repeat("a", 1<<20)+
			`"}`),
			malformed(`"detail" has 1048606 bytes; that of a DEPLOY may have at most 65536`)},
		{"unknown service", deployment("action.production", `{"service":"frontend","tag":"a"}`),
			malformed(`service "frontend" is not in the prod environment, which has backend, web-api, worker`)},
		{"service misspelt", deployment("action.production", `{"service":"web_api","tag":"a"}`),
			malformed(`service "web_api" is not in the prod environment; did you mean "web-api"?`)},
		{"service cut short", deployment("action.production", `{"service":"web","tag":"a"}`),
			malformed(`service "web" is not in the prod environment, which has backend, web-api, worker`)},
		{"a task as service", deployment("action.production", `{"service":"nightly-report","tag":"a"}`),
			malformed(
				`service "nightly-report" is not in the prod environment: ` +
					`it is a task, so write "task" for "service"`)},
		{"a service as task", deployment("action.production", `{"task":"worker","tag":"a"}`),
			malformed(`task "worker" is not in the prod environment: it is a service, so write "service" for "task"`)},
		{"service and task", deployment("action.production", `{"service":"backend","task":"nightly-report","tag":"a"}`),
			malformed(
				`both "service" ("backend") and "task" ("nightly-report") are set: one event deploys one of them`)},
		{"service empty", deployment("action.production", `{"service":"","tag":"a"}`),
			malformed(`"service" is empty: name what to deploy`)},
		{"service a list", deployment("action.production", `{"service":["backend"],"tag":"a"}`),
			malformed(`"service" is an array, not a string`)},
		{"tag empty", deployment("action.production", `{"service":"backend","tag":""}`),
			malformed(`the tag is empty; did a variable expand to nothing?`)},
		{"tag of an empty variable", deployment("action.production", `{"service":"backend","tag":"git-"}`),
			malformed(`tag "git-" ends in "-"; did the commit variable expand?`)},
		{"tag of no variable", deployment("action.production", `{"service":"backend","tag":"git-$SHA"}`),
			malformed(`tag "git-$SHA" contains a variable that was not expanded`)},
		{"tag with a slash", deployment("action.production", `{"service":"backend","tag":"feature/x"}`),
			malformed(`tag "feature/x" has a "/" or ":"; name the tag alone, without repository`)},
		{"tag a digest", deployment("action.production", `{"service":"backend","tag":"`+digest+`"}`),
			malformed(`tag "` + digest + `" is a digest; name a tag`)},
		{"tag a number", deployment("action.production", `{"service":"backend","tag":1}`),
			malformed(`"tag" is a number, not a string`)},
		{"tag long", deployment("action.production", `{"service":"backend","tag":"`+strings.Repeat("a", 300)+`"}`),
			malformed(`tag "` + strings.Repeat("a", 160) +
				`" and 140 bytes more is not an image tag: it has at most 128 letters, digits, dots, dashes and ` +
				`underscores, and starts with a letter, digit or underscore`)},
		{"tag twice", deployment("action.production", `{"service":"backend","tag":"a","tag":"b"}`),
			malformed(`"detail" has "tag" twice`)},
		{"members misspelt", deployment("action.production",
			`{"service":"backend","tag":"a","dry-run":true,"DRY_RUN":true,"Force":true,"resaon":"x"}`),
			malformed(
				`"DRY_RUN" is not a member of a DEPLOY; did you mean "dry_run"?; "Force" is not a member of a ` +
					`DEPLOY; did you mean "force"?; "dry-run" is not a member of a DEPLOY; did you mean "dry_run"?; ` +
					`"resaon" is not a member of a DEPLOY; did you mean "reason"?`)},
		{"flags of wrong kinds", deployment("action.production",
			`{"service":"backend","tag":"a","dry_run":"yes","force":1,"reason":{},"actor":[],"env":5}`),
			malformed(
				`"env" is a number, not a string; "reason" is an object, not a string; "actor" is an array, not a ` +
					`string; "dry_run" is a string, not true or false; "force" is a number, not true or false`)},
		{"every fault at once", deployment("action.production", `{"service":"frontnd","tag":"git-"}`),
			malformed(
				`service "frontnd" is not in the prod environment, which has backend, web-api, worker; tag "git-" ` +
					`ends in "-"; did the commit variable expand?`)},
		{"from the future", strings.Replace(valid, "10:15:30Z", "10:25:01Z", 1),
			malformed(
				`"time" is 2026-01-22T10:25:01Z, 5m1s ahead of now; at most 5m0s is accepted, because events are ` +
					`ordered by time (check the sender's clock)`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Read([]byte(tt.raw), env, now)
			if got.Verdict != Rejected || got.Reason != tt.want || len(got.Requests) > 0 {
				t.Errorf("%s: %s\nwant rejected: %s", got.Verdict, got.Reason, tt.want)
			}
		})
	}
}

func TestIgnored(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, env, raw, want string }{
		{"another environment's source", "prod", deployment("action.staging", `{"service":"backend","tag":"a"}`),
			`DEPLOY from "action.staging" is for another environment: prod accepts DEPLOY events from action.prod, ` +
				`action.production`},
		{"even if malformed", "staging", deployment("action.production", `{}`),
			`DEPLOY from "action.production" is for another environment: staging accepts DEPLOY events from ` +
				`action.staging`},
		{"unknown source", "prod", deployment("com.example", `{"service":"backend","tag":"a"}`),
			`DEPLOY from "com.example" is not accepted: ` +
				`prod accepts DEPLOY events from action.prod, action.production`},
		{"names another environment", "prod", deployment("action.production", `{"env":"staging","tag":"git-"}`),
			`the DEPLOY is for environment "staging", not for prod`},
		{"another type", "dev", `{"id":"e1","source":"aws.ec2","detail-type":"EC2 Instance State-change Notification"}`,
			`events of type "EC2 Instance State-change Notification" from "aws.ec2" are not for the deployer`},
		{"ECR scan", "dev", `{"id":"e1","source":"aws.ecr","detail-type":"ECR Image Scan","detail":{}}`,
			`events of type "ECR Image Scan" from "aws.ecr" are not for the deployer`},
		{"DEPLOY of another case", "prod",
			`{"id":"e1","source":"action.production","detail-type":"Deploy","detail":{}}`,
			`events of type "Deploy" from "action.production" are not for the deployer`},
		{"delete", "dev", pushed("111111111111", "us-east-1",
			strings.Replace(fmt.Sprintf(push, "myproject_backend", "latest"), "PUSH", "DELETE", 1)),
			`the ECR action is "DELETE", not a push`},
		{"failed", "dev", pushed("111111111111", "us-east-1",
			strings.Replace(fmt.Sprintf(push, "myproject_backend", "latest"), "SUCCESS", "FAILURE", 1)),
			`the push to "myproject_backend" has the result "FAILURE"`},
		{"no tag", "dev", pushed("111111111111", "us-east-1",
			`{"action-type":"PUSH","result":"SUCCESS","repository-name":"myproject_backend","image-digest":"`+digest+
				`"}`),
			`the push to "myproject_backend" has no tag: it is part of an image, or its tag was replaced at once`},
		{"signature", "dev", pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_backend", "sha256-"+digest[7:]+".sig")),
			`tag "sha256-` + digest[7:] + `.sig" is a signature or attestation, not an image that can run`},
		{"tag outside the policy", "dev", pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_backend", "git-abc123f")),
			`tag "git-abc123f" does not deploy dev: auto_deploy has only latest`},
		{"prod takes no push", "prod", pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_backend", "latest")),
			`tag "latest" does not deploy prod: auto_deploy is empty, so no push does; send a DEPLOY event`},
		{"other repository", "dev", pushed("111111111111", "us-east-1", fmt.Sprintf(push, "other_backend", "latest")),
			`no workload of myproject runs images of repository "other_backend"`},
		{"a longer name", "dev", pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_service_web-api-v2", "latest")),
			`no workload of myproject runs images of repository "myproject_service_web-api-v2"`},
		{"a shorter name", "dev", pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_service_web", "latest")),
			`no workload of myproject runs images of repository "myproject_service_web"`},
		{"own registry of a cross-account environment", "staging",
			pushed("222222222222", "us-east-1", fmt.Sprintf(push, "myproject_backend", "latest")),
			`the push to "myproject_backend" was to the registry of account "222222222222" in "us-east-1"; staging ` +
				`runs images from account 111111111111 in us-east-1 (strategy cross_account: set by ecr_strategy)`},
		{"other account", "dev", pushed("999999999999", "us-east-1", fmt.Sprintf(push, "myproject_backend", "latest")),
			`the push to "myproject_backend" was to the registry of account "999999999999" in "us-east-1"; dev runs ` +
				`images from account 111111111111 in us-east-1 (strategy local: set by ecr_strategy)`},
		{"other region", "dev", pushed("111111111111", "eu-west-1", fmt.Sprintf(push, "myproject_backend", "latest")),
			`the push to "myproject_backend" was to the registry of account "111111111111" in "eu-west-1"; dev runs ` +
				`images from account 111111111111 in us-east-1 (strategy local: set by ecr_strategy)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Read([]byte(tt.raw), load(t, tt.env), now)
			if got.Verdict != Ignored || got.Reason != tt.want || len(got.Requests) > 0 {
				t.Errorf("%s: %s\nwant ignored: %s", got.Verdict, got.Reason, tt.want)
			}
		})
	}
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	got := Read([]byte(`{"id":"s1","source":"aws.events","detail-type":"Scheduled Event","detail":{}}`), load(t, "dev"),
		now)
	if diff := cmp.Diff(Reading{ID: "s1", Verdict: Due, Reason: "scheduled search for lost pushes"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestPush(t *testing.T) {
	t.Parallel()
	env, err := environment.Parse("dev.yaml", []byte(`{project: myproject, env: dev, region: us-east-1, account_id: "111111111111",
		services: [{name: web-api}, {name: shared, ecr_config: {mode: use_existing, source_service_name: web-api}}],
		scheduled_tasks: [{name: nightly-report}]}`))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, repository string
		want             []string
	}{
		{"backend", "myproject_backend", []string{"backend"}},
		{"one repository, two services", "myproject_service_web-api", []string{"web-api", "shared"}},
		{"task", "myproject_task_nightly-report", []string{"nightly-report"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Read([]byte(pushed("111111111111", "us-east-1", fmt.Sprintf(push, tt.repository, "latest"))), env,
				now)
			want := Reading{ID: "e2", Verdict: Accepted, Reason: "push of tag latest to " + tt.repository}
			for _, name := range tt.want {
				w, _ := env.Find(name, environment.Backend, environment.Service, environment.ScheduledTask)
				want.Requests = append(want.Requests,
					Request{Cause: Cause{ID: "e2", Time: time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC),
						Source: "aws.ecr"},
						Workload: w, Tag: "latest", Digest: digest, Push: true})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMalformedPush(t *testing.T) {
	t.Parallel()
	env := load(t, "dev")
	tests := []struct{ name, raw, want string }{
		{"detail null", pushed("111111111111", "us-east-1", `null`),
			`the ECR event is malformed: "detail" is null, not a JSON object`},
		{"detail empty", pushed("111111111111", "us-east-1", `{}`), `the ECR event is malformed: "detail" is empty`},
		{"members of wrong kinds", pushed("111111111111", "us-east-1", `{"action-type":1,"image-tag":["a"]}`),
			`the ECR event is malformed: "action-type" is a number, not a string; ` +
				`"image-tag" is an array, not a string`},
		{"from the future", strings.Replace(pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_backend", "latest")), "2026-01-22", "2027-01-22", 1),
			`the ECR event is malformed: "time" is 2027-01-22T10:15:30Z, 8759h55m30s ahead of now; at most 5m0s is ` +
				`accepted, because events are ordered by time (check the sender's clock)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Read([]byte(tt.raw), env, now); got.Verdict != Rejected || got.Reason != tt.want {
				t.Errorf("%s: %s\nwant rejected: %s", got.Verdict, got.Reason, tt.want)
			}
		})
	}
}

// FuzzRead checks the contract of Read for any bytes: no panic, always a verdict
// with a reason, requests exactly if it is accepted, and messages that fit a log line.
func FuzzRead(f *testing.F) {
	f.Add([]byte(deployment("action.production", `{"service":"backend","tag":"git-abc123f","dry_run":true}`)))
	f.Add([]byte(deployment("action.dev", `{"task":"nightly-report","tag":"a","env":"dev"}`)))
	f.Add([]byte(pushed("111111111111", "us-east-1", fmt.Sprintf(push, "myproject_backend", "latest"))))
	f.Add([]byte(`{"detail":{"a":[[[[]]]]}}`))
	f.Add([]byte("{\"source\":\"\xff\",\"detail-type\":\"DEPLOY\"}"))
	envs := []*environment.Environment{load(f, "dev"), load(f, "prod")}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		for _, env := range envs {
			got := Read(raw, env, now)
			if got.Reason == "" || (got.Verdict == Accepted) != (len(got.Requests) > 0) || got.Verdict != Accepted &&
				len(got.Reason) > 1<<20 {
				t.Errorf("Read(%q) = %+v", raw, got)
			}
			for _, r := range got.Requests {
				if r.Cause.ID == "" || r.Tag == "" || r.Cause.Time.After(now.Add(maxAhead)) || r.Cause.Time.IsZero() {
					t.Errorf("Read(%q) asks for %+v", raw, r)
				}
			}
		}
		if !bytes.Equal(before, raw) {
			t.Error("Read changed the event")
		}
	})
}
