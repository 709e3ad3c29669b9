package deploy_test

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestPushesOfNamedRegistries pushes images to registries that a file names by hand,
// for single images and repositories: the function receives the events, and no others.
func TestPushesOfNamedRegistries(t *testing.T) {
	t.Parallel()
	const other = "444444444444"
	e, url := emulatortest.Start(t, emulator.Options{})
	r := &receivers{aws: e, count: map[string]int{}}
	// Staging has a registry of its own, and names images of dev's and of another account.
	r.install(t, `
project: shop
env: staging
region: us-east-1
account_id: "222222222222"
ecr_strategy: local
services:
  - {name: api, docker_image: 111111111111.dkr.ecr.us-east-1.amazonaws.com/shop_service_api:v1}
  - name: web
    ecr_config: {mode: manual_repo, repository_uri: 444444444444.dkr.ecr.us-east-1.amazonaws.com/legacy/web}
`)
	const bus = "ForwardPushesTo=arn:aws:events:us-east-1:222222222222:event-bus/default"
	r.install(t, "project: shop\nenv: dev\nregion: us-east-1\naccount_id: \""+dev+"\"\necr_strategy: local\n", bus)
	r.install(t, `
project: legacy
env: dev
region: us-east-1
account_id: "444444444444"
ecr_strategy: local
services:
  - {name: web, ecr_config: {mode: manual_repo,
      repository_uri: 444444444444.dkr.ecr.us-east-1.amazonaws.com/legacy/web}}
`, bus)
	for _, tt := range []struct {
		account, repository string
		want                int // events that staging received
	}{
		{staging, "shop_backend", 1}, {dev, "shop_service_api", 2}, {other, "legacy/web", 3},
	} {
		r.push(t, url, tt.account, tt.repository)
		if got := r.count[staging]; got != tt.want {
			t.Errorf("after a push to %s of %s, staging has received %d events, want %d", tt.repository, tt.account,
				got, tt.want)
		}
	}
}

// TestPushRule checks from which accounts and regions pushes reach the function.
func TestPushRule(t *testing.T) {
	t.Parallel()
	base := map[string]string{"Project": "p", "Env": "dev"}
	cross := map[string]string{"Project": "p", "Env": "dev", "EcrAccountId": dev, "EcrAccountRegion": "eu-west-1"}
	for _, tt := range []struct {
		name, accounts, regions string
		values                  map[string]string
		wantAccounts            []any
		wantRegions             []any
		senders                 any // the principal of the bus policy; nil for no policy
	}{
		{"local", "", "", base, []any{prod}, []any{region}, nil},
		{"local and another account", staging, "", base, []any{prod, staging}, []any{region}, []any{staging}},
		{"local and another region", "", "eu-west-1", base, []any{prod}, []any{region, "eu-west-1"}, nil},
		{"another registry", "", "", cross, []any{dev}, []any{"eu-west-1"}, []any{dev}},
		{"another registry and two more", staging + "," + prod, region, cross, []any{dev, staging, prod},
			[]any{"eu-west-1", region}, []any{dev, staging, prod}},
	} {
		values := map[string]string{"ExtraRegistryAccounts": tt.accounts, "ExtraRegistryRegions": tt.regions}
		maps.Copy(values, tt.values)
		loaded, err := loadWith(t, prod, values)
		if err != nil {
			t.Fatal(err)
		}
		got := member(loaded.Resource("PushRule"), "Properties", "EventPattern")
		if diff := cmp.Diff([]any{tt.wantAccounts, tt.wantRegions},
			[]any{member(got, "account"), member(got, "region")}); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
		policy := member(loaded.Resource("RegistryBusPolicy"), "Properties", "Statement", "Principal", "AWS")
		if diff := cmp.Diff(tt.senders, policy); diff != "" {
			t.Errorf("%s: who may send pushes to the bus:\n%s", tt.name, diff)
		}
	}
}
