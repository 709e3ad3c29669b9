package stack

import (
	"fmt"
	"strings"
	"testing"

	"deployer/internal/environment"
)

// parameter returns the value of one parameter that an environment's file implies.
func parameter(t *testing.T, env *environment.Environment, name string, more ...string) string {
	t.Helper()
	parameters, err := Parameters(env, more...)
	if err != nil {
		t.Fatal(err)
	}
	accepted(t, parameters)
	for _, p := range parameters {
		if p.Name == name {
			return p.Value
		}
	}
	t.Fatalf("there is no parameter %s", name)
	return ""
}

// TestParametersOfTheField checks single parameters of files as they are in the field.
func TestParametersOfTheField(t *testing.T) {
	t.Parallel()
	const buses = "arn:aws:events:us-east-1:444455556666:event-bus/default" // not that of prod
	const other = "arn:aws:events:us-east-1:123456789012:event-bus/default"
	for _, tt := range []struct {
		file, more, parameter, want string
	}{
		{"trusted-accounts", "", "ForwardPushesTo", buses},
		{"trusted-accounts", "ForwardPushesTo=", "ForwardPushesTo", ""},
		{"trusted-accounts", "ForwardPushesTo=" + other, "ForwardPushesTo", other},
		{"opt-out", "", "AutoDeploy", "enabled"},
		{"production-by-name", "", "AutoDeploy", "disabled"},
		{"production-by-name", "", "DeploySources", "action.eu-live,action.production"},
		{"ecr-image-by-hand", "", "ExtraRepositoryArns",
			"arn:aws:ecr:us-east-1:111122223333:repository/orchard_backend," +
				"arn:aws:ecr:us-east-1:111122223333:repository/orchard_service_api"},
	} {
		env, err := environment.Load("../environment/testdata/" + tt.file + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var more []string
		if tt.more != "" {
			more = []string{tt.more}
		}
		parameters, err := Parameters(env, more...)
		if err != nil {
			t.Fatal(err)
		}
		accepted(t, parameters)
		for _, p := range parameters {
			if p.Name == tt.parameter && p.Value != tt.want {
				t.Errorf("%s %s: %s is %q, want %q", tt.file, tt.more, p.Name, p.Value, tt.want)
			}
		}
	}
}

// trusting returns a file whose registry n other accounts run images of.
func trusting(n int) string {
	file := "project: p\nenv: dev\nregion: us-east-1\necr_strategy: local\necr_trusted_accounts:\n"
	for i := range n {
		file += fmt.Sprintf("  - account_id: %q\n", fmt.Sprintf("%012d", 222222222201+i))
	}
	return file
}

// TestForwardsToMany checks that pushes are forwarded to every trusted account, as many
// as the template's rules have targets, and that with more the command fails, and says
// which are left out.
func TestForwardsToMany(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 5, 6, 8, 10, 11, 15} {
		got := strings.Split(parameter(t, parse(t, trusting(n)), "ForwardPushesTo"), ",")
		if last := fmt.Sprintf("arn:aws:events:us-east-1:2222222222%02d:event-bus/default", n); len(got) != n ||
			got[n-1] != last {
			t.Errorf("%d accounts: pushes are forwarded to %q", n, got)
		}
	}
	env := parse(t, trusting(17))
	const want = "pushes would be forwarded to 17 event buses, and the stack forwards to 15 at most: without " +
		"arn:aws:events:us-east-1:222222222216:event-bus/default, " +
		"arn:aws:events:us-east-1:222222222217:event-bus/default (name those where pushes deploy: deployer params -f " +
		"dev.yaml ForwardPushesTo=arn:aws:events:us-east-1:222222222201:event-bus/default,…)"
	if _, err := Parameters(env); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	const one = "arn:aws:events:us-east-1:222222222217:event-bus/default"
	if got := parameter(t, env, "ForwardPushesTo", "ForwardPushesTo="+one); got != one {
		t.Errorf("pushes are forwarded to %s, want %s", got, one)
	}
}

// TestExtraRegistries checks which registries' pushes deploy besides the strategy's.
func TestExtraRegistries(t *testing.T) {
	t.Parallel()
	const image = "%s.dkr.ecr.%s.amazonaws.com/web:v1"
	ours, theirs := fmt.Sprintf(image, "111111111111", "eu-west-1"), fmt.Sprintf(image, "222222222222", "us-east-1")
	manual := func(uri string) string {
		return "{name: web, ecr_config: {mode: manual_repo, repository_uri: " + uri + "}}"
	}
	byHand := func(uri string) string { return "{name: api, docker_image: " + uri + "}" }
	optedOut := func(uri string) string { return "{name: cron, auto_deploy: false, docker_image: " + uri + "}" }
	for _, tt := range []struct {
		name, file, services, accounts, regions string
	}{
		{"none", "", "", "", ""},
		{"another repository of the strategy's registry", "",
			manual("111111111111.dkr.ecr.us-east-1.amazonaws.com/web"), "", ""},
		{"a repository of another account", "", manual("222222222222.dkr.ecr.us-east-1.amazonaws.com/web"),
			"222222222222", ""},
		{"an image of another account", "", byHand(theirs), "222222222222", ""},
		{"an image of another region", "", byHand(ours), "", "eu-west-1"},
		{"both, and one twice", "", byHand(ours) + ", " + manual("222222222222.dkr.ecr.us-east-1.amazonaws.com/web"),
			"222222222222", "eu-west-1"},
		{"no push deploys the workload", "", optedOut(theirs), "", ""},
		{"from outside ECR", "", byHand("nginx:1"), "", ""},
		{"the own account, by hand", "ecr_account_id: \"222222222222\"\necr_account_region: us-east-1\n",
			byHand(ours), "111111111111", "eu-west-1"},
	} {
		strategy := "local\n"
		if tt.file != "" {
			strategy = "cross_account\n" + tt.file
		}
		env := parse(t, "project: p\nenv: dev\nregion: us-east-1\naccount_id: \"111111111111\"\necr_strategy: "+
			strategy+"services: ["+tt.services+"]\n")
		accounts, regions := parameter(t, env, "ExtraRegistryAccounts"), parameter(t, env, "ExtraRegistryRegions")
		if accounts != tt.accounts || regions != tt.regions {
			t.Errorf("%s: accounts %q and regions %q, want %q and %q", tt.name, accounts, regions, tt.accounts,
				tt.regions)
		}
	}
	prod := parse(t, "project: p\nenv: prod\nregion: us-east-1\nservices: ["+byHand(theirs)+"]\n")
	if got := parameter(t, prod, "ExtraRegistryAccounts"); got != "" {
		t.Errorf("no push deploys prod, but pushes of account %s are accepted", got)
	}
}
