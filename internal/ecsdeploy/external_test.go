package ecsdeploy

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
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

// TestClonesExternalConfiguration checks that a configuration that is registered while a
// deployment is carried out is in the next one's clone, and never lost.
func TestClonesExternalConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second, third := w.event(t, "first", 1, "v2"), w.event(t, "second", 2, "v3"), w.event(t, "third", 3, "v4")
	configure := func(cpu string) {
		w.copyRevision(t, "1", func(in *ecs.RegisterTaskDefinitionInput) { in.Cpu = aws.String(cpu); in.Tags = nil })
	}
	cpu := func() string {
		got, err := w.Runs(t.Context(), "c", target.Service)
		must(t, err)
		return aws.ToString(got.TaskDefinition.Cpu)
	}
	d := w.deployer()
	d.ecs = &between{writer: d.ecs, beforeRegister: func() { configure("128") }}
	s, err := d.Read(t.Context(), target)
	must(t, err)
	_, err = d.Deploy(t.Context(), s, first)
	if must(t, err); cpu() != "256" {
		t.Errorf("first: %s", cpu())
	}
	_, _, err = w.deploy(t, target, second)
	if must(t, err); cpu() != "128" {
		t.Errorf("second: %s", cpu())
	}
	_, _, err = w.deploy(t, target, third)
	if must(t, err); cpu() != "128" {
		t.Errorf("third: %s", cpu())
	}
}

// TestNewerConfiguration checks which orders roll out a newer configuration of the image
// that runs.
func TestNewerConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	order := w.event(t, "first", 1, "v2")
	_, _, err := w.deploy(t, target, order)
	must(t, err)
	w.copyRevision(t, "1", func(in *ecs.RegisterTaskDefinitionInput) { in.Cpu = aws.String("512"); in.Tags = nil })
	push := w.event(t, "push", 2, "v2")
	push.Push = true
	if got, _, err := w.deploy(t, target, push); err != nil || got.Status != Unchanged || w.running(t) != 2 {
		t.Errorf("a push: %+v, %v", got, err)
	}
	manual := w.event(t, "manual", 3, "v2")
	manual.Configuration = true
	running := target
	running.Base = "service"
	ofService := w.event(t, "of the service", 4, "v2")
	ofService.Configuration = true
	got, _, err := w.deploy(t, target, manual)
	if err != nil || got.Status != Deployed || got.Reason != "same image, newer configuration: revision 3" ||
		w.running(t) != 5 {
		t.Errorf("manual: %+v, %v", got, err)
	}
	if got, _, err = w.deploy(t, target, manual); err != nil || got.Status != Unchanged || w.running(t) != 5 {
		t.Errorf("again: %+v, %v", got, err)
	}
	w.copyRevision(t, "1", func(in *ecs.RegisterTaskDefinitionInput) { in.Tags = nil })
	if got, _, err = w.deploy(t, running, ofService); err != nil || got.Status != Unchanged || w.running(t) != 5 {
		t.Errorf("base: service: %+v, %v", got, err)
	}
}

// TestFailedEventIsNotRepeated checks that neither a duplicate of an event whose rollout
// failed, nor a look, rolls it out again.
func TestFailedEventIsNotRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(t)
	bad := w.event(t, "bad", 1, "bad")
	w.FailImage(bad.Image.Digest)
	_, _, err := w.deploy(t, target, bad)
	must(t, err)
	for range 20 {
		w.clock.Advance(time.Second)
		w.Tick()
		if w.running(t) == 1 {
			break
		}
	}
	if w.running(t) != 1 {
		t.Fatal("the circuit breaker did not trip")
	}
	got, _, err := w.deploy(t, target, bad)
	want := "the rollout of this event failed before, and is not repeated; to try again: deployer send -f " +
		target.File + " " + target.Workload + " bad"
	if err != nil || got.Status != Ignored || got.Reason != want || w.running(t) != 1 || w.newest(t) != 2 {
		t.Errorf("%+v, %v; it runs %d of %d", got, err, w.running(t), w.newest(t))
	}
	service, err := w.deployer().Read(t.Context(), target)
	must(t, err)
	if moved, err := w.deployer().Look(t.Context(), target, service.primary, Order{}); err != nil || moved != "" {
		t.Errorf("%q, %v", moved, err)
	}
}

// TestAgain checks the command that asks once more for what failed.
func TestAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := w.deployer().Read(t.Context(), target)
	must(t, err)
	order := w.event(t, "e", 1, "v2")
	forced, back, redeploy := order, order, order
	forced.Force, back.Restores, redeploy.Redeploy = true, arn+"p_service_web_dev:1", true
	command := func(name string) string { return "deployer " + name + " -f " + target.File + " " + target.Workload }
	for _, tt := range []struct {
		name  string
		order Order
		want  string
	}{
		{"a tag", order, command("send") + " v2"},
		{"by force", forced, command("deploy") + " v2 --force"},
		{"a rollback", back, command("rollback")},
		{"a redeployment", redeploy, command("redeploy")},
	} {
		if got := s.again(tt.order); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	_, _, err = w.deploy(t, target, order)
	must(t, err)
	s, err = w.deployer().Read(t.Context(), target)
	must(t, err)
	if got, want := s.again(order), command("deploy")+" v2 --force"; got != want {
		t.Errorf("it was not rolled back: %q, want %q", got, want)
	}
}

