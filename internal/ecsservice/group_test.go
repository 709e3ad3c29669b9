package ecsservice

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"deployer/internal/fault"
	"deployer/testbed/aws/emulator"
)

// TestGroup reads services together, one of which does not exist, and one that is not in
// the group.
func TestGroup(t *testing.T) {
	t.Parallel()
	denied := emulator.Fault{Operation: "ecs:DescribeServices", Times: 1,
		Error: &emulator.Error{Status: 400, Code: "AccessDeniedException", Message: "no"}}
	throttled := emulator.Fault{Operation: "ecs:DescribeServices", Error: emulator.ErrThrottled, Times: 1}
	for _, tt := range []struct {
		name     string
		services int
		faults   []emulator.Fault
		calls    int // of DescribeServices
	}{
		{"ten a call", 25, nil, 4},
		{"a call is throttled, and made again", 25, []emulator.Fault{throttled}, 5},
		{"a call is denied, and made for each service", 10, []emulator.Fault{denied}, 1 + 10 + 1},
		{"the call of a group of one is denied", 1, []emulator.Fault{denied}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			var targets []Target
			for i := range tt.services + 1 {
				one := target
				one.Service = fmt.Sprintf("p_service_s%d_dev", i)
				if i > 0 {
					_, err := a.Service(t.Context(), "c", one.Service, host+"/p_service_web:v0")
					must(t, err)
				}
				targets = append(targets, one)
			}
			a.emulator.ResetCalls()
			for _, f := range tt.faults {
				a.emulator.Inject(f)
			}
			group := a.services.Group(append(targets[:tt.services:tt.services], targets[0]))
			read := func(i int) {
				service, err := group.DescribeService(t.Context(), targets[i])
				if i == 0 && (errors.Is(err, fault.ErrServiceNotFound) || errors.Is(err, fault.ErrAccessDenied)) {
					return
				}
				if err != nil || *service.ServiceName != targets[i].Service {
					t.Errorf("%s: %v %v", targets[i].Service, service, err)
				}
			}
			var all sync.WaitGroup
			for i := range tt.services {
				all.Go(func() { read(i) })
			}
			all.Wait()
			read(tt.services)
			var calls []string
			for _, c := range a.emulator.Calls() {
				if c.Operation == "DescribeServices" {
					calls = append(calls, fmt.Sprintf("%s to %s: %s %q", c.Start.Format(time.StampMicro),
						c.End.Format(time.StampMicro), c.Body, c.Error))
				}
			}
			if len(calls) != tt.calls {
				t.Errorf("%d calls, want %d:\n%s", len(calls), tt.calls, strings.Join(calls, "\n"))
			}
		})
	}
}
