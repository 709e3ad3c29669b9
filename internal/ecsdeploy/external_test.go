package ecsdeploy

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/testbed/aws/emulator"
)

// administrator is the principal of the tests' credentials.
const administrator = "111111111111:root"

// between is an ECS API that calls functions before a registration and an update.
type between struct {
	writer
	beforeRegister, beforeUpdate, afterUpdate func()
}

func call(f *func()) {
	if then := *f; then != nil {
		*f = nil
		then()
	}
}

func (b *between) RegisterTaskDefinition(ctx context.Context, in *ecs.RegisterTaskDefinitionInput,
	options ...func(*ecs.Options)) (*ecs.RegisterTaskDefinitionOutput, error) {
	call(&b.beforeRegister)
	return b.writer.RegisterTaskDefinition(ctx, in, options...)
}

func (b *between) UpdateService(ctx context.Context, in *ecs.UpdateServiceInput,
	options ...func(*ecs.Options)) (*ecs.UpdateServiceOutput, error) {
	call(&b.beforeUpdate)
	out, err := b.writer.UpdateService(ctx, in, options...)
	call(&b.afterUpdate)
	return out, err
}

// move moves the service to a revision, as another tool does.
func (w *world) move(t *testing.T, number string) {
	t.Helper()
	_, err := w.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("c"),
		Service: aws.String(target.Service), TaskDefinition: aws.String(target.Family + ":" + number)})
	must(t, err)
}

// copyRevision registers a copy of a revision with its tags, as consoles and tools do.
func (w *world) copyRevision(t *testing.T, number string, change func(*ecs.RegisterTaskDefinitionInput)) {
	t.Helper()
	got, err := w.ECS.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String(target.Family + ":" + number), Include: []types.TaskDefinitionField{"TAGS"}})
	must(t, err)
	in := clone(ecsservice.Revision{TaskDefinition: got.TaskDefinition})
	in.Tags = got.Tags
	if change != nil {
		change(in)
	}
	_, err = w.ECS.RegisterTaskDefinition(t.Context(), in)
	must(t, err)
}

// image returns the image that the service runs, by its tag in the journal or the
// reference.
func (w *world) image(t *testing.T) string {
	t.Helper()
	got, err := w.Runs(t.Context(), "c", target.Service)
	must(t, err)
	return aws.ToString(got.TaskDefinition.ContainerDefinitions[0].Image)
}

// deployer returns a deployer of its own memory, as another process has it.
func (w *world) deployer() *Deployer {
	d := New(ecsservice.New(w.Config))
	d.now = w.clock.Now
	return d
}

// TestCopiedJournal checks that a revision into which the tags of one of the deployer's
// own were copied is an external one: neither a duplicate nor an older event undoes it.
func TestCopiedJournal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		principal string // of the deployer's journal
		change    func(*ecs.RegisterTaskDefinitionInput)
	}{
		{"by the deployer's own principal", administrator, nil},
		{"the journal names no principal", "", nil},
		{"by another principal", administrator, func(in *ecs.RegisterTaskDefinitionInput) {
			for i, tag := range in.Tags { // the emulator's only principal copies from another one
				if *tag.Key == "deployer:rule" {
					in.Tags[i].Value = aws.String("base=1 config=1 by=111111111111:role/deployer")
				}
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			first, second, older := w.event(t, "first", 1, "v2"), w.event(t, "second", 3, "v3"), w.event(t, "older", 2,
				"v4")
			for _, o := range []*Order{&first, &second, &older} {
				o.Principal, o.Request = tt.principal, "request of "+o.Cause.ID
			}
			for _, o := range []Order{first, second} {
				_, _, err := w.deploy(t, target, o)
				must(t, err)
			}
			w.clock.Advance(2 * time.Hour)
			w.copyRevision(t, "2", tt.change)
			w.move(t, "4")
			for _, o := range []Order{first, second, older, second} {
				got, _, err := w.deploy(t, target, o)
				if err != nil || w.running(t) != 4 || w.newest(t) != 4 {
					t.Errorf("%s: %+v, %v; it runs %d of %d", o.Cause.ID, got, err, w.running(t), w.newest(t))
				}
			}
			newer := w.event(t, "newer", 3*3600, "v5")
			if got, _, err := w.deploy(t, target, newer); err != nil || got.Status != Deployed {
				t.Errorf("newer: %+v, %v", got, err)
			}
		})
	}
}

// TestRepeatedRegistration checks that a registration that was made again, because the first
// one was not answered and not to be read yet, is not taken for a copy of a journal.
func TestRepeatedRegistration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.Advance(2 * time.Hour) // the rollout begins after both events
	first, newer := w.event(t, "first", 1, "v2"), w.event(t, "newer", 2, "v3")
	first.Principal, first.Request = administrator, "a request"
	w.Inject(emulator.Fault{Operation: "ecs:UpdateService", Times: 1, Error: emulator.AccessDenied("not now")})
	if _, _, err := w.deploy(t, target, first); err == nil {
		t.Fatal("the move was not denied")
	}
	w.copyRevision(t, "2", nil)
	w.move(t, "3")
	got, _, err := w.deploy(t, target, newer)
	if err != nil || got.Status != Deployed || w.running(t) != w.newest(t) {
		t.Errorf("%+v, %v; it runs %d of %d", got, err, w.running(t), w.newest(t))
	}
}

