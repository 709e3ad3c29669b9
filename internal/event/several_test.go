package event

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
)

// TestSeveral checks the requests of a DEPLOY of several workloads.
func TestSeveral(t *testing.T) {
	t.Parallel()
	const from = " from action.production"
	tests := []struct {
		name, detail, reason string
		want                 []string // the workloads, with what differs from a plain request
	}{
		{"two", `{"services":["worker","backend"],"tag":"v2"}`, "DEPLOY of worker, backend with tag v2" + from,
			[]string{"worker v2", "backend v2"}},
		{"one", `{"services":["worker"],"tag":"v2"}`, "DEPLOY of worker with tag v2" + from, []string{"worker v2"}},
		{"names with their kind", `{"services":["service:worker","task:nightly-report"],"tag":"v2"}`,
			"DEPLOY of worker, task:nightly-report with tag v2" + from, []string{"worker v2", "nightly-report v2"}},
		{"null members", `{"service":null,"task":null,"services":["worker"],"tag":"v2"}`,
			"DEPLOY of worker with tag v2" + from, []string{"worker v2"}},
		{"all", `{"services":"*","tag":"v2"}`, "DEPLOY of all workloads whose repository has the tag v2" + from,
			[]string{"backend v2 optional", "web-api v2 optional", "worker v2 optional", "nightly-report v2 optional"}},
		{"redeploy two", `{"services":["worker","backend"],"action":"redeploy"}`,
			"redeployment of worker, backend" + from, []string{"worker  redeploy", "backend  redeploy"}},
		{"redeploy all", `{"services":"*","action":"redeploy","force":true}`,
			"redeployment of backend, web-api, worker, task:nightly-report" + from,
			[]string{"backend  redeploy optional", "web-api  redeploy optional", "worker  redeploy optional",
				"nightly-report  redeploy optional"}},
		{"roll back two", `{"services":["worker","backend"],"action":"rollback"}`,
			"rollback of worker, backend" + from, []string{"worker  rollback", "backend  rollback"}},
		{"our project and environment", `{"project":"myproject","env":"prod","services":["worker"],"tag":"v2"}`,
			"DEPLOY of worker with tag v2" + from, []string{"worker v2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reading := Read([]byte(deployment("action.production", tt.detail)), load(t, "prod"), now)
			var got []string
			for _, r := range reading.Requests {
				line := r.Workload.Name + " " + r.Tag
				for _, word := range []string{"redeploy", "rollback", "optional", "alone"} {
					if map[string]bool{"optional": r.Optional, "redeploy": r.Redeploy, "rollback": r.Rollback,
						"alone": !r.Together}[word] {
						line += " " + word
					}
				}
				got = append(got, line)
			}
			diff := cmp.Diff(tt.want, got)
			if diff != "" || reading.Verdict != Accepted || reading.Reason != tt.reason {
				t.Errorf("%s: %s\n%s", reading.Verdict, reading.Reason, diff)
			}
		})
	}
	for other, detail := range map[string]string{
		"project": `{"project":"vineyard","services":["frontend"],"tag":"v2"}`,
		"env":     `{"env":"dev","services":[],"tag":"v2"}`,
	} {
		if got := Read([]byte(deployment("action.production", detail)), load(t, "prod"), now); got.Verdict != Ignored {
			t.Errorf("another %s: %+v", other, got)
		}
	}
}

