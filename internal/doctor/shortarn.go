package doctor

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/environment"
)

// serviceARN reports a service whose ARN neither the stack's rule nor its role matches.
// One that they match is no finding.
func (f *findings) serviceARN(env *environment.Environment, s *types.Service) {
	arn := aws.ToString(s.ServiceArn)
	if arn == "" || env.MatchesARN(arn) {
		return
	}
	f.add("service ARN", Problem, arn+" is a short ARN, without the cluster: the stack's rule and role match short "+
		"ARNs only of services whose names begin with "+env.ShortARNPrefix()+", so no outcome is reported and "+
		"UpdateService is denied", env.LongARNSteps(arn))
}
