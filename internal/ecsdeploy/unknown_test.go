package ecsdeploy

import (
	"testing"

	"deployer/testbed/aws/emulator"
)

// TestUnknownRegistration checks that a registration with an unknown result is not
// made twice.
func TestUnknownRegistration(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault emulator.Fault
	}{
		{"it took effect", emulator.Fault{Operation: "ecs:RegisterTaskDefinition", Times: 1, Drop: emulator.DropAfter}},
		{"it did not", emulator.Fault{Operation: "ecs:RegisterTaskDefinition", Times: 2, Drop: emulator.DropBefore}},
		{"a server fault", emulator.Fault{Operation: "ecs:RegisterTaskDefinition", Times: 2,
			Error: emulator.ErrServerFault}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			e := w.event(t, "e", 1, "v2")
			w.Inject(tt.fault)
			got, calls, err := w.deploy(t, target, e)
			if err != nil || got.Status != Deployed || got.TaskDefinition != arn+"p_service_web_dev:2" ||
				w.newest(t) != 2 || w.running(t) != 2 {
				t.Errorf("%+v after %v, %v; it runs %d of %d", got, calls, err, w.running(t), w.newest(t))
			}
		})
	}
}

// TestUnknownMove checks that a move with an unknown result is not made again before the
// service was read: meanwhile another delivery may have replaced it, and a second rollout
// of the revision would count as an external choice, newer than every event.
func TestUnknownMove(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault emulator.Fault
		moves int
	}{
		{"it took effect", emulator.Fault{Operation: "ecs:UpdateService", Times: 1, Drop: emulator.DropAfter}, 1},
		{"it did not", emulator.Fault{Operation: "ecs:UpdateService", Times: 2, Drop: emulator.DropBefore}, 3},
		{"a server fault", emulator.Fault{Operation: "ecs:UpdateService", Times: 1, Error: emulator.ErrServerFault}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			e := w.event(t, "e", 1, "v2")
			w.Inject(tt.fault)
			got, calls, err := w.deploy(t, target, e)
			moves, read := 0, true
			for _, c := range calls {
				switch c {
				case "UpdateService":
					if moves++; !read {
						t.Errorf("the service was not read between two moves: %v", calls)
					}
					read = false
				case "DescribeServices":
					read = true
				}
			}
			if err != nil || got.Status != Deployed || got.DeploymentID == "" || w.newest(t) != 2 ||
				w.running(t) != 2 || moves != tt.moves {
				t.Errorf("%+v after %v, %v; it runs %d of %d", got, calls, err, w.running(t), w.newest(t))
			}
		})
	}
}
