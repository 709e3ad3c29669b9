package ecsservice

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// References returns what the tasks of a revision read from outside it when they start: the
// parameters, secrets and environment files that its containers refer to, sidecars too, as
// the revision has them.
func (r Revision) References() (values []string) {
	add := func(secrets []types.Secret) {
		for _, s := range secrets {
			values = append(values, aws.ToString(s.ValueFrom))
		}
	}
	for _, c := range r.TaskDefinition.ContainerDefinitions {
		add(c.Secrets)
		if c.LogConfiguration != nil {
			add(c.LogConfiguration.SecretOptions)
		}
		for _, f := range c.EnvironmentFiles {
			values = append(values, aws.ToString(f.Value))
		}
	}
	return values
}
