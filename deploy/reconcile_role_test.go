package deploy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// TestRoleAllowsReconciling looks for lost pushes with the template's role, and with
// that role without the one action that only this needs.
func TestRoleAllowsReconciling(t *testing.T) {
	t.Parallel()
	const schedule = `{"id":"s1","detail-type":"Scheduled Event","source":"aws.events","detail":{}}`
	for _, tt := range []struct {
		name, without, status, reason string
	}{
		{"as it is", "", "deployed", ""},
		{"without DescribeImages", "ecr:DescribeImages", "ignored",
			"the identity policy of role deployer does not allow it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// A push later than the registration of the running revision is a lost push.
			clock := emulator.NewClock(time.Now().Add(-time.Hour))
			e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now})
			byName, err := cloud.CentralizedDev(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			clock.Advance(time.Minute)
			if _, err := byName["dev"].Push(t.Context(), "myproject_service_web-api", "v2", "latest"); err != nil {
				t.Fatal(err)
			}
			role := statements(t, "dev")
			for i, s := range role {
				if actions, ok := member(s, "Action").([]any); ok && tt.without != "" {
					copied := map[string]any{}
					for key, value := range s.(map[string]any) {
						copied[key] = value
					}
					isDenied := func(action any) bool { return action == tt.without }
					copied["Action"] = slices.DeleteFunc(slices.Clone(actions), isDenied)
					role[i] = copied
				}
			}
			function, ctx := functionWith(t, e, url, "dev", role)
			got, err := function.Handle(ctx, []byte(schedule))
			if err != nil || string(got.Status) != tt.status || !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("%+v, %v; want %s: %s", got, err, tt.status, tt.reason)
			}
		})
	}
}