// TestSeveralRejected checks every message about the member "services".
func TestSeveralRejected(t *testing.T) {
	t.Parallel()
	names := make([]string, MaxServices+1)
	for i := range names {
		names[i] = fmt.Sprintf(`"s%d"`, i)
	}
	many := `[` + strings.Join(names, ",") + `]`
	tests := []struct{ name, members, want string }{
		{"empty", `"services":[]`, `"services" is empty: name what to deploy`},
		{"an empty text", `"services":""`, `"services" is empty: name what to deploy`},
		{"an empty name", `"services":["worker",""]`, `"services" has an empty name`},
		{"a name", `"services":"worker"`, `"services" is "worker", not an array of names, or "*": write "services": ` +
			`["worker"]`},
		{"names with commas", `"services":"worker, backend"`, `"services" is "worker, backend", not an array of ` +
			`names, or "*": write "services": ["worker", "backend"]`},
		{"names with spaces", `"services":"worker  backend;\n"`, `"services" is "worker  backend;\n", not an array ` +
			`of names, or "*": write "services": ["worker", "backend"]`},
		{"only separators", `"services":" , "`, `"services" is empty: name what to deploy`},
		{"an array encoded twice", `"services":"[\"worker\", \"backend\"]"`, `"services" is "[\"worker\", ` +
			`\"backend\"]", the text of an array: it was encoded twice; write "services": ["worker", "backend"]`},
		{"an empty array encoded twice", `"services":"[]"`, `"services" is empty: name what to deploy`},
		{"an array of numbers encoded twice", `"services":"[1, 2]"`,
			`"services" is "[1, 2]", not an array of names, or "*": write "services": ["1", "2"]`},
		{"an array without quotes", `"services":"[worker, backend]"`, `"services" is "[worker, backend]", not an ` +
			`array of names, or "*": write "services": ["worker", "backend"]`},
		{"an array with other quotes", `"services":"['worker']"`, `"services" is "['worker']", not an array of ` +
			`names, or "*": write "services": ["worker"]`},
		{"an array of an array's text", `"services":["[worker, backend]"]`, `"services" has "[worker, backend]": ` +
			`write "worker", "backend"`},
		{"a star with a space", `"services":"* "`,
			`"services" is "* ": write "services": "*" for all workloads whose repository has the tag`},
		{"the word for all", `"services":"All"`,
			`"services" is "All": write "services": "*" for all workloads whose repository has the tag`},
		{"a tag for each", `"services":{"worker":"v2"}`, `"services" is an object, not an array of names, or "*"; ` +
			`one event deploys one tag, so send an event for each tag`},
		{"names with tags", `"services":["worker:v2"]`, `"services" has "worker:v2": write "worker"; one event ` +
			`deploys one tag, so send an event for each tag, with "tag": "v2"`},
		{"names with kinds and tags", `"services":["service:worker:v2","task:nightly-report:v3","worker:"]`,
			`"services" has "service:worker:v2": write "worker"; one event deploys one tag, so send an event for ` +
				`each tag, with "tag": "v2"; "services" has "task:nightly-report:v3": write "task:nightly-report"; ` +
				`one event deploys one tag, so send an event for each tag, with "tag": "v3"; "services" has ` +
				`"worker:": write "worker"; one event deploys one tag, so send an event for each tag`},
		{"kinds without names", `"services":["task:","service:"]`,
			`"services" has "task:", without a name; "services" has "service:", without a name`},
		{"service with commas", `"service":"worker, backend"`,
			`"service" is "worker, backend": write "services": ["worker", "backend"]`},
		{"service with a service and a task", `"service":"worker; task:nightly-report"`,
			`"service" is "worker; task:nightly-report": write "services": ["worker", "task:nightly-report"]`},
		{"service with an unknown name", `"service":"worker nope"`,
			`"service" is "worker nope": write "services": ["worker", "nope"]`},
		{"task with commas", `"task":"nightly-report,hourly"`,
			`"task" is "nightly-report,hourly": write "services": ["task:nightly-report", "task:hourly"]`},
		{"task for all", `"task":"*"`,
			`"task" is "*": write "services": "*" for all workloads whose repository has the tag`},
		{"an empty task", `"task":""`, `"task" is empty: name what to deploy`},
		{"service for all", `"service":"*"`,
			`"service" is "*": write "services": "*" for all workloads whose repository has the tag`},
		{"another word", `"workloads":["worker"]`, `neither "service" nor "task" is set: name what to deploy; ` +
			`"workloads" is not a member of a DEPLOY: write "services"`},
		{"a rollback to a revision", `"services":["worker"],"action":"rollback","to":41`, `"to" is not a member of a ` +
			`DEPLOY: a rollback by an event is to the previous image whose rollout succeeded; for another revision, ` +
			`run deployer rollback --to`},
		{"true", `"services":true`, `"services" is a boolean, not an array of names, or "*"`},
		{"elements of other kinds", `"services":["worker",{"name":"backend"},7]`,
			`"services" has an object, and each element is a name; one event deploys one tag, so send an event for ` +
				`each tag; "services" has a number, and each element is a name`},
		{"a star among names", `"services":["worker","*"]`, `"services" has "*" among its names: write "services": ` +
			`"*" for all workloads whose repository has the tag`},
		{"twice", `"services":["worker","backend","worker"]`, `"services" names "worker" twice`},
		{"a task twice", `"services":["task:nightly-report","task:nightly-report"]`,
			`"services" names "task:nightly-report" twice`},
		{"twice, by its kind", `"services":["worker","service:worker"]`, `"services" names "worker" twice`},
		{"unknown names", `"services":["frontnd","worker","web_api"]`,
			`service "frontnd" is not in the prod environment, which has backend, web-api, worker; service "web_api" ` +
				`is not in the prod environment; did you mean "web-api"?`},
		{"a list in an element", `"services":["worker,backend"," task:nightly-report, worker"]`,
			`"services" has "worker,backend": write "worker", "backend"; "services" has " task:nightly-report, ` +
				`worker": write "task:nightly-report", "worker"`},
		{"names with spaces in an element", `"services":["worker backend"]`,
			`"services" has "worker backend": write "worker", "backend"`},
		{"kinds in other spellings", `"services":["Task:nightly-report","tasks:nightly-report","task: nightly-report"]`,
			`service "Task:nightly-report" is not in the prod environment; did you mean "task:nightly-report"?; ` +
				`service "tasks:nightly-report" is not in the prod environment; did you mean "task:nightly-report"?; ` +
				`task " nightly-report" is not in the prod environment; did you mean "nightly-report"?`},
		{"a task without its kind", `"services":["nightly-report"]`,
			`"services" has "nightly-report", which is a scheduled task: write "task:nightly-report"`},
		{"a service as a task", `"services":["task:worker"]`,
			`"services" has "task:worker", and worker is a service: write "worker"`},
		{"an unknown task", `"services":["task:nightly"]`,
			`task "nightly" is not in the prod environment, which has nightly-report`},
		{"the ECS service's name", `"services":["myproject_service_prod"]`, `service "myproject_service_prod" is not ` +
			`in the prod environment: it is the ECS service of "backend"; write that name`},
		{"with service", `"service":"backend","services":["worker"]`,
			`both "service" and "services" are set: name everything in one of them`},
		{"with task", `"task":"nightly-report","services":["worker"]`,
			`both "task" and "services" are set: name everything in one of them`},
		{"more than 50", `"services":` + many,
			`"services" has 51 names, and one event deploys at most 50: send several events`},
		{"a rollback of all", `"services":"*","action":"rollback"`, `"action" is "rollback", and "services" is "*": ` +
			`name the services, because each is rolled back to its own previous image`},
		{"misspelt", `"Services":["worker"],"service":"backend"`,
			`"Services" is not a member of a DEPLOY; did you mean "services"?`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			detail := `{` + tt.members + `,"tag":"v2"}`
			if strings.Contains(tt.members, "rollback") {
				detail = `{` + tt.members + `}`
			}
			got := Read([]byte(deployment("action.production", detail)), load(t, "prod"), now)
			if want := "the DEPLOY is malformed: " + tt.want; got.Verdict != Rejected || got.Reason != want {
				t.Errorf("%s: %s\nwant %s", got.Verdict, got.Reason, want)
			}
		})
	}
	env, err := environment.Parse("dev.yaml", []byte("project: p\nenv: dev\nregion: us-east-1\naccount_id: "+
		"\"111111111111\"\nworkload: {backend_external_docker_image: \"nginx:1\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := Read([]byte(deployment("action.dev", `{"services":"*","tag":"v2"}`)), env, now)
	const none = `the DEPLOY is malformed: "services" is "*", and no workload of dev that can be deployed has an ` +
		`image in ECR`
	if got.Verdict != Rejected || got.Reason != none {
		t.Errorf("%s: %s", got.Verdict, got.Reason)
	}
}

// TestSeveralClaims checks what a rejected event is said to be about.
func TestSeveralClaims(t *testing.T) {
	t.Parallel()
	for members, want := range map[string]string{
		`"services":["worker","nope"]`: "worker, nope", `"services":"*"`: "*", `"services":"a,b"`: "a,b",
		`"services":["` + strings.Repeat("ä", 100) + `"]`: strings.Repeat("ä", 80) + "…",
		`"services":[1]`: "", `"services":["worker"],"service":"backend"`: "backend",
	} {
		raw := deployment("action.production", `{`+members+`,"tag":"v2"}`)
		if got := ClaimsOf([]byte(raw), now); got.Service != want || got.Tag != "v2" {
			t.Errorf("%s: %+v, want %q", members, got, want)
		}
	}
}

// TestSeveralMost names as many workloads as one event deploys, and one more.
func TestSeveralMost(t *testing.T) {
	t.Parallel()
	env, names := load(t, "prod"), []string(nil)
	for i := range MaxServices + 1 {
		w := env.Workloads[1]
		w.Name = fmt.Sprint("s", i)
		env.Workloads, names = append(env.Workloads, w), append(names, w.Name)
	}
	if all, wrong := Named(env, names[:MaxServices]); len(all) != MaxServices || len(wrong) > 0 {
		t.Errorf("%d workloads, %v", len(all), wrong)
	}
	if all, wrong := Named(env, names); len(all) > 0 || len(wrong) != 1 {
		t.Errorf("one more: %d workloads, %v", len(all), wrong)
	}
	// Of all, how many have a tag is known later. All are redeployed.
	const all = `{"services":"*","action":"redeploy"}`
	got := Read([]byte(deployment("action.production", all)), env, now)
	if want := fmt.Sprintf(`the DEPLOY is malformed: "services" is "*", for which %d workloads can be redeployed, and `+
		`one event deploys at most 50: name them, in several events`, len(env.Workloads)); got.Reason != want ||
		got.Verdict != Rejected {
		t.Errorf("%s: %s\nwant %s", got.Verdict, got.Reason, want)
	}
	env.Workloads = env.Workloads[len(env.Workloads)-MaxServices:]
	got = Read([]byte(deployment("action.production", all)), env, now)
	if got.Verdict != Accepted || len(got.Requests) != MaxServices {
		t.Errorf("%s: %s", got.Verdict, got.Reason)
	}
}
