package stack

import (
	"fmt"
	"testing"
)

// TestPatterns checks which lists are given up, and that this is reported, when a
// project has more services than fit into the role's policy.
func TestPatterns(t *testing.T) {
	t.Parallel()
	const (
		families     = "families myproject_service_prod and myproject_service_*_prod"
		roles        = "roles myproject_*_task_prod and myproject_*_task_execution_prod"
		repositories = "repositories myproject_*"
	)
	for _, tt := range []struct {
		services       int
		lists, instead string
	}{
		{1, "", ""},
		{10, "", ""},
		{13, "RepositoryArns", repositories},
		{20, "FamilyArns, RepositoryArns", families + "; " + repositories},
		{40, "FamilyArns, RoleArns, RepositoryArns", families + "; " + roles + "; " + repositories},
	} {
		file := "project: myproject\nenv: prod\nregion: us-east-1\naccount_id: \"333333333333\"\nservices:\n"
		for i := range tt.services {
			file += fmt.Sprintf("  - name: service-%02d\n", i)
		}
		env := parse(t, file+"scheduled_tasks:\n  - name: nightly\n")
		parameters, err := Parameters(env)
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if tt.lists != "" {
			want = fmt.Sprintf("%s left empty, because the ARNs of %d workloads do not fit into the policy of the "+
				"deployer's role. It uses name patterns instead, which can match a neighbour's resources too: %s",
				tt.lists, tt.services+2, tt.instead)
		}
		if got := Patterns(env, parameters); got != want {
			t.Errorf("%d services: %q, want %q", tt.services, got, want)
		}
	}
	// An environment without conventional repositories has an empty list, and nothing to report.
	env := parse(t, "project: p\nenv: dev\nregion: us-east-1\n"+
		"workload: {backend_external_docker_image: \"nginx:1\"}\n")
	parameters, err := Parameters(env)
	if got := Patterns(env, parameters); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
