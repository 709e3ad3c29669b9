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
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/journal"
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

// TestHistoryOfSharedFamily checks that a history has as many of the service's own
// revisions as were asked for, however many another service of the family registered
// since.
func TestHistoryOfSharedFamily(t *testing.T) {
	t.Parallel()
	a := newInstantAccount(t, emulator.Options{})
	for i := 2; i <= 60; i++ {
		service := journal.ServiceName(target.Cluster, target.Service)
		if i > 5 && i != 50 {
			service += "-other"
		}
		in := &ecs.RegisterTaskDefinitionInput{Family: aws.String(target.Family),
			ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("app"), Memory: aws.Int32(128),
				Image: aws.String(fmt.Sprintf("%s/p_service_web:v%d", host, i))}}}
		for key, value := range map[string]string{"event-id": "e", "event-time": "2026-01-22T10:15:30Z",
			"service": service} {
			in.Tags = append(in.Tags, types.Tag{Key: aws.String("deployer:" + key), Value: aws.String(value)})
		}
		_, err := a.ECS.RegisterTaskDefinition(t.Context(), in)
		must(t, err)
	}
	for _, tt := range []struct {
		limit int
		want  []int
	}{{1, []int{50}}, {3, []int{50, 5, 4}}, {20, []int{50, 5, 4, 3, 2, 1}}, {100, []int{50, 5, 4, 3, 2, 1}}} {
		h, err := a.rollouts.History(t.Context(), target, tt.limit)
		must(t, err)
		var numbers []int
		for _, r := range h.Records {
			numbers = append(numbers, r.Revision)
		}
		if !slices.Equal(numbers, tt.want) {
			t.Errorf("-n %d: %v, want %v", tt.limit, numbers, tt.want)
		}
	}
	a.moveTo(t, target.Family+":60")
	h, err := a.rollouts.History(t.Context(), target, 2)
	must(t, err)
	if len(h.Records) != 2 || h.Records[0].Revision != 60 || h.Records[1].Revision != 50 {
		t.Errorf("it runs the other's: %+v", h.Records)
	}
}