// TestMovedBack checks that a person's move to an older revision of the deployer's own
// counts by its time.
func TestMovedBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second, older := w.event(t, "first", 1, "v2"), w.event(t, "second", 3, "v3"), w.event(t, "older", 3600, "v4")
	for _, o := range []Order{first, second} {
		_, _, err := w.deploy(t, target, o)
		must(t, err)
	}
	w.settle(t)
	w.clock.Advance(3 * time.Hour)
	w.move(t, "2")
	for _, o := range []Order{second, older, first} {
		got, _, err := w.deploy(t, target, o)
		if err != nil || got.Status == Deployed || w.running(t) != 2 || w.newest(t) != 3 {
			t.Errorf("%s: %+v, %v; it runs %d of %d", o.Cause.ID, got, err, w.running(t), w.newest(t))
		}
	}
	newer := w.event(t, "newer", 4*3600, "v5")
	if got, _, err := w.deploy(t, target, newer); err != nil || got.Status != Deployed || w.running(t) != 4 {
		t.Errorf("newer: %+v, %v", got, err)
	}
}

// TestOverwritten checks that an external move that a deployment overwrites is restored
// with its configuration, and that it wins over the older event afterwards.
func TestOverwritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.event(t, "e", 1, "v2")
	o.Cause.Time = w.clock.Now().Add(time.Minute) // before the move
	d := w.deployer()
	d.ecs = &between{writer: d.ecs, beforeUpdate: func() {
		w.clock.Advance(2 * time.Minute)
		w.register(t, target.Family, host+"/p_service_web:v0.1")
		w.move(t, "3")
		w.clock.Advance(time.Second)
	}}
	s, err := d.Read(t.Context(), target)
	must(t, err)
	got, err := d.Deploy(t.Context(), s, o)
	if err != nil || w.running(t) != 4 || w.image(t) != host+"/p_service_web:v0.1" {
		t.Errorf("%+v, %v; it runs %d with %s", got, err, w.running(t), w.image(t))
	}
	again, _, err := w.deploy(t, target, o)
	if err != nil || again.Status != Superseded || w.running(t) != 4 || w.newest(t) != 4 {
		t.Errorf("again: %+v, %v; it runs %d of %d", again, err, w.running(t), w.newest(t))
	}
	runs, err := w.Runs(t.Context(), "c", target.Service)
	must(t, err)
	want := "restores revision 3_ an external deployment that an older event replaced"
	if got := tagOf(runs.Tags, "deployer:reason"); got != want {
		t.Errorf("reason %q", got)
	}
}

// TestOverwrittenByItsImage checks that a move by a person stays known which a deployment
// of the same image overwrites: an event before the move does not win after ECS has
// forgotten that.
func TestOverwrittenByItsImage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		dies bool // the delivery, after it moved the service
	}{{"the delivery looks", false}, {"only the rollout's event looks", true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for i, tag := range []string{"v2", "v3"} {
				_, _, err := w.deploy(t, target, w.event(t, tag, 1+i, tag))
				must(t, err)
			}
			w.settle(t)
			same, later := w.event(t, "same", 3600, "v2"), w.event(t, "later", 3601, "v4")
			w.clock.Advance(3 * time.Hour)
			d := w.deployer()
			ctx, dies := context.WithCancel(t.Context())
			defer dies()
			d.ecs = &between{writer: d.ecs,
				beforeUpdate: func() { w.move(t, "2"); w.clock.Advance(time.Second) },
				afterUpdate: func() {
					if tt.dies {
						dies()
					}
				}}
			s, err := d.Read(ctx, target)
			must(t, err)
			if got, err := d.Deploy(ctx, s, same); (err != nil) != tt.dies || !tt.dies && got.Status != Deployed {
				t.Fatalf("same: %+v, %v", got, err)
			}
			if tt.dies {
				service, err := d.services.DescribeService(t.Context(), target)
				must(t, err)
				moved, err := w.deployer().Look(t.Context(), target, aws.ToString(service.Deployments[0].Id), Order{})
				if err != nil || moved != "" {
					t.Errorf("the look moved the service to %q, %v", moved, err)
				}
			}
			w.settle(t)
			for _, o := range []Order{later, same} {
				got, _, err := w.deploy(t, target, o)
				if err != nil || got.Status == Deployed || w.running(t) != 4 || w.newest(t) != 5 {
					t.Errorf("%s: %+v, %v; it runs %d of %d", o.Cause.ID, got, err, w.running(t), w.newest(t))
				}
			}
		})
	}
}
