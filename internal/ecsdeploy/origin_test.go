package ecsdeploy

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
)

// TestOriginOf checks what started a rollout, by the service deployments.
func TestOriginOf(t *testing.T) {
	t.Parallel()
	at := func(second int) time.Time { return eventTime.Add(time.Duration(second) * time.Second) }
	move := ecsservice.PastRollout{ID: "x1", Status: types.ServiceDeploymentStatusSuccessful, Created: at(0),
		Finished: at(30)}
	failed := ecsservice.PastRollout{ID: "x2", RolledBack: true, Created: at(60), Finished: at(120)}
	goesOn := ecsservice.PastRollout{ID: "x2", RolledBack: true, Created: at(60)}
	later := ecsservice.PastRollout{ID: "x9", Created: at(200)}
	for _, tt := range []struct {
		name    string
		past    []ecsservice.PastRollout
		id      string
		created time.Time
		want    converge.Origin
	}{
		{"a move", []ecsservice.PastRollout{move, failed}, "x1", at(0), converge.ByMove},
		{"a rollback", []ecsservice.PastRollout{move, failed}, "x3", at(90), converge.ByFailure},
		{"a rollback that goes on", []ecsservice.PastRollout{move, goesOn}, "x3", at(90), converge.ByFailure},
		{"a rollback before a later move", []ecsservice.PastRollout{move, failed, later}, "x3", at(90),
			converge.ByFailure},
		{"begun after the rollback", []ecsservice.PastRollout{move, failed}, "x3", at(150), converge.Unknown},
		{"after one that succeeded", []ecsservice.PastRollout{move}, "x3", at(20), converge.Unknown},
		{"none listed", nil, "x3", at(20), converge.Unknown},
	} {
		if got := originOf(tt.past, tt.id, tt.created); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestForgetPending checks that a revision whose journal may have got a note is read
// again, and that neither the one that runs nor the one just registered is lost.
func TestForgetPending(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n, tag := range []string{"v2", "v3", "v4"} {
		_, _, err := w.deploy(t, target, w.event(t, tag, n, tag))
		must(t, err)
	}
	d := w.deployer()
	s, err := d.Read(t.Context(), target)
	must(t, err)
	for n := 2; n <= 4; n++ {
		one, err := d.remembered(t.Context(), target, s.arn(n))
		must(t, err)
		s.addRevision(one)
	}
	s.unused = 3
	d.newRun(t.Context(), s, Order{}).forgetPending()
	_, remembered := d.memory.get(s.arn(2), d.now())
	_, two := s.revisions[2]
	_, three := s.revisions[3]
	_, four := s.revisions[4]
	if two || remembered || !three || !four {
		t.Errorf("2 is known: %v, remembered: %v; 3: %v; 4, which runs: %v", two, remembered, three, four)
	}
}
