package environment

import (
	"errors"
	"os"
	"path/filepath"
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
		[]byte(head+"ecr_stategy: local\nservices:\n  - {name: web, dokcer_image: nginx}\npostgres: {}\n"+
			"Scheduled_Tasks: [{name: 12}]\nscheduled_tasks: [{name: no}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := "x.yaml:5:1: warning: `ecr_stategy` is not a key the deployer reads (did you mean `ecr_strategy`?)\n" +
		"x.yaml:7:17: warning: `services[0].dokcer_image` is not a key the deployer reads (did you mean " +
		"`docker_image`?)" +
		"\nx.yaml:9:1: warning: `Scheduled_Tasks` is not a key the deployer reads (did you mean " +
		"`scheduled_tasks`?)\n" +
		"x.yaml:10:26: warning: `scheduled_tasks[0].name` is no without quotes (write \"no\": some readers of YAML " +
		"take it for another type)"
	if diff := cmp.Diff(want, e.Warnings.Error()); diff != "" {
		t.Error(diff)
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

// TestMisplaced checks that a setting of the deployer at the top level, where it has no effect, is a warning.
func TestMisplaced(t *testing.T) {
	t.Parallel()
	const fix = "` has no effect here (write it below `deployer`)\n"
	for text, want := range map[string]string{
		"auto_deploy: [latest]\n":       "x.yaml:4:1: warning: `auto_deploy" + fix,
		"auto_deploy: []\n":             "x.yaml:4:1: warning: `auto_deploy" + fix,
		"deploy_sources: [my.source]\n": "x.yaml:4:1: warning: `deploy_sources" + fix,
		"cluster: main\n":               "x.yaml:4:1: warning: `cluster" + fix,
		"image: tag\n":                  "x.yaml:4:1: warning: `image" + fix,
		"replicated: true\nredeploy_on: [secrets]\n": "x.yaml:4:1: warning: `replicated" + fix +
			"x.yaml:5:1: warning: `redeploy_on" + fix,
		"role_patterns: [roles]\n":              "x.yaml:4:1: warning: `role_patterns" + fix,
		"cluster: {name: main}\nimage: nginx\n": "", // the infrastructure's own
		"deployer: {auto_deploy: [latest]}\n":   "",
	} {
		e, err := Parse("x.yaml", []byte("project: p\nenv: dev\nregion: us-east-1\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(e.Warnings) > 0 {
			got = e.Warnings.Error() + "\n"
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
