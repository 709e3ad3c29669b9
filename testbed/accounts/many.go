package accounts

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// ManyServices creates services s0, s1, … of project p in environment dev of the
// account, and returns their environment file. All run the image under the tag
// latest: pinned by digest and with a journal if deployed is true, by tag otherwise.
func (a *Account) ManyServices(ctx context.Context, services int, deployed bool) (file string, err error) {
	if err := a.Cluster(ctx, "p_cluster_dev"); err != nil {
		return "", err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "project: p\nenv: dev\nregion: us-east-1\naccount_id: %q\nservices:\n", a.ID)
	for i := range services {
		name := fmt.Sprintf("s%d", i)
		fmt.Fprintf(&text, "  - name: %s\n", name)
		digest, err := a.Push(ctx, "p_service_"+name, "v1", "latest")
		if err != nil {
			return "", err
		}
		image := a.ID + ".dkr.ecr.us-east-1.amazonaws.com/p_service_" + name
		_, err = a.Service(ctx, "p_cluster_dev", "p_service_"+name+"_dev", image+":latest",
			func(in *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
				if deployed {
					in.ContainerDefinitions[0].Image = aws.String(image + "@" + digest)
					in.Tags = append(in.Tags, journalOf(digest)...)
				}
			})
		if err != nil {
			return "", err
		}
	}
	return text.String(), nil
}

// journalOf returns the tags of a revision that the deployer registered.
func journalOf(digest string) (tags []ecstypes.Tag) {
	for key, value := range map[string]string{"event-id": "e1", "event-time": "2026-01-22T10:15:30Z", "tag": "latest",
		"digest": digest, "actor": "ada"} {
		tags = append(tags, ecstypes.Tag{Key: aws.String("deployer:" + key), Value: aws.String(value)})
	}
	return tags
}
