//go:build slow

package deploy_test

import "testing"

// TestModuleOfManyServices compares the two descriptions for an environment whose families do not fit: the role has a
// pattern of them.
func TestModuleOfManyServices(t *testing.T) {
	t.Parallel()
	got, err := describe(t, written(t, manyWorkloads(750, 0, 0)), chosenSettings{})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range differences(got.template, got.module) {
		t.Error(line)
	}
}
