package ecsdeploy

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

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
	push.Unattended = true
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
