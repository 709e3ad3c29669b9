package ecsdeploy

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

// TestRecord holds what a revision and its journal tell, and which of the two is right.
func TestRecord(t *testing.T) {
	t.Parallel()
	digest, other := "sha256:"+strings.Repeat("a", 64), "sha256:"+strings.Repeat("b", 64)
	const repository = host + "/p_service_web"
	registered := eventTime.Add(time.Minute)
	whole := map[string]string{
		keyEventID: "e1", keyTime: "2026-01-22T10:15:30Z", keySource: "action.dev", keyTag: "v1", keyDigest: digest, keyPrevious: arn + "f:6",
		keyActor: "ada", keyReason: "because", keyDeployment: "ecs-svc/1", keyOutcome: "succeeded", keyFinished: "2026-01-22T10:17:00Z",
	}
	base := Record{TaskDefinition: arn + "f:7", Revision: 7, Registered: registered}
	ours := base
	ours.Cause.ID, ours.Cause.Time, ours.Cause.Source, ours.Previous, ours.Cause.Actor, ours.Cause.Reason = "e1", eventTime, "action.dev", arn+"f:6", "ada", "because"
	ours.DeploymentID, ours.Outcome, ours.Finished = "ecs-svc/1", Succeeded, time.Date(2026, 1, 22, 10, 17, 0, 0, time.UTC)
	with := func(r Record, image, tag, digest string) Record {
		r.Image, r.Tag, r.Digest = image, tag, digest
		return r
	}
	foreign := base
	foreign.Foreign = true
	half := foreign
	half.Cause.ID = "e1"
	gone := foreign
	gone.Inactive = true
	tests := []struct {
		name, image string
		status      types.TaskDefinitionStatus
		journal     map[string]string
		want        Record
	}{
		{"by digest", repository + "@" + digest, "ACTIVE", whole, with(ours, repository+"@"+digest, "v1", digest)},
		{"by tag", repository + ":v1", "ACTIVE", whole, with(ours, repository+":v1", "v1", digest)},
		{"a journal copied onto another image", repository + "@" + other, "ACTIVE", whole, with(ours, repository+"@"+other, "", other)},
		{"a journal copied onto another tag", repository + ":v2", "ACTIVE", whole, with(ours, repository+":v2", "v2", "")},
		{"somebody else's by tag", repository + ":v1", "ACTIVE", nil, with(foreign, repository+":v1", "v1", "")},
		{"somebody else's by both", repository + ":v1@" + digest, "ACTIVE", nil, with(foreign, repository+":v1@"+digest, "v1", digest)},
		{"deregistered", repository + ":v1", "INACTIVE", nil, with(gone, repository+":v1", "v1", "")},
		{"half a journal", repository + ":v1", "ACTIVE", map[string]string{keyEventID: "e1", keyTime: "yesterday"}, with(half, repository+":v1", "v1", "")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := revision{TaskDefinition: &types.TaskDefinition{
				TaskDefinitionArn: aws.String(arn + "f:7"), Family: aws.String("f"), Revision: 7, Status: tt.status, RegisteredAt: &registered,
				ContainerDefinitions: []types.ContainerDefinition{
					{Name: aws.String("log_router"), Image: aws.String("public.ecr.aws/aws-observability/aws-for-fluent-bit:stable")},
					{Name: aws.String("app"), Image: aws.String(tt.image)},
				},
			}}
			for key, value := range tt.journal {
				r.tags = append(r.tags, types.Tag{Key: aws.String(key), Value: aws.String(value)})
			}
			if diff := cmp.Diff(tt.want, target.record(r)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
