package doctor

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestThrottledFamily checks that a family which could not be described is unknown, not a
// problem, that a throttled call is made again, and that one call is enough if the service
// runs the newest revision.
func TestThrottledFamily(t *testing.T) {
	t.Parallel()
	x := newFixture(t)
	env := load(t, "dev")
	config := x.accounts["dev"].Config
	config.HTTPClient = emulatortest.InProcess{AWS: x.aws} // for calls on fake time
	c := newChecker(env, config, arn.ARN{Partition: "aws", AccountID: env.AccountID})
	w, _ := env.Find("backend", environment.Services...)
	target := ecsservice.TargetOf(env, w)
	d := c.describeServices(t.Context(), []environment.Workload{w})[0]
	if d.service == nil {
		t.Fatal(d.err, d.missing)
	}
	const tooShort = 299 * time.Millisecond // to wait, and to make a call again
	const ok, unknown = "myproject_service_dev: runs revision 1, the newest", "not checked: ThrottlingException: "
	for _, tt := range []struct {
		name  string
		times int           // DescribeTaskDefinition is throttled; -1: always
		known bool          // the running revision was described before
		left  time.Duration // for the check
		level Level
		text  string
		calls int // 0: any number
	}{
		{"not throttled", 0, false, time.Minute, OK, ok, 1},
		{"throttled once", 1, false, time.Minute, OK, ok, 2},
		{"the newest revision", -1, true, tooShort, Unknown, unknown, 0},
		{"both", -1, false, tooShort, Unknown, "not checked: ", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			x.aws.ClearFaults()
			c := newChecker(env, config, arn.ARN{Partition: "aws", AccountID: env.AccountID})
			if tt.known {
				if _, err := c.services.DescribeRevision(t.Context(), *d.service.TaskDefinition); err != nil {
					t.Fatal(err)
				}
			}
			if tt.times != 0 {
				x.aws.Inject(emulator.Fault{Operation: "ecs:DescribeTaskDefinition", Error: emulator.ErrThrottled,
					Times: max(0, tt.times)})
			}
			x.aws.ResetCalls()
			f := &findings{service: w.Name}
			ctx, cancel := context.WithTimeout(t.Context(), tt.left)
			f.family(ctx, c, target, d.service)
			cancel()
			i := slices.IndexFunc(f.list, func(one Finding) bool { return one.Check == "family" })
			if i < 0 {
				t.Fatalf("%s: no finding about the family: %+v", tt.name, f.list)
			}
			if got := f.list[i]; got.Level != tt.level || !strings.HasPrefix(got.Seen, tt.text) {
				t.Errorf("%s: %s: %s, want %s: %s", tt.name, got.Level, got.Seen, tt.level, tt.text)
			}
			if n := len(x.aws.Calls()); tt.calls > 0 && n != tt.calls {
				t.Errorf("%s: %d calls, want %d", tt.name, n, tt.calls)
			}
		})
	}
}
