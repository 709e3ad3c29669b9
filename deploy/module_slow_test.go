//go:build slow

package deploy_test

import (
	"strings"
	"testing"

	"deployer/internal/environment"
	"deployer/internal/stack"
)

// TestModuleOfManyServices compares the two descriptions for an environment whose lists take most parameters, and for
// one whose names do not fit: the role has the patterns that the file accepts, one of families among them.
func TestModuleOfManyServices(t *testing.T) {
	t.Parallel()
	for services, kinds := range map[int]string{200: "", 750: "repositories, roles, families"} {
		file := written(t, manyWorkloads(services, 0, 0)+"deployer: {role_patterns: ["+kinds+"]}\n")
		got, err := describe(t, file, chosenSettings{})
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range differences(got.template, got.module) {
			t.Errorf("%d services: %s", services, line)
		}
		env, err := environment.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		parameters, err := stack.Parameters(env)
		if err != nil {
			t.Fatal(err)
		}
		const families = "task-definition/shop_service_*_dev:*"
		if has := strings.Contains(stack.Patterns(env, parameters), families); has != (kinds != "") {
			t.Errorf("%d services: the role has %s: %t", services, families, has)
		}
	}
}
