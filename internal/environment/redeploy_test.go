package environment

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRedeployOn(t *testing.T) {
	t.Parallel()
	const file = "project: p\nenv: dev\nregion: us-east-1\ndeployer:\n  redeploy_on: "
	const has = "dev.yaml:5:16: `deployer.redeploy_on` "
	for text, want := range map[string]struct {
		on    []Trigger
		fault string
	}{
		"[]":                             {nil, ""},
		"null":                           {nil, ""},
		"[env_files, parameters]":        {[]Trigger{Parameters, EnvFiles}, ""},
		"[secrets,parameters,env_files]": {Triggers, ""},
		"[secret]": {nil, has + `has "secret", which is not a kind of configuration ` +
			`(did you mean secrets?)`},
		"[Env-Files]": {nil, has + `has "Env-Files", which is not a kind of configuration ` +
			`(did you mean env_files?)`},
		"[configs]": {nil, has + `has "configs", which is not a kind of configuration ` +
			`(write any of parameters, secrets, env_files)`},
		"[secrets, secrets]": {nil, has + `has "secrets" twice (write each kind once)`},
		"secrets":            {nil, has + "is a single value, not a list (write it as: redeploy_on: [...])"},
		"{secrets: true}":    {nil, has + "is a mapping, not a list (write it as: redeploy_on: [...])"},
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
		if diff := cmp.Diff(want.on, e.RedeployOn); diff != "" || e.RedeploysOn(Secrets) != (len(want.on) == 3) {
			t.Errorf("%s: %s", text, diff)
		}
	}
}
