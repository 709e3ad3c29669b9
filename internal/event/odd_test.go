package event

import (
	"strings"
	"testing"
)

// TestOdd checks the answers to what senders write by mistake. What could mean two things
// is rejected, and what is more than a DEPLOY needs is ignored.
func TestOdd(t *testing.T) {
	t.Parallel()
	const (
		noService = `neither "service" nor "task" is set: name what to deploy`
		backend   = `DEPLOY of backend with tag v1 from action.production`
	)
	malformed := func(problems ...string) string { return "the DEPLOY is malformed: " + strings.Join(problems, "; ") }
	instead := func(key, member, value string) string {
		return `"` + key + `" is not a member of a DEPLOY: write "` + member + `": ` + value
	}
	tests := []struct{ name, detail, want string }{
		{"Service", `{"Service":"backend","tag":"v1"}`, malformed(noService,
			`"Service" is not a member of a DEPLOY; did you mean "service"?`)},
		{"app for service", `{"app":"backend","tag":"v1"}`, malformed(noService, instead("app", "service",
			`"backend"`))},
		{"service_name", `{"service_name":"web-api","tag":"v1"}`, malformed(noService,
			instead("service_name", "service", `"web-api"`))},
		{"serviceName of nothing", `{"serviceName":"frontend","tag":"v1"}`, malformed(noService)},
		{"a name besides the service", `{"name":"worker","service":"backend","tag":"v1"}`, backend},
		{"image for tag", `{"service":"backend","image":"v1"}`, malformed(noTag, instead("image", "tag", `"v1"`))},
		{"an image's reference for tag",
			`{"service":"backend","image":"111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:v1"}`,
			malformed(noTag, instead("image", "tag", `"v1"`))},
		{"imageTag", `{"service":"backend","imageTag":"v1"}`, malformed(noTag, instead("imageTag", "tag", `"v1"`))},
		{"version", `{"service":"backend","version":"1.2.3"}`, malformed(noTag, instead("version", "tag", `"1.2.3"`))},
		{"a Docker tag", `{"service":"backend","docker_tag":"v1"}`, malformed(noTag,
			instead("docker_tag", "tag", `"v1"`))},
		{"a digest", `{"service":"backend","image-digest":"sha256:0f"}`, malformed(noTag, `"image-digest" is not a `+
			`member of a DEPLOY: it deploys by tag, so write a tag of the image in "tag"`)},
		{"a digest besides the tag", `{"service":"backend","tag":"v1","digest":"sha256:0f"}`, backend},
		{"a repository and the tag", `{"service":"backend","tag":"r.io/a/b:v1@sha256:0f"}`, malformed(`tag ` +
			`"r.io/a/b:v1@sha256:0f" has a "/" or ":"; name the tag alone, without repository: "v1"`)},
		{"a tag and its digest", `{"service":"backend","tag":"v1@sha256:0f"}`, malformed(
			`tag "v1@sha256:0f" has a "/" or ":"; name the tag alone, without repository: "v1"`)},
		{"a Git tag", `{"service":"backend","tag":"refs/tags/v1.2.3"}`, malformed(
			`tag "refs/tags/v1.2.3" has a "/" or ":"; name the tag alone, without repository: "v1.2.3"`)},
		{"a Git branch", `{"service":"backend","tag":"refs/heads/main"}`, malformed(
			`tag "refs/heads/main" has a "/" or ":"; name the tag alone, without repository`)},
		{"a line break after the tag", `{"service":"backend","tag":"v1\n"}`, malformed(
			`tag "v1\n" has white space around it: "v1"`)},
		{"several tags", `{"service":"backend","tag":["v1","v2"]}`, malformed(
			`"tag" is an array, not a string: one event deploys one tag, so send an event for each tag`)},
		{"a tag after the service", `{"service":"backend:v1"}`, malformed(
			`"service" is "backend:v1": write "service": "backend", with "tag": "v1"`, noTag)},
		{"a revision after the task", `{"task":"nightly-report:4","tag":"v1"}`, malformed(
			`"task" is "nightly-report:4": write "task": "nightly-report"; the event names the image in "tag" alone`)},
		{"a new deployment", `{"service":"backend","forceNewDeployment":true}`, malformed(noTag,
			instead("forceNewDeployment", "action", `"redeploy"`))},
		{"a new deployment besides the tag", `{"service":"backend","tag":"v1","force_new_deployment":true}`, backend},
		{"another stage", `{"service":"backend","tag":"v1","stage":"dev"}`,
			malformed(`"stage" is "dev", but the event's source deploys prod: name the environment in "env", and ` +
				`send the event from its own source`)},
		{"a stage of a pipeline", `{"service":"backend","tag":"v1","stage":"Deploy"}`, backend},
		{"the payload of a repository_dispatch", `{"client_payload":{"service":"backend","tag":"v1"}}`, malformed(
			noService, noTag,
			`the members of the DEPLOY are in "client_payload": they have to be members of "detail" itself`)},
		{"a branch is no tag", `{"service":"backend","ref":"refs/heads/main"}`, malformed(noTag)},
		{"a commit besides the tag", `{"service":"backend","tag":"v1","commit":"abc","version":"2","ref":"x"}`,
			backend},
		{"the same image", `{"service":"backend","tag":"v1","image":"r.io/a/b:v1","image_tag":"v1"}`, backend},
		{"an image without a tag", `{"service":"backend","tag":"v1","image":"r.io/a/b"}`, backend},
		{"another image", `{"service":"backend","tag":"v1","image":"r.io/a/b:v2"}`,
			malformed(`"tag" is "v1", but "image" is "r.io/a/b:v2": remove one of them`)},
		{"another image tag", `{"service":"backend","tag":"v1","image-tag":"v2"}`,
			malformed(`"tag" is "v1", but "image-tag" is "v2": remove one of them`)},
		{"another environment", `{"service":"backend","tag":"v1","environment":"staging"}`,
			malformed(`"environment" is "staging", but the event's source deploys prod: name the environment in ` +
				`"env", ` +
				`and send the event from its own source`)},
		{"the environment", `{"service":"backend","tag":"v1","environment":"Prod"}`, backend},
		{"the environment by its source", `{"service":"backend","tag":"v1","environment":"production"}`, backend},
		{"an environment that is no name", `{"service":"backend","tag":"v1","environment":{"a":1}}`, backend},
		{"operation for action", `{"service":"backend","operation":"Rollback"}`, malformed(noTag,
			instead("operation", "action", `"rollback"`))},
		{"operation for action, with a tag", `{"service":"backend","tag":"v1","command":"rollback"}`,
			malformed(instead("command", "action", `"rollback"`))},
		{"the type of a deployment", `{"service":"backend","tag":"v1","type":"deploy"}`, backend},
		{"rollback as a flag", `{"service":"backend","tag":"v1","rollback":true}`,
			malformed(instead("rollback", "action", `"rollback"`))},
		{"redeploy as a flag", `{"service":"backend","redeploy":true}`,
			malformed(noTag, instead("redeploy", "action", `"redeploy"`))},
		{"mode for action", `{"service":"backend","mode":"Redeploy"}`, malformed(noTag,
			instead("mode", "action", `"redeploy"`))},
		{"no rollback", `{"service":"backend","tag":"v1","rollback":false}`, backend},
		{"preview for dry_run", `{"service":"backend","tag":"v1","preview":true}`,
			malformed(`"preview" is not a member of a DEPLOY: write "dry_run": true, so that the event deploys ` +
				`nothing`)},
		{"no-op for dry_run", `{"service":"backend","tag":"v1","no-op":true}`,
			malformed(`"no-op" is not a member of a DEPLOY: write "dry_run": true, so that the event deploys nothing`)},
		{"a plan that is no flag", `{"service":"backend","tag":"v1","plan":"enterprise"}`, backend},
		{"flags as text", `{"service":"backend","tag":"v1","dry_run":"true","force":"False"}`,
			malformed(`"dry_run" is a string, not true or false: write it without quotes`,
				`"force" is a string, not true or false: write it without quotes`)},
		{"a list of tasks", `{"tasks":["nightly-report"],"tag":"v1"}`, malformed(noService,
			`"tasks" is not a member of a DEPLOY: write "services": ["task:NAME", …]`)},
		{"a list wrapped once more", `{"payload":{"services":["backend"],"tag":"v1"}}`, malformed(noService, noTag,
			`the members of the DEPLOY are in "payload": they have to be members of "detail" itself`)},
		{"wrapped once more", `{"detail":{"service":"backend","tag":"v1"}}`, malformed(noService, noTag,
			`the members of the DEPLOY are in "detail": they have to be members of "detail" itself`)},
		{"wrapped as a text", `{"payload":"{\"service\":\"backend\",\"tag\":\"v1\"}"}`, malformed(noService, noTag,
			`the members of the DEPLOY are in "payload" as a text: they have to be members of "detail" itself`)},
		{"a payload besides the service", `{"service":"backend","tag":"v1","payload":{"service":"worker"}}`, backend},
		{"encoded twice", `"{\"service\":\"backend\",\"tag\":\"v1\"}"`,
			malformed(`"detail" is a string, not a JSON object: the object was encoded twice; encode it once`)},
		{"a text that is no object", `"backend"`, malformed(`"detail" is a string, not a JSON object`)},
		{"a list of details", `[{"service":"backend","tag":"v1"}]`,
			malformed(`"detail" is an array, not a JSON object: send an event for each, or one event with ` +
				`"services": ["NAME", …] for one tag`)},
		{"the name of the ECS service", `{"service":"myproject_service_web-api_prod","tag":"v1"}`,
			malformed(`service "myproject_service_web-api_prod" is not in the prod environment: it is the ECS ` +
				`service of "web-api"; write that name`)},
		{"the ARN of the ECS service",
			`{"service":"arn:aws:ecs:us-east-1:333333333333:service/myproject_cluster_prod/myproject_service_prod",` +
				`"tag":"v1"}`,
			malformed(`service ` +
				`"arn:aws:ecs:us-east-1:333333333333:service/myproject_cluster_prod/myproject_service_prod" ` +
				`is not in the prod environment: it is the ECS service of "backend"; write that name`)},
		{"the repository", `{"service":"myproject_backend","tag":"v1"}`, malformed(`service "myproject_backend" is ` +
			`not in the prod environment: it is the repository of "backend"; write that name`)},
		{"white space", `{"service":"backend ","tag":"v1"}`,
			malformed(`service "backend " is not in the prod environment; did you mean "backend"?`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Read([]byte(deployment("action.production", tt.detail)), load(t, "prod"), now)
			want := Rejected
			if tt.want == backend {
				want = Accepted
			}
			if got.Verdict != want || got.Reason != tt.want {
				t.Errorf("%s: %s\nwant %s: %s", got.Verdict, got.Reason, want, tt.want)
			}
		})
	}
}