// TestSharedFamily checks that a service does not see the revisions of another service
// that shares its family, unless it runs one.
func TestSharedFamily(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := target
	other.Workload, other.Service = "web-eu", "p_service_web_eu_dev"
	_, err := w.ECS.CreateService(t.Context(), &ecs.CreateServiceInput{Cluster: aws.String("c"),
		ServiceName: aws.String(other.Service), TaskDefinition: aws.String(target.Family + ":1"),
		LaunchType: types.LaunchTypeFargate, DesiredCount: aws.Int32(1),
		NetworkConfiguration: &types.NetworkConfiguration{
			AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-0a1b2c3d"}}}})
	must(t, err)
	here, there, late := w.event(t, "here", 1, "v2"), w.event(t, "there", 5, "v3"), w.event(t, "late", 3, "v4")
	_, _, err = w.deploy(t, target, here)
	must(t, err)
	if got, _, err := w.deploy(t, other, there); err != nil || got.Status != Deployed {
		t.Errorf("there: %+v, %v", got, err)
	}
	if got, _, err := w.deploy(t, target, here); err != nil || got.Status != Unchanged || w.running(t) != 2 {
		t.Errorf("a duplicate: %+v, %v; it runs %d", got, err, w.running(t))
	}
	if got, _, err := w.deploy(t, target, late); err != nil || got.Status != Deployed || w.running(t) != 4 {
		t.Errorf("older than the other service's: %+v, %v; it runs %d", got, err, w.running(t))
	}
	if _, _, err := w.deployer().RollbackTo(t.Context(), target, "v3", "rollback"); err == nil {
		t.Error("it can be rolled back to an image that only the other service ran")
	}
	_, _, err = w.deployer().RollbackTo(t.Context(), target, "3", "rollback")
	const others = `revision 3 is another service's, which shares the family "`
	if err == nil || !strings.Contains(err.Error(), others+target.Family+`" (list the revisions: `) {
		t.Errorf("to a revision of the other service: %v", err)
	}
	w.clock.Advance(2 * time.Hour)
	w.move(t, "3") // it runs the other service's revision now
	if got, _, err := w.deploy(t, target, late); err != nil || got.Status != Superseded || w.running(t) != 3 {
		t.Errorf("late again: %+v, %v; it runs %d", got, err, w.running(t))
	}
}

// TestCrowd checks that many deliveries of different events that all read before any
// registered end on the newest event's image, in any order.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const crowd = 40
	for _, tt := range []struct {
		name     string
		newest   int // its place in the order of the registrations
		together bool
	}{{"newest first", 0, false}, {"newest in the middle", 20, false}, {"in one process", 7, true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var all sync.WaitGroup
			shared := w.deployer()
			var ready sync.WaitGroup
			ready.Add(crowd)
			turn := make([]chan struct{}, crowd+1)
			for i := range turn {
				turn[i] = make(chan struct{})
			}
			for i := range crowd {
				o := w.event(t, "e", (i*17)%crowd, "v")
				o.Cause.ID = o.Cause.Time.String()
				if i == tt.newest {
					o = w.event(t, "newest", crowd, "newest")
				}
				d := w.deployer()
				if tt.together {
					d = shared
				} else {
					d.ecs = &between{writer: d.ecs, beforeRegister: func() { ready.Done(); <-turn[i] },
						beforeUpdate: func() {}}
				}
				s, err := d.Read(t.Context(), target)
				must(t, err)
				all.Go(func() {
					if _, err := d.Deploy(t.Context(), s, o); err != nil {
						t.Error(err)
					}
				})
			}
			if !tt.together {
				ready.Wait()
				for i := range crowd {
					close(turn[i])
				}
			}
			all.Wait()
			newest := w.event(t, "newest", crowd, "newest")
			if !strings.HasSuffix(w.image(t), newest.Image.Digest) {
				t.Errorf("it runs %s", w.image(t))
			}
			moves := 0
			for _, c := range w.Calls() {
				if c.Operation == "UpdateService" {
					moves++
				}
			}
			t.Logf("%d moves", moves)
			if moves > crowd {
				t.Errorf("%d moves", moves)
			}
		})
	}
}

// TestWaits checks that what happens while a deployment is throttled is not overwritten:
// both reads are made again before the next write.
func TestWaits(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"ecs:RegisterTaskDefinition", "ecs:UpdateService"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				clock := func() time.Time { return eventTime.Add(time.Since(began)) }
				e := emulator.New(emulator.Options{Clock: clock, RolloutStep: time.Second})
				w := &world{Emulator: e, Account: accounts.Connect("http://aws.invalid", "111111111111", "us-east-1").
					With(func(c *aws.Config) { c.HTTPClient = emulatortest.InProcess{AWS: e} })}
				must(t, w.Cluster(t.Context(), "c"))
				_, err := w.Service(t.Context(), "c", target.Service, host+"/p_service_web:v0")
				must(t, err)
				time.Sleep(10 * time.Minute)
				o := w.event(t, "e", 600, "v2")
				d := New(ecsservice.New(w.Config))
				d.now = clock
				w.Inject(emulator.Fault{Operation: operation, Account: "111111111111", Times: 3,
					Error: emulator.ErrThrottled})
				d.ecs = &between{writer: d.ecs}
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				ctx = fault.WithJitter(ctx, func(below time.Duration) time.Duration { return below - 1 })
				var person sync.WaitGroup
				person.Go(func() { // the person's own calls are not throttled
					time.Sleep(1500 * time.Millisecond)
					w.ClearFaults()
					w.register(t, target.Family, host+"/p_service_web:v0.1")
					newest := w.newest(t)
					w.move(t, fmt.Sprint(newest))
					w.Inject(emulator.Fault{Operation: operation, Times: 2, Error: emulator.ErrThrottled})
				})
				s, err := d.Read(ctx, target)
				must(t, err)
				got, err := d.Deploy(ctx, s, o)
				person.Wait()
				if err != nil || got.Status != Superseded || w.image(t) != host+"/p_service_web:v0.1" {
					t.Errorf("%+v, %v; it runs %s", got, err, w.image(t))
				}
			})
		})
	}
}
