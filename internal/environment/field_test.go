package environment

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/image"
)

// field loads a file of testdata.
func field(t *testing.T, name string) *Environment {
	t.Helper()
	e, err := Load(filepath.Join("testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestContainersByName(t *testing.T) {
	t.Parallel()
	w, _ := field(t, "two-containers-one-repository").Find("web", Services...)
	if diff := cmp.Diff([]string{"php"}, w.Containers.Names()); diff != "" {
		t.Error(diff)
	}
}

func TestARNsAsNames(t *testing.T) {
	t.Parallel()
	_, err := Load(filepath.Join("testdata", "arns-as-names.yaml"))
	want := "testdata/arns-as-names.yaml:11:16: `deployer.auto_deploy` has \"^v[0-9]+$\", which can match no tag: " +
		"none has \"^\" in that place (write a glob, not a regular expression: [0-9] for a digit, * for any text)\n" +
		"testdata/arns-as-names.yaml:14:19: `deployer.workloads.api.family` is \"api:7\", which names revision 7: " +
		"each " +
		"deployment registers a new one (write the family alone: api)"
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestServiceNamedBackend(t *testing.T) {
	t.Parallel()
	e := field(t, "service-named-backend")
	for _, tt := range []struct {
		name, want string // the repository and the ECS service
	}{
		{"backend", "orchard_backend orchard_service_dev"},
		{"service:backend", "orchard_service_backend orchard_service_backend_dev"},
		{"service:api", "orchard_service_api orchard_service_api_dev"},
		{"api", "orchard_service_api orchard_service_api_dev"},
		{"task:api", ""},
	} {
		got := ""
		if w, ok := e.Find(tt.name, Services...); ok {
			got = w.Repository + " " + w.Pointer.Name()
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	const note = "testdata/service-named-backend.yaml:8:11: note: `services[0].name` is backend, which in events and " +
		"commands is the project's backend (this service is called service:backend there)"
	if diff := cmp.Diff(note, e.Advice.Error()); diff != "" {
		t.Error(diff)
	}
}

// TestServiceNamedBackendSettings checks where a file names the service called backend.
func TestServiceNamedBackendSettings(t *testing.T) {
	t.Parallel()
	e, err := Parse("x.yaml", []byte(head+"services: [{name: backend}, {name: copy, ecr_config: {mode: use_existing, "+
		"source_service_name: backend}}]\ndeployer: {workloads: {backend: {service: main}, \"service:backend\": "+
		"{service: other}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, w := range e.Workloads {
		got[w.Name] = w.Pointer.Name() + " " + w.Repository
	}
	want := map[string]string{"backend": "main myproject_backend", "service:backend": "other myproject_service_backend",
		"copy": "myproject_service_copy_staging myproject_service_backend"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOptOut(t *testing.T) {
	t.Parallel()
	e := field(t, "opt-out")
	got := map[string]string{}
	for _, w := range e.Workloads {
		got[w.Name] = w.OptOut
	}
	want := map[string]string{"backend": "workload.backend_auto_deploy is false", "api": "",
		"billing": "services[1].auto_deploy is false", "cleanup": "scheduled_tasks[0].auto_deploy is false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if w, ok := e.FindDisabled("parked", Services...); !ok || w.Disabled != "services[2].enabled is false" {
		t.Errorf("parked: %+v, %v", w, ok)
	}
}

// TestFlags checks how booleans are written in the field.
func TestFlags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value   string
		want    bool // whether pushes deploy
		warning string
	}{
		{"true", true, ""}, {"false", false, ""}, {`"false"`, false, ""}, {"False", false, ""}, {"null", true, ""},
		{"~", true, ""}, {`""`, true, ""},
		{"no", false, "x.yaml:5:37: warning: `services[0].auto_deploy` is \"no\", read as false (write false: some " +
			"readers of YAML take no for text)"},
		{"on", true, "x.yaml:5:37: warning: `services[0].auto_deploy` is \"on\", read as true (write true: some " +
			"readers of YAML take on for text)"},
	} {
		e, err := Parse("x.yaml", []byte(head+"services: [{name: web, auto_deploy: "+tt.value+"}]\n"))
		if err != nil {
			t.Errorf("%s: %v", tt.value, err)
			continue
		}
		if got := e.Workloads[1].OptOut == ""; got != tt.want || e.Warnings.Error() != tt.warning {
			t.Errorf("%s: pushes deploy: %v, want %v; warnings: %v", tt.value, got, tt.want, e.Warnings)
		}
	}
}

func TestImagesByHand(t *testing.T) {
	t.Parallel()
	e := field(t, "ecr-image-by-hand")
	got := map[string]string{}
	for _, w := range e.Workloads {
		got[w.Name] = w.Registry.AccountID + " " + w.Repository + " " + w.RegistryReason + w.External
	}
	want := map[string]string{
		"backend": "111122223333 orchard_backend workload.backend_external_docker_image names it",
		"api":     "111122223333 orchard_service_api services[0].docker_image names it",
		"proxy":   "  nginx:1.29",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestImagesByHandForms checks the hosts and the forms of images that a file names.
func TestImagesByHandForms(t *testing.T) {
	t.Parallel()
	const digest = "@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	ecr := func(region string) image.Registry { return image.Registry{AccountID: "111122223333", Region: region} }
	for _, tt := range []struct {
		image string
		want  image.Registry // zero if the image is external
	}{
		{"111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app", ecr("us-east-1")},
		{"111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app:v1", ecr("us-east-1")},
		{"111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app" + digest, ecr("us-east-1")},
		{"111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app:v1" + digest, ecr("us-east-1")},
		{"111122223333.dkr-ecr.us-east-1.on.aws/team/app:v1", ecr("us-east-1")},
		{"111122223333.dkr.ecr-fips.us-east-1.amazonaws.com/team/app:v1", ecr("us-east-1")},
		{"111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/team/app:v1", ecr("cn-north-1")},
		{"public.ecr.aws/team/app:v1", image.Registry{}},
		{"team/app:v1", image.Registry{}},
		{"111122223333.dkr.ecr.us-east-1.example.com/team/app:v1", image.Registry{}},
	} {
		// Two services may run one image, and a third may use the repository of the first.
		file := head
		if tt.want.Region != "" { // a registry is in the environment's partition
			file = strings.Replace(file, "us-east-1", tt.want.Region, 1)
		}
		e, err := Parse("x.yaml", []byte(file+"services:\n- {name: a, docker_image: '"+tt.image+
			"'}\n- {name: b, docker_image: '"+
			tt.image+"'}\n- {name: c, ecr_config: {mode: use_existing, source_service_name: a}}\n"))
		if err != nil {
			t.Errorf("%s: %v", tt.image, err)
			continue
		}
		for _, w := range e.Workloads[1:] {
			external, repository := tt.image, ""
			if tt.want.AccountID != "" {
				external, repository = "", "team/app"
			}
			if w.Registry != tt.want || w.External != external || w.Repository != repository {
				t.Errorf("%s of %s: %s/%s, external %q", tt.image, w.Name, w.Registry, w.Repository, w.External)
			}
		}
	}
}

func TestTrustedAccounts(t *testing.T) {
	t.Parallel()
	want := []TrustedAccount{{"444455556666", "staging", "us-east-1"}, {"777788889999", "prod", "eu-west-1"}}
	if diff := cmp.Diff(want, field(t, "trusted-accounts").TrustedAccounts); diff != "" {
		t.Error(diff)
	}
}

// TestImpossiblePatterns checks that a pattern which no tag can match is refused.
func TestImpossiblePatterns(t *testing.T) {
	t.Parallel()
	for pattern, part := range map[string]string{
		"^v[0-9]+$": "^", "v[0-9]+": "+", "(latest|stable)": "(", ".*": ".", "-*": "-", `v\d+`: "+",
		"v[^!-~]": "[^!-~]",
		`[.\-]x`:  `[.\-]`, "v{1,2}": "{", "größe": "ö", `a\*`: `\*`,
	} {
		_, err := ParseTagPattern(pattern)
		want := strconv.Quote(pattern) + ", which can match no tag: none has " + strconv.Quote(part) + " in that place"
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", pattern, err, want)
		}
	}
	for pattern, part := range map[string]string{`v\d`: `\d`, `\w*`: `\w`, `v[\d]*`: `\d`, `v1\.\d`: `\d`} {
		_, err := ParseTagPattern(pattern)
		want := strconv.Quote(pattern) + ", whose " + strconv.Quote(part) + " matches only the character " +
			strconv.Quote(part[1:])
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", pattern, err, want)
		}
	}
	for _, pattern := range []string{"latest", "v[0-9]*", "*", "?", "*-rc.?", "[!-~]x", `v\.1`, "v.*", "[^a]b", "_x"} {
		if _, err := ParseTagPattern(pattern); err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

func TestEmptyContainer(t *testing.T) {
	t.Parallel()
	for _, empty := range []string{`""`, "[]"} {
		_, err := Parse("x.yaml", []byte(head+"deployer: {workloads: {backend: {container: "+empty+"}}}\n"))
		if err == nil || !strings.Contains(err.Error(), "is empty (write a name in the task definition") {
			t.Errorf("container %s: error %v", empty, err)
		}
	}
}
