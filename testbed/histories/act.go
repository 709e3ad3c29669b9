package histories

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/environment"
	"deployer/internal/event"
)

// act carries out an action at its time.
func (w *world) act(ctx context.Context, a Action) error {
	_, text, _ := strings.Cut(a.String(), "#")
	w.record.add(time.Now(), "#%s", text)
	switch a.Kind {
	case Push, LostPush:
		return w.actPush(ctx, a)
	case Deploy, RollbackEvent, Redeploy:
		return w.actDeploy(ctx, a)
	case RollbackCommand, DeployCommand:
		return w.actCommand(ctx, a)
	case Move, Copy, CopyOnly:
		return w.actPerson(ctx, a)
	case Terraform, TerraformOnly:
		return w.actTerraform(ctx, a)
	case WrongTime, EditTime:
		return w.actTime(ctx, a)
	case Throttle, Deny, LoseAnswers:
		w.mu.Lock()
		defer w.mu.Unlock()
		w.faults = append(w.faults, disturbance{a.Kind, a.Operation, time.Now().Add(a.For)})
	case Reconcile:
		w.send(a, eventJSON(eventID(a), "aws.events", "Scheduled Event", time.Now(), map[string]string{}), "")
	case Redrive:
		w.redrive(ctx, fmt.Sprint("#", a.ID))
	}
	return nil
}

func eventID(a Action) string { return fmt.Sprintf("event-%d", a.ID) }

// addEvent records the event of an action, and returns its id.
func (w *world) addEvent(a Action, r requested) string {
	r.id, r.action, r.at = eventID(a), a, time.Now().Truncate(time.Second)
	w.record.mu.Lock()
	defer w.record.mu.Unlock()
	w.record.events[r.id] = &r
	w.record.order = append(w.record.order, r.id)
	return r.id
}

// send delivers an event as often as the action says.
func (w *world) send(a Action, raw []byte, id string) {
	for n, delay := range a.Delays {
		in := &invocation{key: fmt.Sprintf("#%d/%d", a.ID, n), raw: raw, eventID: id, kills: map[int]*Kill{}}
		for i, k := range a.Kills {
			if k.Delivery == n {
				in.kills[k.Attempt] = &a.Kills[i]
			}
		}
		w.running.Go(func() {
			time.Sleep(delay)
			w.deliver(in)
		})
	}
}

func (w *world) actPush(ctx context.Context, a Action) error {
	digest, err := w.push(ctx, a.Service, a.Version, "latest")
	if err != nil {
		return err
	}
	id := w.addEvent(a, requested{image: imageName(a.Service, a.Version), push: true, lost: a.Kind == LostPush})
	if a.Kind == LostPush {
		return nil
	}
	w.send(a, eventJSON(id, "aws.ecr", "ECR Image Action", time.Now(), map[string]string{
		"action-type": "PUSH", "result": "SUCCESS", "repository-name": repository(a.Service), "image-digest": digest,
		"image-tag": "latest",
	}), id)
	return nil
}

func (w *world) actDeploy(ctx context.Context, a Action) error {
	detail := map[string]string{"service": serviceName(a.Service), "actor": "ada"}
	image := ""
	switch a.Kind {
	case RollbackEvent:
		detail["action"] = "rollback"
	case Redeploy:
		detail["action"] = "redeploy"
	default:
		if _, err := w.push(ctx, a.Service, a.Version); err != nil {
			return err
		}
		detail["tag"], image = fmt.Sprintf("git-%d", a.Version), imageName(a.Service, a.Version)
	}
	id := w.addEvent(a, requested{image: image})
	w.send(a, eventJSON(id, "action.dev", "DEPLOY", time.Now(), detail), id)
	return nil
}

