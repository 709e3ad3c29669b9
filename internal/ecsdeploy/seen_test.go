package ecsdeploy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/internal/ecsservice"
	"deployer/internal/image"
	"deployer/internal/journal"
	"deployer/testbed/aws/emulator"
)

// TestEventSeen checks which superseded events will be reported by their rollouts: not
// one that was superseded between its registration and the update of the service.
func TestEventSeen(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		before, after []string // events that are delivered before and after the state of older is read
		again         bool
	}{
		{name: "late", before: []string{"newer"}},
		{name: "superseded after it was read", after: []string{"newer"}},
		{name: "a second delivery", before: []string{"older", "newer"}, again: true},
		{name: "a second delivery at the same time", after: []string{"older", "newer"}, again: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			d := New(ecsservice.New(w.Config))
			d.now = w.clock.Now
			older, newer := w.event(t, "older", 1, "v2"), w.event(t, "newer", 2, "v3")
			deploy := func(ids ...string) {
				for _, id := range ids {
					_, _, err := w.deploy(t, target, map[string]Order{"older": older, "newer": newer}[id])
					must(t, err)
				}
			}
			deploy(tt.before...)
			s, err := d.Read(t.Context(), target)
			must(t, err)
			deploy(tt.after...)
			got, err := d.Deploy(t.Context(), s, older)
			if err != nil || got.Status != Superseded {
				t.Fatalf("%+v, %v", got, err)
			}
			again, err := d.EventSeen(t.Context(), s, older.Cause.ID, older.Cause.Time)
			if err != nil || again != tt.again {
				t.Errorf("%v, %v, want %v", again, err, tt.again)
			}
		})
	}
}

// TestEventSeenReported checks when a late event counts as handled: a revision was
// registered for it, and the service was moved to it, or still may be.
func TestEventSeenReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, _, err := w.deploy(t, target, order(w.digest)); err != nil {
		t.Fatal(err)
	}
	d := New(ecsservice.New(w.Config))
	d.now = w.clock.Now
	carried := func(event string) bool {
		t.Helper()
		state, err := d.Read(t.Context(), target)
		must(t, err)
		done, err := d.EventSeen(t.Context(), state, event, eventTime)
		must(t, err)
		return done
	}
	if !carried("e1") || carried("e0") {
		t.Error("a handled event does not count as seen, or another one does")
	}
	w.clock.Advance(2 * time.Minute)
	if !carried("e1") {
		t.Error("ECS's event about its rollout is late, and it does not count as seen")
	}
	w.Inject(emulator.Fault{Operation: "ecs:ListServiceDeployments", Error: emulator.AccessDenied("no")})
	if carried("e1") {
		t.Error("its rollout was not reported for two minutes and cannot be read, and it counts as seen")
	}
	must(t, d.services.AddNote(t.Context(), journal.Record{TaskDefinition: arn + target.Family + ":2"},
		journal.Note{DeploymentID: "ecs-svc/1"}))
	if !carried("e1") {
		t.Error("its rollout was reported, and it does not count as seen")
	}
}

// TestEventSeenBehindOthers checks behind how many newer revisions a late event's
// revision is found.
func TestEventSeenBehindOthers(t *testing.T) {
	t.Parallel()
	for newer, want := range map[int]bool{0: true, 1: true, 4: true, maxEventSearch: true, maxEventSearch + 1: false} {
		w := newWorld(t)
		d := New(ecsservice.New(w.Config))
		d.now = w.clock.Now
		for i := range newer + 1 {
			_, _, err := w.deploy(t, target, w.event(t, fmt.Sprint("e", i), i, fmt.Sprint("v", i+2)))
			must(t, err)
		}
		state, err := d.Read(t.Context(), target)
		must(t, err)
		if got, err := d.EventSeen(t.Context(), state, "e0", eventTime); err != nil || got != want {
			t.Errorf("behind %d: %v, %v, want %v", newer, got, err, want)
		}
	}
}

// TestWasRolledBackFrom checks that a service was rolled back from the images of revisions
// that are newer than the running one and were rolled out.
func TestWasRolledBackFrom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := New(ecsservice.New(w.Config))
	d.now = w.clock.Now
	images := map[string]image.Reference{}
	for i, tag := range []string{"v2", "v3", "v4"} { // revisions 2 to 4
		o := w.event(t, tag, i, tag)
		got, _, err := w.deploy(t, target, o)
		must(t, err)
		images[tag] = o.Image
		if tag != "v4" { // whose rollout was not reported
			must(t, d.services.AddNote(t.Context(), journal.Record{TaskDefinition: got.TaskDefinition},
				journal.Note{DeploymentID: "ecs-svc/" + tag}))
		}
	}
	// Revision 5 is another tool's. Its image has neither tag nor digest: no other revision is known to have it.
	w.register(t, target.Family, host+"/"+images["v4"].Repository)
	for _, tt := range []struct {
		runs int
		want string // the tags whose images it was moved back from
	}{{5, ""}, {4, ""}, {3, ""}, {2, "v3"}, {1, "v2 v3"}} {
		_, err := w.ECS.UpdateService(t.Context(),
			&ecs.UpdateServiceInput{Cluster: aws.String("c"), Service: aws.String(target.Service),
				TaskDefinition: aws.String(fmt.Sprint(target.Family, ":", tt.runs))})
		must(t, err)
		state, err := d.Read(t.Context(), target)
		must(t, err)
		var from []string
		for _, tag := range []string{"v2", "v3", "v4"} {
			back, err := d.WasRolledBackFrom(t.Context(), state, images[tag])
			must(t, err)
			if back {
				from = append(from, tag)
			}
		}
		if got := strings.Join(from, " "); got != tt.want {
			t.Errorf("it runs %d: moved back from %q, want %q", tt.runs, got, tt.want)
		}
	}
}
