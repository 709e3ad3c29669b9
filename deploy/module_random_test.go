package deploy_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"deployer/internal/environment"
)

// randomFile returns an environment file with random keys. Some are not valid.
func randomFile(r *rand.Rand) string {
	var b strings.Builder
	one := func(choices ...string) string { return choices[r.IntN(len(choices))] }
	maybe := func(odds int, format string, args ...any) {
		if r.IntN(odds) == 0 {
			fmt.Fprintf(&b, format, args...)
		}
	}
	account := func() string { return one("111111111111", "222222222222", "012345670123", "333333333333") }
	region := func() string { return one("us-east-1", "eu-west-1", "ap-southeast-2") }
	uri := func() string {
		host := one("", "https://") + account() + one(".dkr.ecr.", ".dkr.ecr.", ".dkr.ecr-fips.", ".dkr-ecr.") +
			region() + one(".amazonaws.com", ".amazonaws.com", ".on.aws")
		return one(host, host, "quay.io", "public.ecr.aws/x") + "/" + one("shop_api", "shop_other", "team/app", "web")
	}
	fmt.Fprintf(&b, "env: %s\nregion: "+
		"%s\n", one("dev", "dev", "staging", "prod", "eu-live", "production", "qa_Prd", "x"),
		one("us-east-1", "us-east-1", "eu-west-1", "eu-south-2"))
	maybe(2, "account_id: %q\n", account())
	maybe(2, "ecr_strategy: %s\n", one("local", "cross_account", "\"local\"", "null", "\"\""))
	if r.IntN(2) == 0 {
		fmt.Fprintf(&b, "ecr_account_id: %q\necr_account_region: %s\n", account(), region())
	}
	maybe(4, "is_prod: %s\n", one("true", "false", "\"true\"", "no", "Yes", "null"))
	maybe(3, "ecr_trusted_accounts: [{account_id: %q, env: %s}, {account_id: %q, region: %s}]\n", account(),
		one("qa", "prod", "eu-live", "null"), account(), region())
	maybe(3, "workload: {backend_auto_deploy: %s, backend_external_docker_image: %s}\n",
		one("true", "false", "\"no\"", "null"), one("null", uri()+one("", ":v1"), "nginx", "\"\""))
	for _, list := range []string{"services", "scheduled_tasks", "event_processor_tasks"} {
		if r.IntN(3) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n", list, one("", "", "# a comment"))
		for _, name := range []string{"api", "backend", "a-b", "a_b", "X1"}[:1+r.IntN(5)] {
			fmt.Fprintf(&b, "  - name: %s\n", name)
			maybe(5, "    enabled: %s\n", one("true", "false", "off", "null"))
			maybe(5, "    auto_deploy: %s\n", one("true", "false", "\"False\"", "n"))
			maybe(5, "    rule_name: %s\n", one("nightly", "null", "\"\""))
			maybe(5, "    rules: %s\n", one("[{name: first}, {name: second}]", "[]", "null"))
			maybe(5, "    docker_image: %s\n", one(uri(), uri()+":v1", "nginx:1", "null", "\"\""))
			switch r.IntN(5) {
			case 0:
				fmt.Fprintf(&b, "    ecr_config: {mode: manual_repo, repository_uri: %s}\n", uri())
			case 1:
				fmt.Fprintf(&b, "    ecr_config: {mode: use_existing, source_service_name: %s, "+
					"source_service_type: %s}\n",
					one("api", "backend", "a-b"), one("services", "scheduled_tasks", "event_processor_tasks", "null"))
			case 2:
				fmt.Fprintf(&b, "    ecr_config: %s\n", one("null", "{mode: create_ecr}", "{mode: null}", "{}"))
			}
		}
	}
	if r.IntN(2) == 0 {
		fmt.Fprint(&b, "deployer:\n")
		maybe(3, "  cluster: %s\n", one("apps", "null", "\"\""))
		maybe(3, "  auto_deploy: %s\n", one("[]", "[latest]", "['v*', main]", "null"))
		maybe(3, "  deploy_sources: %s\n", one("[]", "[ci.shop]", "null", "[a.b, action.dev]"))
		maybe(3, "  redeploy_on: %s\n", one("[]", "[parameters]", "[secrets, env_files]", "null"))
		maybe(3, "  notify: {slack: %s, topic: %s}\n", one("/a/b", "/aws/reference/secretsmanager/x/y", "null"),
			one("arn:aws:sns:us-east-1:111111111111:t", "null"))
		maybe(3, "  workloads: {backend: {family: %s}, api: {service: s, family: %s}, \"task:api\": {start_role: "+
			"%s}}\n",
			one("main", "shop_service_x_dev", "null"), one("api-v2", "\"\""), one("null", "ci", "[a, b, a]",
				"'arn:aws:iam::111111111111:role/x/y'"))
	}
	return b.String()
}

// TestModuleRandomFiles compares the two descriptions for random environment files.
func TestModuleRandomFiles(t *testing.T) {
	t.Parallel()
	files, compared := 8, 0
	if everyCase {
		files = 40
	}
	for seed := uint64(0); compared < files; seed++ {
		text := randomFile(rand.New(rand.NewPCG(seed, 0)))
		file := written(t, text)
		if _, err := environment.Load(file); err != nil {
			if !errors.As(err, new(environment.Faults)) {
				t.Fatal(err)
			}
			continue // deployer validate refuses it
		}
		compared++
		got, err := describe(t, file, chosenSettings{})
		if err != nil {
			t.Errorf("seed %d: %v in\n%s", seed, err, text)
			continue
		}
		if lines := differences(got.template, got.module); len(lines) > 0 {
			t.Errorf("seed %d:\n%s\nin\n%s", seed, strings.Join(lines, "\n"), text)
		}
	}
}