func (w *world) actCommand(ctx context.Context, a Action) error {
	workload, ok := w.env.Find(serviceName(a.Service), environment.Services...)
	if !ok {
		return fmt.Errorf("there is no service %s", serviceName(a.Service))
	}
	request := event.Request{Workload: workload, Rollback: a.Kind == RollbackCommand}
	image := ""
	if a.Kind == DeployCommand {
		if _, err := w.push(ctx, a.Service, a.Version); err != nil {
			return err
		}
		request.Tag, image = fmt.Sprintf("git-%d", a.Version), imageName(a.Service, a.Version)
	}
	id := w.addEvent(a, requested{image: image, command: true})
	request.Cause = event.Cause{ID: id, Time: time.Now().UTC(), Source: event.CommandSource,
		Actor: "assumed-role/operator/session"} // the caller, as STS names it
	w.record.mu.Lock()
	w.record.events[id].at = request.Cause.Time
	w.record.mu.Unlock()
	w.running.Go(func() { w.command(a, id, request) })
	return nil
}

// ran returns the revisions that the service ran to the end of their rollout, other than the one that it runs.
func (w *world) ran(service int) (revisions []string) {
	w.record.mu.Lock()
	defer w.record.mu.Unlock()
	now := ""
	for _, m := range w.record.moves {
		if m.service != service {
			continue
		}
		now = m.revision
		if m.completed && !slices.Contains(revisions, m.revision) {
			revisions = append(revisions, m.revision)
		}
	}
	return slices.DeleteFunc(revisions, func(r string) bool { return r == now })
}

// actPerson moves the service to a revision that it ran, or to a copy of one.
func (w *world) actPerson(ctx context.Context, a Action) error {
	revisions := w.ran(a.Service)
	if len(revisions) == 0 {
		return nil
	}
	revision := revisions[a.Pick%uint64(len(revisions))]
	if a.Kind != Move {
		out, err := w.copyOf(ctx, w.person.ECS, revision, func(*ecs.RegisterTaskDefinitionInput) {})
		if err != nil {
			return err
		}
		revision = out
	}
	if a.Kind == CopyOnly {
		return nil
	}
	return w.moveTo(ctx, w.person.ECS, a.Service, revision)
}

// actTerraform registers a revision with another configuration, and may move the service to it.
func (w *world) actTerraform(ctx context.Context, a Action) error {
	if _, err := w.push(ctx, a.Service, a.Version); err != nil {
		return err
	}
	w.record.mu.Lock()
	first := ""
	for _, m := range w.record.moves {
		if m.service == a.Service && first == "" {
			first = m.revision
		}
	}
	w.record.mu.Unlock()
	revision, err := w.copyOf(ctx, w.infra.ECS, first, func(in *ecs.RegisterTaskDefinitionInput) {
		image := fmt.Sprintf("%s%s:git-%d", registry, repository(a.Service), a.Version)
		in.ContainerDefinitions[0].Image = aws.String(image)
		in.ContainerDefinitions[0].Environment[0].Value = aws.String(fmt.Sprint(a.ID))
	})
	if err != nil || a.Kind == TerraformOnly {
		return err
	}
	return w.moveTo(ctx, w.infra.ECS, a.Service, revision)
}

// copyOf registers a copy of a revision with its tags, as the console does, and returns it.
func (w *world) copyOf(ctx context.Context, by *ecs.Client, revision string,
	change func(*ecs.RegisterTaskDefinitionInput)) (string, error) {
	out, err := by.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String(revision), Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
	if err != nil {
		return "", err
	}
	td := out.TaskDefinition
	in := &ecs.RegisterTaskDefinitionInput{
		Family: td.Family, ContainerDefinitions: td.ContainerDefinitions, Cpu: td.Cpu, Memory: td.Memory,
		NetworkMode: td.NetworkMode, RequiresCompatibilities: td.RequiresCompatibilities,
		ExecutionRoleArn: td.ExecutionRoleArn, Tags: out.Tags,
	}
	if len(in.Tags) == 0 {
		in.Tags = nil // ECS refuses an empty list
	}
	change(in)
	registered, err := by.RegisterTaskDefinition(ctx, in)
	if err != nil {
		return "", err
	}
	return revisionOf(aws.ToString(registered.TaskDefinition.TaskDefinitionArn)), nil
}

func (w *world) moveTo(ctx context.Context, by *ecs.Client, service int, revision string) error {
	_, err := by.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: aws.String(cluster), Service: aws.String(w.ecsName(service)), TaskDefinition: aws.String(revision),
	})
	return err
}
