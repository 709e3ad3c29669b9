package ecsdeploy

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/journal"
)

// TestFamily checks that the rule sees the note that was added to a revision's journal since it was first read.
func TestFamily(t *testing.T) {
	t.Parallel()
	revision := func(tags ...journal.Tag) ecsservice.Revision {
		event := []journal.Tag{
			{Key: "deployer:event-id", Value: "e1"}, {Key: "deployer:event-time", Value: "2026-01-22T10:15:00Z"},
		}
		all := ecsservice.SDKTags(append(event, tags...))
		return ecsservice.Revision{Tags: all, TaskDefinition: &types.TaskDefinition{
			TaskDefinitionArn: aws.String(arn + "p_service_web_dev:12"), Revision: 12,
			Family: aws.String("p_service_web_dev"), RegisteredAt: aws.Time(eventTime),
			ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String(target.Container),
				Image: aws.String(host + "/p_service_web:v1")}},
		}}
	}
	read := revision()
	s := newState(eventTime, target, ecsservice.Snapshot{Service: &types.Service{}, Running: read, Newest: read})
	if one, known := s.family(12); !known || !one.Own || one.Event != "e1" || one.Failed {
		t.Errorf("the revision is %+v, %t", one, known)
	}
	s.addRevision(revision(journal.Tag{Key: "deployer:outcome", Value: "failed"}))
	if one, known := s.family(12); !known || !one.Failed {
		t.Errorf("with an outcome, the revision is %+v, %t", one, known)
	}
}
