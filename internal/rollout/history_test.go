package rollout

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestHistory checks which revisions a history has, in which order, and the calls that
// reading them takes, on fake time.
func TestHistory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newInstantAccount(t, emulator.Options{})
		for i := 2; i <= 150; i++ {
			a.register(t, target.Family, fmt.Sprintf("%s/p_service_web:v%d", host, i))
		}
		a.register(t, target.Family+"-more", host+"/p_service_web:v0")
		for _, gone := range []int{149, 3} {
			_, err := a.ECS.DeregisterTaskDefinition(t.Context(),
				&ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String(fmt.Sprint(target.Family, ":", gone))})
			must(t, err)
		}
		a.emulator.Inject(emulator.Fault{Operation: "*", Latency: 50 * time.Millisecond})
		for _, tt := range []struct{ limit, want, lists int }{
			{1, 1, 2}, {20, 20, 2}, {100, 100, 2},
			{120, 120, 3}, // two pages of the active ones, one of the others
			{500, 150, 3},
		} {
			a.emulator.ResetCalls()
			h, err := a.rollouts.History(t.Context(), target, tt.limit)
			must(t, err)
			var numbers, inactive []int
			for _, r := range h.Records {
				numbers = append(numbers, r.Revision)
				if r.Inactive {
					inactive = append(inactive, r.Revision)
				}
			}
			var want []int
			for n := 150; n > 150-tt.want; n-- {
				want = append(want, n)
			}
			if !slices.Equal(numbers, want) || h.Runs != arn+target.Family+":1" || h.Family != target.Family ||
				h.Why != nil {
				t.Errorf("-n %d: %v of %+v", tt.limit, numbers, h)
			}
			if (tt.limit > 1) != slices.Contains(inactive, 149) || (tt.limit == 500) != slices.Contains(inactive, 3) {
				t.Errorf("-n %d: %v are inactive", tt.limit, inactive)
			}
			for _, c := range a.emulator.Calls() { // a page is no longer than it has to be
				if limit := fmt.Sprintf(`"maxResults":%d,`, min(tt.limit, 100)); c.Operation == "ListTaskDefinitions" &&
					tt.limit <= 100 && !strings.Contains(string(c.Body), limit) {
					t.Errorf("-n %d: listed with %s, want %s", tt.limit, c.Body, limit)
				}
			}
			for operation, want := range map[string]struct{ calls, atOnce int }{
				"DescribeServices": {1, 1}, "ListTaskDefinitions": {tt.lists, 2}, "DescribeTaskDefinition": {tt.want,
					min(tt.want, 8)},
			} {
				if all, most := emulatortest.Count(a.emulator.Calls(), operation); all != want.calls ||
					most != want.atOnce {
					t.Errorf("-n %d: %s: %d calls, %d at once, want %d and %d", tt.limit, operation, all, most,
						want.calls, want.atOnce)
				}
			}
		}
	})
}
