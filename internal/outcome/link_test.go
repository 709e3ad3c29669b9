package outcome

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLinks(t *testing.T) {
	t.Parallel()
	const (
		east     = "https://us-east-1.console.aws.amazon.com/ecs/v2/"
		china    = "https://cn-north-1.console.amazonaws.cn/ecs/v2/"
		gov      = "https://us-gov-west-1.console.amazonaws-us-gov.com/ecs/v2/"
		europe   = "https://eusc-de-east-1.console.amazonaws-eusc.eu/ecs/v2/"
		isolated = "arn:aws-iso:ecs:us-iso-east-1:333333333333:"
	)
	for _, tt := range []struct {
		name, service, revision string
		want                    Links
	}{
		{"commercial", "arn:aws:ecs:us-east-1:333333333333:service/c/s",
			"arn:aws:ecs:us-east-1:333333333333:task-definition/f:12", Links{
				Service:        east + "clusters/c/services/s/health?region=us-east-1",
				Deployment:     east + "clusters/c/services/s/deployments?region=us-east-1",
				TaskDefinition: east + "task-definitions/f/12/containers?region=us-east-1",
				Logs:           east + "clusters/c/services/s/logs?region=us-east-1"}},
		{"China", "arn:aws-cn:ecs:cn-north-1:333333333333:service/c/s", "", Links{
			Service:    china + "clusters/c/services/s/health?region=cn-north-1",
			Deployment: china + "clusters/c/services/s/deployments?region=cn-north-1",
			Logs:       china + "clusters/c/services/s/logs?region=cn-north-1"}},
		{"GovCloud", "", "arn:aws-us-gov:ecs:us-gov-west-1:333333333333:task-definition/f:1", Links{
			TaskDefinition: gov + "task-definitions/f/1/containers?region=us-gov-west-1"}},
		{"Europe", "", "arn:aws-eusc:ecs:eusc-de-east-1:333333333333:task-definition/f:1", Links{
			TaskDefinition: europe + "task-definitions/f/1/containers?region=eusc-de-east-1"}},
		{"a partition without a public console",
			isolated + "service/c/s", isolated + "task-definition/f:1", Links{}},
		{"a service's ARN of the old form", "arn:aws:ecs:us-east-1:333333333333:service/s", "", Links{}},
		{"nothing", "", "", Links{}},
	} {
		if diff := cmp.Diff(tt.want, LinksOf(tt.service, tt.revision)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
