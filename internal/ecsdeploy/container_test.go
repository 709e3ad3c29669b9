package ecsdeploy

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
)

// TestContainersOfFile deploys to a task of two containers with different images of one
// repository: the containers that the environment file names alone get the new image, and
// nothing is registered if it names none.
func TestContainersOfFile(t *testing.T) {
	t.Parallel()
	const file = "schema_version: 7\nproject: p\nenv: dev\nregion: us-east-1\naccount_id: \"111111111111\"\n" +
		"ecr_strategy: local\nservices: [{name: web}]\ndeployer: {cluster: c"
	const nginx, php = host + "/p_service_web:nginx-41", host + "/p_service_web:v0"
	for name, tt := range map[string]struct {
		file string
		want []string // "nginx" or "php", for each container with the new image
	}{
		"one":   {", workloads: {web: {container: php}}", []string{"php"}},
		"other": {", workloads: {web: {container: nginx}}", []string{"nginx"}},
		"list":  {", workloads: {web: {container: [php, nginx]}}", []string{"nginx", "php"}},
		"none":  {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(r *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
				r.ContainerDefinitions = append(slices.Clone(r.ContainerDefinitions), r.ContainerDefinitions[0])
				for i, one := range [][2]string{{"nginx", nginx}, {"php", php}} {
					c := &r.ContainerDefinitions[i]
					c.Name, c.Image = aws.String(one[0]), aws.String(one[1])
				}
			})
			env, err := environment.Parse("dev.yaml", []byte(file+tt.file+"}\n"))
			must(t, err)
			web, _ := env.Find("web", environment.Services...)
			_, calls, err := w.deploy(t, ecsservice.TargetOf(env, web), order(w.digest))
			if tt.want == nil {
				if fault.NameOf(err) != "ContainerNotFound" || slices.Contains(calls, "RegisterTaskDefinition") {
					t.Errorf("%v, after %v", err, calls)
				}
				return
			}
			must(t, err)
			out, err := w.ECS.DescribeTaskDefinition(t.Context(),
				&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(target.Family)})
			must(t, err)
			var got []string
			for _, c := range out.TaskDefinition.ContainerDefinitions {
				if aws.ToString(c.Image) == host+"/p_service_web@"+w.digest {
					got = append(got, aws.ToString(c.Name))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("containers with the new image: %s", diff)
			}
		})
	}
}
