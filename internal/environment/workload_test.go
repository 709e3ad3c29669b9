package environment

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/image"
)

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
    hub: {container: [app, cron]}
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
			Pointer: ECSService("legacy-web"), Family: "myproject_service_web_staging",
			Container: "myproject_service_web_staging", Containers: "app"},
		{Kind: Service, Name: "shared", Repository: "myproject_task_nightly", Registry: own, RegistryReason: local,
			Pointer: ECSService("myproject_service_shared_staging"), Family: "myproject_service_shared_staging",
			Container: "myproject_service_shared_staging"},
		{Kind: Service, Name: "manual", Repository: "team/app",
			Registry:       image.Registry{AccountID: "444444444444", Region: "eu-west-1"},
			RegistryReason: "ecr_config of manual names it", Pointer: ECSService("myproject_service_manual_staging"),
			Family: "myproject_service_manual_staging", Container: "myproject_service_manual_staging"},
		{Kind: Service, Name: "hub", External: "nginx:1.29", Pointer: ECSService("myproject_service_hub_staging"),
			Family: "myproject_service_hub_staging", Container: "myproject_service_hub_staging",
			Containers: "app,cron"},
		{Kind: Service, Name: "chain", Repository: "team/app",
			Registry:       image.Registry{AccountID: "444444444444", Region: "eu-west-1"},
			RegistryReason: "ecr_config of chain names it", Pointer: ECSService("myproject_service_chain_staging"),
			Family: "myproject_service_chain_staging", Container: "myproject_service_chain_staging"},
		{Kind: ScheduledTask, Name: "nightly", Repository: "myproject_task_nightly", Registry: own,
			RegistryReason: local, Family: "nightly",
			Pointers:  "schedule/myproject-schedule-group-staging-nightly/myproject-scheduler-nightly-staging",
			Container: "myproject_container_nightly_staging"},
		{Kind: EventTask, Name: "resize", Repository: "myproject_task_resize", Registry: own, RegistryReason: local,
			Pointers: "rule/myproject_rule_uploads_staging", Family: "resize",
			Container: "myproject_container_resize_staging"},
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

// TestRoles checks the names of the roles, also of a service that is called backend.
func TestRoles(t *testing.T) {
	t.Parallel()
	e, err := Load("testdata/service-named-backend.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, owner := range map[string]string{"backend": "orchard_backend", "api": "orchard_service_api",
		"service:backend": "orchard_service_backend"} {
		w, _ := e.Find(name, Services...)
		want := []string{owner + "_task_dev", owner + "_task_execution_dev"}
		if diff := cmp.Diff(want, e.Roles(w)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
