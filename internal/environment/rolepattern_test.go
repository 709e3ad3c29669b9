package environment

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRolePatterns(t *testing.T) {
	t.Parallel()
	const file = "project: p\nenv: dev\nregion: us-east-1\ndeployer:\n  role_patterns: "
	const has = "dev.yaml:5:18: `deployer.role_patterns` "
	for text, want := range map[string]struct {
		kinds []Reach
		fault string
	}{
		"[]":                    {nil, ""},
		"null":                  {nil, ""},
		"[roles, repositories]": {[]Reach{ReachRepositories, ReachRoles}, ""},
		"[families,roles,schedules,repositories]": {Reaches, ""},
		"[Role]": {nil, has + `has "Role", which is not a kind of names (did you mean roles?)`},
		"[rules]": {nil, has + `has "rules", which is not a kind of names ` +
			`(did you mean roles?)`},
		"[all]": {nil, has + `has "all", which is not a kind of names ` +
			`(write any of repositories, schedules, roles, families)`},
		"[roles, roles]": {nil, has + `has "roles" twice (write each kind once)`},
		"true":           {nil, has + "is a single value, not a list (write it as: role_patterns: [...])"},
	} {
		e, err := Parse("dev.yaml", []byte(file+text+"\n"))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want.fault {
			t.Errorf("%s: %s\nwant %s", text, got, want.fault)
		}
		if err != nil {
			continue
		}
		if diff := cmp.Diff(want.kinds, e.RolePatterns); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}
