package environment

import (
	"strings"
	"testing"
)

func TestProduction(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ env, isProd, want string }{
		{"prod", "", `env is "prod"`}, {"PROD", "", `env is "PROD"`}, {"production", "", `env is "production"`},
		{"prd", "", `env is "prd"`}, {"live", "", `env is "live"`},
		{"eu-prod", "", `env has the part "prod"`}, {"live_2", "", `env has the part "live"`},
		{"us_Production-b", "", `env has the part "Production"`},
		{"pre-prod", "", `env has the part "prod"`}, {"non-prod", "false", `env has the part "prod"`},
		{"preproduction", "", ""}, {"preprod", "", ""}, {"nonprod", "", ""},
		{"eu", "true", "is_prod is true"}, {"prod", "true", "is_prod is true"}, {"prod", "false", `env is "prod"`},
		{"prod2", "", ""}, {"product", "", ""}, {"reproduction", "", ""}, {"alive", "", ""}, {"dev", "", ""},
		{"dev", "false", ""},
	} {
		file := "project: p\nregion: us-east-1\nenv: " + tt.env + "\n"
		if tt.isProd != "" {
			file += "is_prod: " + tt.isProd + "\n"
		}
		e, err := Parse("x.yaml", []byte(file))
		if err != nil {
			t.Errorf("%s: %v", tt.env, err)
			continue
		}
		sources := strings.Join(e.DeploySources, " ")
		if e.Production != tt.want || e.AutoDeploy.IsEmpty() != (tt.want != "") ||
			strings.Contains(sources, "action.production") != (tt.want != "") {
			t.Errorf("%s, is_prod %q: %q, pushes of %q, sources %s; want %q", tt.env, tt.isProd, e.Production,
				e.AutoDeploy, sources, tt.want)
		}
	}
}
