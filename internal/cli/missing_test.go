package cli

import (
	"strings"
	"testing"

	"deployer/internal/environment"
	"deployer/internal/logs"
)

// TestNoteMissing checks what an empty list of decisions says of pushes.
func TestNoteMissing(t *testing.T) {
	t.Parallel()
	const head = `project: shop, region: us-east-1, account_id: "111111111111"`
	const own = "; a DEPLOY event does\ndeployer: hint: deployer send -f e.yaml "
	for _, tt := range []struct{ name, file, service, want string }{
		{"pushes deploy", `{` + head + `, env: dev}`, "", "deployer: a push or a DEPLOY event that is not here did " +
			"not reach the function\ndeployer: hint: deployer doctor -f e.yaml\n"},
		{"production", `{` + head + `, env: prod}`, "",
			"deployer: prod has no rule for pushes: auto_deploy is empty, so no push deploys" + own + "backend TAG\n"},
		{"none by the file", `{` + head + `, env: dev, services: [{name: web}], deployer: {auto_deploy: []}}`, "web",
			"deployer: dev has no rule for pushes: auto_deploy is empty, so no push deploys" + own + "web TAG\n"},
		{"all opted out", `{` + head + `, env: dev, workload: {backend_auto_deploy: false}}`, "",
			"deployer: dev has no rule for pushes: no push deploys any of its services and tasks" + own +
				"backend TAG\n"},
		{"no DEPLOY either", `{` + head + `, env: prod, deployer: {deploy_sources: []}}`, "",
			"deployer: prod has no rule for pushes: auto_deploy is empty, so no push deploys\n"},
	} {
		env, err := environment.Parse("e.yaml", []byte(tt.file))
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		var errs strings.Builder
		(&app{err: &errs}).noteMissing(env, tt.service)
		if got := errs.String(); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// TestConcerns checks which decisions are about a service.
func TestConcerns(t *testing.T) {
	t.Parallel()
	env, err := environment.Parse("e.yaml", []byte(`{project: shop, env: dev, region: us-east-1, `+
		`services: [{name: web}, {name: worker}], scheduled_tasks: [{name: worker}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		entry logs.Entry
		want  string // the services and tasks that it is about
	}{
		{"about nothing", logs.Entry{}, "backend web worker task:worker"},
		{"a malformed event", logs.Entry{Source: "action.dev"}, "backend web worker task:worker"},
		{"another's repository", logs.Entry{Source: "aws.ecr", Repository: "other"}, ""},
		{"another's service", logs.Entry{Source: "aws.ecs"}, ""},
		{"a service", logs.Entry{Service: "worker"}, "worker"},
		{"a task of the same name", logs.Entry{Service: "task:worker"}, "task:worker"},
		{"several", logs.Entry{Service: "web, task:worker"}, "web task:worker"},
		{"all", logs.Entry{Service: "*"}, "backend web worker task:worker"},
		{"mistyped", logs.Entry{Service: "wrker"}, "worker"},
		{"a service that is gone", logs.Entry{Service: "billing"}, ""},
		{"a push in a queue", logs.Entry{Service: "shop_service_web"}, "web"},
		{"another's push in a queue", logs.Entry{Service: "shop_service_webs"}, ""},
	} {
		var got []string
		for _, label := range labels(env) {
			if concerns(env, tt.entry, label) {
				got = append(got, label)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
