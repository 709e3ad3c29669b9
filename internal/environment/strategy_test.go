package environment

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
