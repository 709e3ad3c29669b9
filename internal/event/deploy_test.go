package event

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
)

// noTag is the problem of a DEPLOY without a tag.
const noTag = `"tag" is missing: name the tag of the image to deploy, like "tag": "git-abc123f", or send "action": ` +
	`"redeploy" for the image that runs with the family's newest configuration, or "action": "rollback" for the ` +
	`previous image whose rollout succeeded`

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
		{"our project", `{"project":"myproject","service":"backend","tag":"a"}`,
			Request{Cause: Cause{ID: "e1", Time: at, Source: "action.production"}, Workload: backend, Tag: "a"}},
		{"task", `{"task":"nightly-report","tag":"latest"}`,
			Request{Cause: Cause{ID: "e1", Time: at, Source: "action.production"}, Workload: report, Tag: "latest"}},
		{"the action spelt out", `{"service":"backend","tag":"a","action":"deploy"}`,
			Request{Cause: Cause{ID: "e1", Time: at, Source: "action.production"}, Workload: backend, Tag: "a"}},
		{"rollback", `{"service":"backend","action":"rollback","tag":null}`,
			Request{Cause: Cause{ID: "e1", Time: at, Source: "action.production"}, Workload: backend, Rollback: true}},
		{"redeploy", `{"service":"backend","action":"redeploy","force":true}`,
			Request{Cause: Cause{ID: "e1", Time: at, Source: "action.production"}, Workload: backend, Redeploy: true,
				Force: true}},
		{"a commit besides the redeployment", `{"service":"backend","action":"redeploy","sha":"abc123f"}`,
			Request{Cause: Cause{ID: "e1", Time: at, Source: "action.production"}, Workload: backend, Redeploy: true}},
		{"a commit besides the rollback", `{"service":"backend","action":"rollback","sha":"abc123f"}`,
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
				Reason: "DEPLOY of " + tt.want.Workload.Label() + " with tag " + tt.want.Tag +
					" from action.production"}
			if tt.want.Rollback {
				want.Reason = "rollback of backend from action.production"
			}
			if tt.want.Redeploy {
				want.Reason = "redeployment of backend from action.production"
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
		{"array", `[{}]`, `the event is an array, not a JSON object: each event comes by itself, and an entry of ` +
			`PutEvents is no event yet`},
		{"cut off", `{"id":"e1",`, `the event is not JSON: it ends within the object`},
		{"two events", valid + valid, `the event is not JSON: text follows the object`},
		{"not of EventBridge", `{"service":"backend","tag":"a"}`,
			`the event has no "source" or no "detail-type": it is not an EventBridge event: it is the detail of one; ` +
				`the detail is sent with a source and the detail-type "DEPLOY"`},
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
			malformed(`"detail" is a string, not a JSON object: the object was encoded twice; encode it once`)},
		{"detail null", deployment("action.production", `null`), malformed(`"detail" is null, not a JSON object`)},
		{"detail an array", deployment("action.production", `[]`),
			malformed(`"detail" is an array, not a JSON object: send an event for each, or one event with ` +
				`"services": ["NAME", …] for one tag`)},
		{"action unknown", deployment("action.production", `{"service":"backend","action":"restart","tag":"a"}`),
			malformed(`"action" is "restart", not "deploy", "rollback" or "redeploy"`)},
		{"rollback to a tag", deployment("action.production", `{"service":"backend","action":"rollback","tag":"a"}`),
			malformed(`"action" is "rollback", which chooses the image itself, and "tag" is "a": remove one of them`)},
		{"redeployment of a tag",
			deployment("action.production", `{"service":"backend","action":"redeploy","tag":"a"}`),
			malformed(`"action" is "redeploy", which chooses the image itself, and "tag" is "a": remove one of them`)},
		{"rollback of nothing", deployment("action.production", `{"action":"rollback"}`),
			malformed(`neither "service" nor "task" is set: name what to deploy`)},
		{"detail empty", deployment("action.production", `{}`),
			malformed(`neither "service" nor "task" is set: name what to deploy; ` + noTag)},
		{"no tag", deployment("action.production", `{"service":"backend"}`), malformed(noTag)},
		{"tag null", deployment("action.production", `{"service":"backend","tag":null}`), malformed(noTag)},
		{"an action that does not exist", deployment("action.production", `{"service":"backend","action":"restart"}`),
			malformed(`"action" is "restart", not "deploy", "rollback" or "redeploy"`)},
		{"project empty", deployment("action.production", `{"project":"","service":"backend","tag":"a"}`),
			malformed(`"project" is empty; did a variable expand to nothing?`)},
		{"project a list", deployment("action.production", `{"project":["myproject"],"service":"backend","tag":"a"}`),
			malformed(`"project" is an array, not a string`)},
		{"project an object", deployment("action.production", `{"project":{"a":1},"service":"backend","tag":"a"}`),
			malformed(`"project" is an object, not a string`)},
		{"project misspelt", deployment("action.production", `{"Project":"vineyard","service":"backend","tag":"a"}`),
			malformed(`"Project" is not a member of a DEPLOY; did you mean "project"?`)},
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
		{"a service after task:", deployment("action.production", `{"service":"task:web-api","tag":"a"}`),
			malformed(`"service" is "task:web-api", but web-api is a service: write "service": "web-api"`)},
		{"a service after task: as task", deployment("action.production", `{"task":"task:web-api","tag":"a"}`),
			malformed(`"task" is "task:web-api", but web-api is a service: write "service": "web-api"`)},
		{"a task after service:", deployment("action.production", `{"service":"service:nightly-report","tag":"a"}`),
			malformed(`"service" is "service:nightly-report", but nightly-report is a scheduled task: ` +
				`write "task": "nightly-report"`)},
		{"no name after task:", deployment("action.production", `{"service":"task:","tag":"a"}`),
			malformed(`"service" is "task:", without a name`)},
		{"no name after service:", deployment("action.production", `{"task":"service:","tag":"a"}`),
			malformed(`"task" is "service:", without a name`)},
		{"service and task", deployment("action.production", `{"service":"backend","task":"nightly-report","tag":"a"}`),
			malformed(
				`both "service" ("backend") and "task" ("nightly-report") are set: one event deploys one of them`)},
		{"service empty", deployment("action.production", `{"service":"","tag":"a"}`),
			malformed(`"service" is empty: name what to deploy`)},
		{"service a list", deployment("action.production", `{"service":["backend"],"tag":"a"}`),
			malformed(`"service" is an array, not a string: write "services" for "service"`)},
		{"task a list", deployment("action.production", `{"task":["nightly-report"],"tag":"a"}`),
			malformed(`"task" is an array, not a string: write "services": ["task:NAME", …]`)},
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
			malformed(`"tag" is a number, not a string: write it in quotes`)},
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
				`"env" is a number, not a string: write it in quotes; "reason" is an object, not a string; "actor" ` +
					`is an array, not a string; "dry_run" is a string, not true or false; "force" is a number, not ` +
					`true or false`)},
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

// field reads an environment of the field.
func field(t *testing.T, name string) *environment.Environment {
	t.Helper()
	e, err := environment.Load(filepath.Join("..", "environment", "testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestUndelivered checks the answer about a project that the stack's rule drops. A test
// of the template compares the rule itself.
func TestUndelivered(t *testing.T) {
	t.Parallel()
	env := load(t, "prod")
	for project, what := range map[string]string{`null`: "null", `5`: "a number", `true`: "a boolean",
		`["vineyard"]`: "an array", `[[null], {"a": 1}]`: "an array"} {
		got := Read([]byte(deployment("action.production", `{"project":`+project+`,"service":"backend","tag":"a"}`)),
			env, now)
		want := Reading{ID: "e1", Verdict: Ignored, Reason: `the DEPLOY's "project" is ` + what + `, and the rule of ` +
			`the stack never delivers it; write "project": "myproject"`}
		if diff := cmp.Diff(want, unclaimed(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", project, diff)
		}
	}
}
