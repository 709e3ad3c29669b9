//go:build slow

package deploy_test

import "testing"

// TestModuleOfManyServices compares the two descriptions for an environment whose lists take most parameters, and for
// one whose families do not fit: the role has a pattern of them.
func TestModuleOfManyServices(t *testing.T) {
	t.Parallel()
	for _, services := range []int{200, 750} {
		got, err := describe(t, written(t, manyWorkloads(services, 0, 0)), chosenSettings{})
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range differences(got.template, got.module) {
			t.Errorf("%d services: %s", services, line)
		}
	}
}
