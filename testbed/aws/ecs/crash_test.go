package ecs_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/testbed/aws/emulatortest"
)

// TestExitCode: an image with the annotation exit-code crashes, so that the aws command can push one.
func TestExitCode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, annotations string
		want              int32 // exit code; 0 if the tasks run
	}{
		{"a crash", `{"exit-code":"139"}`, 139},
		{"no annotation", `{}`, 0},
		{"no number", `{"exit-code":"yes"}`, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newService(t, rollback)
			w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
			var manifest map[string]any
			if err := json.Unmarshal([]byte(emulatortest.Manifest("crash")), &manifest); err != nil {
				t.Fatal(err)
			}
			manifest["annotations"] = json.RawMessage(tt.annotations)
			text, err := json.Marshal(manifest)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.ECR(dev).PutImage(t.Context(), &ecr.PutImageInput{ImageTag: aws.String("crash"),
				RepositoryName: aws.String("myproject_backend"), ImageManifest: aws.String(string(text))})
			if err != nil {
				t.Fatal(err)
			}
			w.Register(t, dev, "web", registryImage+":crash")
			w.update(t, "web")
			w.Clock.Advance(time.Minute)
			list, err := w.ECS(dev).ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("c"),
				ServiceName: aws.String("web"), DesiredStatus: types.DesiredStatusStopped})
			if err != nil || (len(list.TaskArns) > 0) != (tt.want != 0) {
				t.Fatalf("stopped: %v, %v", list, err)
			}
			if tt.want == 0 {
				return
			}
			out, err := w.ECS(dev).DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("c"),
				Tasks: list.TaskArns[:1]})
			if err != nil || aws.ToInt32(out.Tasks[0].Containers[0].ExitCode) != tt.want {
				t.Errorf("%+v, %v; want exit code %d", out, err, tt.want)
			}
		})
	}
}
