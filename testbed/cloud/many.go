package cloud

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/testbed/accounts"
)

// ManyServices creates the services s0, s1, … of project p in environment dev of an account, and returns their
// environment file. All run the image with the tag latest: with deployed by digest, as the deployer registers a
// revision, otherwise by tag.
func ManyServices(ctx context.Context, a *accounts.Account, services int, deployed bool) (file string, err error) {
	const cluster = "p_cluster_dev"
	if err := a.Cluster(ctx, cluster); err != nil {
		return "", err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "project: p\nenv: dev\nregion: %s\naccount_id: %q\nservices:\n", accounts.Region, a.ID)
	for i := range services {
		name := fmt.Sprintf("s%d", i)
		fmt.Fprintf(&text, "  - name: %s\n", name)
		digest, err := a.Push(ctx, "p_service_"+name, "v1", "latest")
		if err != nil {
			return "", err
		}
		image := a.ID + ".dkr.ecr." + accounts.Region + ".amazonaws.com/p_service_" + name
		pin := func(in *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
			if deployed {
				in.ContainerDefinitions[0].Image = aws.String(image + "@" + digest)
				in.Tags = append(in.Tags, journalTags(digest)...)
			}
		}
		if _, err := a.Service(ctx, cluster, "p_service_"+name+"_dev", image+":latest", pin); err != nil {
			return "", err
		}
	}
	return text.String(), nil
}

// journalTags returns the tags of a revision that the deployer registered.
func journalTags(digest string) (tags []types.Tag) {
	values := map[string]string{
		"event-id": "e1", "event-time": "2026-01-22T10:15:30Z", "tag": "latest", "digest": digest, "actor": "ada",
	}
	for key, value := range values {
		tags = append(tags, types.Tag{Key: aws.String("deployer:" + key), Value: aws.String(value)})
	}
	return tags
}
