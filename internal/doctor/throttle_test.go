package doctor

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/testbed/aws/emulator"
)

// TestThrottledFamily checks that a family which could not be described is unknown, not a
// problem, and that one call is enough if the service runs the newest revision.
func TestThrottledFamily(t *testing.T) {
	t.Parallel()
	x := newFixture(t)
	env := load(t, "dev")
	config := x.accounts["dev"].Config.Copy()
	config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	c := newChecker(env, config, arn.ARN{Partition: "aws", AccountID: env.AccountID})
	w, _ := env.Find("backend", environment.Services...)
	target := ecsservice.TargetOf(env, w)
	d := c.describeServices(t.Context(), []environment.Workload{w})[0]
	if d.service == nil {
		t.Fatal(d.err, d.missing)
	}
	for _, tt := range []struct {
		name  string
		fault emulator.Fault
		level Level
		text  string
		calls int
	}{
		{"not throttled", emulator.Fault{}, OK, "myproject_service_dev: runs revision 1, the newest", 1},
		{"the newest revision", emulator.Fault{Times: 1}, Unknown, "not checked: ThrottlingException: ", 2},
		{"both", emulator.Fault{Times: 2}, Unknown, "not checked: ThrottlingException: ", 2},
	} {
		x.aws.ClearFaults()
		if tt.fault.Times > 0 {
			tt.fault.Operation, tt.fault.Error = "ecs:DescribeTaskDefinition", emulator.ErrThrottled
			x.aws.Inject(tt.fault)
		}
		x.aws.ResetCalls()
		f := &findings{service: w.Name}
		f.family(t.Context(), c, target, d.service)
		i := slices.IndexFunc(f.list, func(one Finding) bool { return one.Check == "family" })
		if i < 0 {
			t.Fatalf("%s: no finding about the family: %+v", tt.name, f.list)
		}
		if got := f.list[i]; got.Level != tt.level || !strings.HasPrefix(got.Seen, tt.text) {
			t.Errorf("%s: %s: %s, want %s: %s", tt.name, got.Level, got.Seen, tt.level, tt.text)
		}
		if n := len(x.aws.Calls()); n != tt.calls {
			t.Errorf("%s: %d calls, want %d", tt.name, n, tt.calls)
		}
	}
}
