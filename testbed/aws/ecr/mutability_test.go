package ecr_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestMutability checks which settings ECR accepts, for a new repository and for one that exists.
func TestMutability(t *testing.T) {
	t.Parallel()
	filters := func(values ...string) string {
		var all []string
		for _, v := range values {
			all = append(all, fmt.Sprintf(`{"filterType":"WILDCARD","filter":%q}`, v))
		}
		return `,"imageTagMutabilityExclusionFilters":[` + strings.Join(all, ",") + `]`
	}
	const null = "ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as "
	tests := []struct{ name, setting, filters, want string }{ // want is the constraint of the error
		{"immutable", "IMMUTABLE", "", ""},
		{"with exclusion", "IMMUTABLE_WITH_EXCLUSION", filters("latest", "env-*"), ""},
		{"five filters of two wildcards", "MUTABLE_WITH_EXCLUSION", filters("*a*", "b", "c", "d", "e"), ""},
		{"no filters", "IMMUTABLE_WITH_EXCLUSION", "", null + "IMMUTABLE_WITH_EXCLUSION"},
		{"an empty list", "IMMUTABLE_WITH_EXCLUSION", filters(), null + "IMMUTABLE_WITH_EXCLUSION"},
		{"needless filters", "IMMUTABLE", filters("latest"), null + "IMMUTABLE"},
		{"six filters", "IMMUTABLE_WITH_EXCLUSION", filters("a", "b", "c", "d", "e", "f"),
			"Member must have length less than or equal to 5"},
		{"three wildcards", "IMMUTABLE_WITH_EXCLUSION", filters("a*b*c*"), "Invalid filter 'a*b*c*'"},
		{"a question mark", "IMMUTABLE_WITH_EXCLUSION", filters("v?"), "Invalid filter 'v?'"},
		{"another setting", "FROZEN", "", "Member must satisfy enum value set: [IMMUTABLE, MUTABLE, " +
			"MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"old"}`)
			for operation, name := range map[string]string{
				"ecr:CreateRepository": "new", "ecr:PutImageTagMutability": "old",
			} {
				status, got := w.Raw(t, dev, operation,
					`{"repositoryName":"`+name+`","imageTagMutability":"`+tt.setting+`"`+tt.filters+`}`)
				accepted := status == 200 && strings.Contains(got, `"imageTagMutability":"`+tt.setting+`"`)
				refused := status == 400 && strings.Contains(got, `failed to satisfy constraint: '`+tt.want+`'"`)
				if tt.want == "" && !accepted || tt.want != "" && !refused {
					t.Errorf("%s: %s", operation, got)
				}
			}
		})
	}
}

// TestImmutableTags checks which tags can move.
func TestImmutableTags(t *testing.T) {
	t.Parallel()
	const exclusion = `,"imageTagMutabilityExclusionFilters":[{"filterType":"WILDCARD","filter":"latest"},` +
		`{"filterType":"WILDCARD","filter":"env-*"}]`
	tests := []struct {
		setting, filters string
		moves            map[string]bool // by tag
	}{
		{"MUTABLE", "", map[string]bool{"latest": true, "env-dev-1": true, "v1.2.3": true}},
		{"IMMUTABLE", "", map[string]bool{"latest": false, "env-dev-1": false, "v1.2.3": false}},
		{"IMMUTABLE_WITH_EXCLUSION", exclusion,
			map[string]bool{"latest": true, "env-dev-1": true, "v1.2.3": false, "latest-2": false}},
		{"MUTABLE_WITH_EXCLUSION", exclusion,
			map[string]bool{"latest": false, "env-dev-1": false, "v1.2.3": true, "latest-2": true}},
	}
	for _, tt := range tests {
		t.Run(tt.setting, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"web","imageTagMutability":"`+tt.setting+`"`+
				tt.filters+`}`)
			got := map[string]bool{}
			for tag := range tt.moves {
				w.Push(t, dev, "web", "one "+tag, tag)
				status, answer := w.Raw(t, dev, "ecr:PutImage", fmt.Sprintf(
					`{"repositoryName":"web","imageTag":%q,"imageManifest":%q}`, tag,
					emulatortest.Manifest("two "+tag)))
				got[tag] = status == 200
				want := `{"__type":"ImageTagAlreadyExistsException","message":"The image tag '` + tag + `' already ` +
					`exists ` +
					`in the 'web' repository and cannot be overwritten because the tag is immutable."}`
				if status != 200 && answer != want {
					t.Errorf("got %s, want %s", answer, want)
				}
			}
			if diff := cmp.Diff(tt.moves, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestScanning checks whose setting counts: a rule of the registry, else that of the repository.
func TestScanning(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, registry, want string }{
		{"the repository's", "", `"appliedScanFilters":[],"repositoryArn":"ARN","repositoryName":"web",` +
			`"scanFrequency":"SCAN_ON_PUSH","scanOnPush":true`},
		{"the registry's", `{"scanType":"ENHANCED","rules":[{"scanFrequency":"CONTINUOUS_SCAN","repositoryFilters":` +
			`[{"filter":"w*","filterType":"WILDCARD"}]}]}`,
			`"appliedScanFilters":[{"filter":"w*","filterType":"WILDCARD"}],` +
				`"repositoryArn":"ARN","repositoryName":"web","scanFrequency":"CONTINUOUS_SCAN","scanOnPush":false`},
		{"enhanced, for " +
			"others", `{"scanType":"ENHANCED","rules":[]}`, `"appliedScanFilters":[],"repositoryArn":"ARN",` +
			`"repositoryName":"web","scanFrequency":"MANUAL","scanOnPush":false`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"web"}`)
			w.Do(t, dev, "ecr:PutImageScanningConfiguration",
				`{"repositoryName":"web","imageScanningConfiguration":{"scanOnPush":true}}`)
			if tt.registry != "" {
				w.Do(t, dev, "ecr:PutRegistryScanningConfiguration", tt.registry)
			}
			want := strings.ReplaceAll(`{"failures":[{"failureCode":"REPOSITORY_NOT_FOUND","failureReason":"`+
				`repository `+
				`not found","repositoryName":"api"}],"scanningConfigurations":[{`+tt.want+`}]}`, "ARN",
				"arn:aws:ecr:us-east-1:111111111111:repository/web")
			got := w.Do(t, dev, "ecr:BatchGetRepositoryScanningConfiguration", `{"repositoryNames":["web","api"]}`)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
