package deploy_test

import "testing"

// TestReservedConcurrency checks the reservation: none by default, because it can fail
// the stack of a new account.
func TestReservedConcurrency(t *testing.T) {
	t.Parallel()
	reserved := func(value string) (any, error) {
		loaded, err := loadWith(t, prod, map[string]string{"Project": "p", "Env": "dev", "ReservedConcurrency": value})
		if err != nil {
			return nil, err
		}
		return member(loaded.Resource("DeployerFunction"), "Properties", "ReservedConcurrentExecutions"), nil
	}
	for value, want := range map[string]any{"": nil, "0": "0", "5": "5", "1000": "1000"} {
		if got, err := reserved(value); got != want || err != nil {
			t.Errorf("%q: %v, %v; want %v", value, got, err, want)
		}
	}
	for _, invalid := range []string{"-1", "05", "all", "12345", "1.5"} {
		if _, err := reserved(invalid); err == nil {
			t.Errorf("%q is accepted", invalid)
		}
	}
}
