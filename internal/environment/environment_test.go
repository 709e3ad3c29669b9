package environment

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/image"
)

// head is a minimal environment file.
const head = "project: myproject\nenv: staging\nregion: us-east-1\naccount_id: \"222222222222\"\n"

// TestExamples checks what every file of examples/ means, by the three patterns of
// docs/strategies.md.
func TestExamples(t *testing.T) {
	t.Parallel()
	own := map[string]image.Registry{
		"dev":     {AccountID: "111111111111", Region: "us-east-1"},
		"staging": {AccountID: "222222222222", Region: "us-east-1"},
		"prod":    {AccountID: "333333333333", Region: "us-east-1"},
	}
	type want struct {
		Strategy, Cluster string
		Registry          image.Registry
		AutoDeploy        TagPolicy
		DeploySources     []string
	}
	policy := map[string]struct {
		tags    TagPolicy
		sources []string
	}{
		"dev":     {TagPolicy{"latest"}, []string{"action.dev"}},
		"staging": {TagPolicy{"latest", "env-staging-*"}, []string{"action.staging"}},
		"prod":    {TagPolicy{}, []string{"action.prod", "action.production"}},
	}
	for file, registry := range map[string]string{
		"centralized-dev-ecr/dev": "dev", "centralized-dev-ecr/staging": "dev", "centralized-dev-ecr/prod": "dev",
		"isolated-production-ecr/dev": "dev", "isolated-production-ecr/staging": "dev",
		"isolated-production-ecr/prod": "prod",
		"per-environment-ecr/dev":      "dev", "per-environment-ecr/staging": "staging",
		"per-environment-ecr/prod": "prod",
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			e, err := Load(filepath.Join("..", "..", "examples", file+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Base(file)
			strategy := CrossAccount
			if registry == name {
				strategy = Local
			}
			got := want{e.Strategy.Name, e.Cluster, e.Registry(), e.AutoDeploy, e.DeploySources}
			if diff := cmp.Diff(want{strategy, "myproject_cluster_" + name, own[registry], policy[name].tags,
				policy[name].sources}, got); diff != "" {
				t.Error(diff)
			}
			if len(e.Warnings) > 0 {
				t.Errorf("warnings: %v", e.Warnings)
			}
		})
	}
	files, err := filepath.Glob("../../examples/*/*.yaml")
	if err != nil || len(files) != 9 {
		t.Errorf("examples/ holds %d files (%v), and this test reads 9", len(files), err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	e, err := Parse("staging.yaml", []byte(head+`
services:
  - name: web-api
  - name: web
  - {name: shared, ecr_config: {mode: use_existing, source_service_name: nightly, source_service_type: scheduled_tasks}}
  - {name: manual, ecr_config: {mode: manual_repo, repository_uri: "444444444444.dkr.ecr.eu-west-1.amazonaws.com/team/app"}}
  - {name: hub, docker_image: "nginx:1.29"}
  - {name: chain, ecr_config: {mode: use_existing, source_service_name: manual}}
scheduled_tasks:
  - name: nightly
event_processor_tasks:
  - {name: resize, rule_name: uploads}
workload:
  backend_external_docker_image: ""
deployer:
  workloads:
    web: {service: legacy-web, container: app}
`))
	if err != nil {
		t.Fatal(err)
	}
	own := image.Registry{AccountID: "222222222222", Region: "us-east-1"}
	const local = "strategy local: ecr_strategy is not set, and neither is ecr_account_id"
	want := []Workload{
		{Kind: Backend, Name: "backend", Repository: "myproject_backend", Registry: own, RegistryReason: local,
			Pointer: ECSService("myproject_service_staging"), Family: "myproject_service_staging",
			Container: "myproject_service_staging"},
		{Kind: Service, Name: "web-api", Repository: "myproject_service_web-api", Registry: own, RegistryReason: local,
			Pointer: ECSService("myproject_service_web-api_staging"), Family: "myproject_service_web-api_staging",
			Container: "myproject_service_web-api_staging"},
		{Kind: Service, Name: "web", Repository: "myproject_service_web", Registry: own, RegistryReason: local,
			Pointer: ECSService("legacy-web"), Family: "myproject_service_web_staging", Container: "app"},
		{Kind: Service, Name: "shared", Repository: "myproject_task_nightly", Registry: own, RegistryReason: local,
			Pointer: ECSService("myproject_service_shared_staging"), Family: "myproject_service_shared_staging",
			Container: "myproject_service_shared_staging"},
		{Kind: Service, Name: "manual", Repository: "team/app",
			Registry:       image.Registry{AccountID: "444444444444", Region: "eu-west-1"},
			RegistryReason: "ecr_config of manual names it", Pointer: ECSService("myproject_service_manual_staging"),
			Family: "myproject_service_manual_staging", Container: "myproject_service_manual_staging"},
		{Kind: Service, Name: "hub", External: "nginx:1.29", Pointer: ECSService("myproject_service_hub_staging"),
			Family: "myproject_service_hub_staging", Container: "myproject_service_hub_staging"},
		{Kind: Service, Name: "chain", Repository: "team/app",
			Registry:       image.Registry{AccountID: "444444444444", Region: "eu-west-1"},
			RegistryReason: "ecr_config of chain names it", Pointer: ECSService("myproject_service_chain_staging"),
			Family: "myproject_service_chain_staging", Container: "myproject_service_chain_staging"},
		{Kind: ScheduledTask, Name: "nightly", Repository: "myproject_task_nightly", Registry: own,
			RegistryReason: local, Family: "nightly", Container: "myproject_container_nightly_staging"},
		{Kind: EventTask, Name: "resize", Repository: "myproject_task_resize", Registry: own, RegistryReason: local,
			Family: "resize", Container: "myproject_container_resize_staging"},
	}
	if diff := cmp.Diff(want, e.Workloads); diff != "" {
		t.Error(diff)
	}
	if w, ok := e.Find("web", Services...); !ok ||
		w.Reference("v1").String() != "222222222222.dkr.ecr.us-east-1.amazonaws.com/myproject_service_web:v1" {
		t.Errorf("web: %v %v", w, ok)
	}
	if w, ok := e.Find("manual", Services...); !ok || w.Registry.AccountID != "444444444444" {
		t.Errorf("manual: %v %v", w, ok)
	}
}

func TestStrategyIsDerived(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, env, keys, want, why string }{
		{"dev", "dev", "", Local, "ecr_strategy is not set, and env is dev"},
		{"dev even with an account", "dev", "ecr_account_id: \"111111111111\"\n", Local,
			"ecr_strategy is not set, and env is dev"},
		{"account set", "prod", "ecr_account_id: '111111111111'\necr_account_region: us-east-1\n", CrossAccount,
			"ecr_strategy is not set, and ecr_account_id is"},
		{"account null", "prod", "ecr_account_id: null\n", Local,
			"ecr_strategy is not set, and neither is ecr_account_id"},
		{"account empty", "prod", "ecr_account_id: \"\"\n", Local,
			"ecr_strategy is not set, and neither is ecr_account_id"},
		{"strategy null", "prod", "ecr_strategy: null\necr_account_id: ~\n", Local,
			"ecr_strategy is not set, and neither is ecr_account_id"},
		{"strategy empty", "dev", "ecr_strategy: \"\"\n", Local, "ecr_strategy is not set, and env is dev"},
		{"dev is exact", "dev2", "ecr_account_id: '111111111111'\necr_account_region: us-east-1\n", CrossAccount,
			"ecr_strategy is not set, and ecr_account_id is"},
		{"set", "dev", "ecr_strategy: cross_account\necr_account_id: '111111111111'\necr_account_region: us-east-1\n",
			CrossAccount, "set by ecr_strategy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := Parse("x.yaml", []byte("project: p\nregion: eu-west-1\nenv: "+tt.env+"\n"+tt.keys))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(Strategy{tt.want, tt.why}, e.Strategy); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAccountIDsAreText(t *testing.T) {
	t.Parallel()
	e, err := Parse("prod.yaml",
		[]byte(
			"project: p\nenv: prod\nregion: us-east-1\naccount_id: 026148122259\necr_strategy: cross_account\n"+
				"ecr_account_id: 012345670123\necr_account_region: us-east-1\n"))
	if err != nil {
		t.Fatal(err)
	}
	if e.AccountID != "026148122259" || e.Registry().AccountID != "012345670123" {
		t.Errorf("accounts %q and %q", e.AccountID, e.Registry().AccountID)
	}
	want := "prod.yaml:4:13: warning: `account_id` is a number without quotes (write \"026148122259\": some readers " +
		"of YAML change it)\n" +
		"prod.yaml:6:17: warning: `ecr_account_id` is a number without quotes (write \"012345670123\": some readers " +
		"of YAML change it)"
	if diff := cmp.Diff(want, e.Warnings.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, env, deployer string
		tags                map[string]bool
		sources             []string
	}{
		{"dev", "dev", "", map[string]bool{"latest": true, "git-abc123f": false, "env-dev-1": false},
			[]string{"action.dev"}},
		{"staging", "staging", "", map[string]bool{"latest": true, "env-staging-20250122": true,
			"env-prod-20250122": false, "stable": false}, []string{"action.staging"}},
		{"prod", "prod", "", map[string]bool{"latest": false, "stable": false},
			[]string{"action.prod", "action.production"}},
		{"production", "production", "", map[string]bool{"latest": false}, []string{"action.production"}},
		{"null is the default", "dev", "auto_deploy: null", map[string]bool{"latest": true}, []string{"action.dev"}},
		{"none", "dev", "auto_deploy: []", map[string]bool{"latest": false}, []string{"action.dev"}},
		{"own", "prod", "{auto_deploy: [stable, 'v[0-9]*'], deploy_sources: [ci.release]}",
			map[string]bool{"stable": true, "v1.2.3": true, "version": false}, []string{"ci.release"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			section := ""
			if tt.deployer != "" {
				section = "deployer:\n  " + tt.deployer + "\n"
			}
			e, err := Parse("x.yaml", []byte("project: p\nregion: eu-west-1\nenv: "+tt.env+"\n"+section))
			if err != nil {
				t.Fatal(err)
			}
			for tag, want := range tt.tags {
				if e.AutoDeploy.Match(tag) != want {
					t.Errorf("%s matches %q: %v, want %v", e.AutoDeploy, tag, !want, want)
				}
			}
			if diff := cmp.Diff(tt.sources, e.DeploySources); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in string }{
		{"carriage returns", strings.ReplaceAll(head, "\n", "\r\n")},
		{"byte order mark", "\ufeff" + head},
		{"flow", `{project: myproject, env: staging, region: us-east-1, account_id: "222222222222"}`},
		{"merge key",
			"base: &base {project: other, region: us-east-1}\n<<: *base\nproject: myproject\nenv: staging\n" +
				"account_id: \"222222222222\"\n"},
		{"alias", "a: &a myproject\nproject: *a\nenv: staging\nregion: us-east-1\naccount_id: \"222222222222\"\n"},
		{"foreign tags", head + "stack: !Sub '${x}'\nother: !GetAtt a.b\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := Parse("x.yaml", []byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if e.Project != "myproject" || e.Name != "staging" ||
				e.Registry() != (image.Registry{AccountID: "222222222222", Region: "us-east-1"}) {
				t.Errorf("got %+v", e)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	e, err := Parse("x.yaml",
		[]byte(head+"ecr_stategy: local\nservices:\n  - {name: web, dokcer_image: nginx}\npostgres: {}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := "x.yaml:5:1: warning: `ecr_stategy` is not a key the deployer reads (did you mean `ecr_strategy`?)\n" +
		"x.yaml:7:17: warning: `services[0].dokcer_image` is not a key the deployer reads (did you mean " +
		"`docker_image`?)"
	if diff := cmp.Diff(want, e.Warnings.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestIn(t *testing.T) {
	t.Parallel()
	const other = "444444444444.dkr.ecr.us-east-1.amazonaws.com"
	for _, tt := range []struct{ name, keys, backend, named string }{
		{"no account", "", "111111111111", "444444444444"},
		{"another account", "account_id: \"222222222222\"\n", "111111111111", "444444444444"},
		{"another registry",
			"ecr_strategy: cross_account\necr_account_id: \"555555555555\"\necr_account_region: us-east-1\n",
			"555555555555", "444444444444"},
	} {
		e, err := Parse("x.yaml", []byte("project: p\nenv: dev\nregion: us-east-1\n"+tt.keys+
			"services: [{name: named, ecr_config: {mode: manual_repo, repository_uri: "+other+"/team/app}}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		before := slices.Clone(e.Workloads)
		in := e.In("111111111111")
		if got := in.Workloads; got[0].Registry != in.Registry() || got[0].Registry.AccountID != tt.backend ||
			got[1].Registry.AccountID != tt.named {
			t.Errorf("%s: registries %v and %v, want accounts %s and %s", tt.name, got[0].Registry, got[1].Registry,
				tt.backend, tt.named)
		}
		if diff := cmp.Diff(in.Workloads[0], in.Current(before[0])); diff != "" {
			t.Errorf("%s: Current: %s", tt.name, diff)
		}
		if diff := cmp.Diff(before, e.Workloads); diff != "" {
			t.Errorf("%s: In changed the original: %s", tt.name, diff)
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	if !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "reading the environment file: open ") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../../examples/*/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(head + "deployer: {auto_deploy: [a], workloads: {backend: {service: x}}}\n"))
	f.Add([]byte("a: &a {<<: *a}\n<<: *a\n"))
	f.Add([]byte("env: &e [*e]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Parse("x.yaml", data)
		var faults Faults
		if err != nil && !errors.As(err, &faults) {
			t.Fatalf("the error is not Faults: %v", err)
		}
		if err == nil && (e.Project == "" || e.Name == "" || !image.ValidRegion(e.Region) ||
			e.Registry().Region == "") {
			t.Fatalf("accepted an incomplete file: %+v", e)
		}
	})
}

// TestNotify checks where outcomes are sent, and that a webhook in the file is
// accepted with a warning that does not contain it.
func TestNotify(t *testing.T) {
	t.Parallel()
	const planted = "https://hooks.example/services/planted"
	for _, tt := range []struct {
		name, in, warnings string
		want               Notify
	}{
		{"no channel", head, "", Notify{}},
		{"all", head +
			"deployer: {notify: {slack: /myproject/slack, topic: 'arn:aws:sns:us-east-1:333333333333:deployments'}}\n",
			"",
			Notify{Slack: "/myproject/slack", Topic: "arn:aws:sns:us-east-1:333333333333:deployments"}},
		{"a secret", head + "deployer: {notify: {slack: /aws/reference/secretsmanager/myproject/slack}}\n", "",
			Notify{Slack: "/aws/reference/secretsmanager/myproject/slack"}},
		{"in the file", head + "workload: {slack_webhook: '" + planted + "'}\n",
			"x.yaml:5:27: warning: `workload.slack_webhook` is a secret in a file (store it in an SSM parameter, " +
				"name that in deployer.notify.slack, and create a new webhook)", Notify{SlackWebhook: planted}},
		{"empty in the file", head + "workload: {slack_webhook: ''}\n", "", Notify{}},
		{"both", head + "workload: {slack_webhook: '" + planted + "'}\ndeployer: {notify: {slack: /s}}\n",
			"x.yaml:5:27: warning: `workload.slack_webhook` is a secret in a file (store it in an SSM parameter, " +
				"name that in deployer.notify.slack, and create a new webhook)", Notify{Slack: "/s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := Parse("x.yaml", []byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, e.Notify); diff != "" || e.Warnings.Error() != tt.warnings {
				t.Errorf("%s\nwarnings %q, want %q", diff, e.Warnings.Error(), tt.warnings)
			}
		})
	}
}
