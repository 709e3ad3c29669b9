package accounts

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Family registers a Fargate task definition with one container that runs image, and returns its ARN. The changes are
// applied to the request before it is sent.
func (a *Account) Family(ctx context.Context, family, container, image string,
	changes ...func(*ecs.RegisterTaskDefinitionInput)) (string, error) {
	in := a.definition(family, container, image)
	for _, change := range changes {
		change(in)
	}
	out, err := a.ECS.RegisterTaskDefinition(ctx, in)
	if err != nil {
		return "", fmt.Errorf("registering task definition %q: %w", family, err)
	}
	return aws.ToString(out.TaskDefinition.TaskDefinitionArn), nil
}

// definition returns the input for a revision of a Fargate family with one container that runs image.
func (a *Account) definition(family, container, image string) *ecs.RegisterTaskDefinitionInput {
	return &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(family), NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"),
		Memory:                  aws.String("512"),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ExecutionRoleArn:        aws.String("arn:aws:iam::" + a.ID + ":role/" + family + "_task_execution"),
		ContainerDefinitions: []types.ContainerDefinition{
			{Name: aws.String(container), Image: aws.String(image), Essential: aws.Bool(true)},
		},
	}
}

// Schedule creates a schedule of EventBridge Scheduler from the body of CreateSchedule. The group must exist.
func (a *Account) Schedule(ctx context.Context, name, body string) error {
	_, err := a.Send(ctx, http.MethodPost, "scheduler", "schedules/"+name, "", body)
	return err
}

// ScheduleGroup creates a schedule group of EventBridge Scheduler.
func (a *Account) ScheduleGroup(ctx context.Context, name string) error {
	_, err := a.Send(ctx, http.MethodPost, "scheduler", "schedule-groups/"+name, "", "{}")
	return err
}

// ReadSchedule returns a schedule as GetSchedule returns it.
func (a *Account) ReadSchedule(ctx context.Context, group, name string) (json.RawMessage, error) {
	return a.Send(ctx, http.MethodGet, "scheduler", "schedules/"+name+"?groupName="+group, "", "")
}

// DeleteSchedule deletes a schedule.
func (a *Account) DeleteSchedule(ctx context.Context, group, name string) error {
	_, err := a.Send(ctx, http.MethodDelete, "scheduler", "schedules/"+name+"?groupName="+group, "", "")
	return err
}

// Rule creates a rule of the default bus that matches no event of AWS, with targets from the JSON of PutTargets.
func (a *Account) Rule(ctx context.Context, name string, targets ...string) error {
	_, err := a.Send(ctx, http.MethodPost, "events", "", "AWSEvents.PutRule",
		fmt.Sprintf(`{"Name":%q,"EventPattern":"{\"source\":[\"example\"]}"}`, name))
	if err != nil {
		return err
	}
	_, err = a.Send(ctx, http.MethodPost, "events", "", "AWSEvents.PutTargets",
		fmt.Sprintf(`{"Rule":%q,"Targets":[%s]}`, name, strings.Join(targets, ",")))
	return err
}

// ReadTargets returns the targets of a rule of the default bus as ListTargetsByRule returns them.
func (a *Account) ReadTargets(ctx context.Context, rule string) ([]json.RawMessage, error) {
	raw, err := a.Send(ctx, http.MethodPost, "events", "", "AWSEvents.ListTargetsByRule",
		fmt.Sprintf(`{"Rule":%q}`, rule))
	var out struct{ Targets []json.RawMessage }
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	return out.Targets, err
}

// Send makes one signed call of a service in the protocol REST JSON, or in JSON 1.1 if target, the operation with its
// prefix, is not empty. It returns the answer.
func (a *Account) Send(ctx context.Context, method, service, path, target, body string) (json.RawMessage, error) {
	r, err := http.NewRequestWithContext(ctx, method, aws.ToString(a.Config.BaseEndpoint)+"/"+path,
		strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if target != "" {
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", target)
	}
	credentials, err := a.Config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(body))
	err = v4.NewSigner().SignHTTP(ctx, credentials, r, hex.EncodeToString(sum[:]), service, a.Config.Region, time.Now())
	if err != nil {
		return nil, err
	}
	var client aws.HTTPClient = http.DefaultClient
	if a.Config.HTTPClient != nil {
		client = a.Config.HTTPClient
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s %s: %s", method, service, cmp.Or(target, path), bytes.TrimSpace(text))
	}
	return text, err
}