// TestOddEnvelope checks the answers to what is no event.
func TestOddEnvelope(t *testing.T) {
	t.Parallel()
	const none = `the event has no "source" or no "detail-type": it is not an EventBridge event`
	const entry = none + `: it is an entry of PutEvents; EventBridge makes an event of it, with "source", ` +
		`"detail-type" ` +
		`and "detail"`
	const list = `the event is an array, not a JSON object: each event comes by itself, and an entry of PutEvents is ` +
		`no event yet`
	for raw, want := range map[string]string{
		`{"Source":"action.prod","DetailType":"DEPLOY","Detail":"{}"}`:   entry,
		`[{"Source":"action.prod","DetailType":"DEPLOY","Detail":"{}"}]`: list,
		`{"source":"action.prod","detailType":"DEPLOY","detail":{}}`: none + `: write "detail-type" for ` +
			`"detailType"`,
		`{"source":"action.prod","detail_type":"DEPLOY","detail":{}}`: none + `: write "detail-type" for ` +
			`"detail_type"`,
		`{"service":"backend","tag":"v1"}`: none + `: it is the detail of one; the ` +
			`detail is sent with a source and the detail-type "DEPLOY"`,
		`{"services":"*","tag":"v1"}`: none + `: it is the ` +
			`detail of one; the detail is sent with a source and the detail-type "DEPLOY"`,
		`{"Records":[{"body":"{}"}]}`: none,
	} {
		if got := Read([]byte(raw), load(t, "prod"), now); got.Verdict != Rejected || got.Reason != want {
			t.Errorf("%s: %s\n%s\nwant %s", raw, got.Verdict, got.Reason, want)
		}
	}
}
