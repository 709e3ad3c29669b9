package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
)

// TestInitSettings checks that the settings in the comments of a new file are the defaults, and valid.
func TestInitSettings(t *testing.T) {
	t.Parallel()
	for _, env := range []string{"dev", "staging", "prod", "production", "qa-2"} {
		answers := map[string]string{"project": "shop", "env": env, "account": "111111111111", "region": "us-east-1",
			"images": "222222222222/us-east-1", "services": "web-api"}
		text := environmentText(answers)
		parse := func(text string) *environment.Environment {
			e, err := environment.Parse("x.yaml", []byte(text))
			if err != nil {
				t.Fatalf("%s: %v in\n%s", env, err, text)
			}
			if len(e.Warnings) > 0 {
				t.Errorf("%s: %v", env, e.Warnings)
			}
			return e
		}
		head, settings, _ := strings.Cut(text, "# deployer:\n")
		want, got := parse(text), parse(head+"deployer:\n"+strings.ReplaceAll(settings, "#   ", "  "))
		if diff := cmp.Diff(want.DeploySources, got.DeploySources); diff != "" {
			t.Errorf("%s: sources %s", env, diff)
		}
		if want.AutoDeploy.String() != got.AutoDeploy.String() {
			t.Errorf("%s: auto_deploy %s, and the default is %s", env, got.AutoDeploy, want.AutoDeploy)
		}
	}
}
