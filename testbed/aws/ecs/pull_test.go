package ecs_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestImageReferences tests which image references can be pulled.
func TestImageReferences(t *testing.T) {
	t.Parallel()
	one, other := emulatortest.Digest(emulatortest.Manifest("one")), emulatortest.Digest(emulatortest.Manifest("other"))
	const host = "111111111111.dkr.ecr.us-east-1.amazonaws.com"
	tests := []struct {
		name, image string
		want        bool
	}{
		{"a tag", registryImage + ":git-abc123f", true},
		{"no such tag", registryImage + ":git-0000000", false},
		{"a digest", registryImage + "@" + one, true},
		{"no such digest", registryImage + "@" + other, false},
		{"a tag and a digest", registryImage + ":gone@" + one, true},
		{"no tag is latest, which is there", host + "/tagged-latest", true},
		{"no tag is latest, which is not there", registryImage, false},
		{"no such repository", host + "/nope:latest", false},
		{"another account", "333333333333.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:git-abc123f", false},
		{"another region", "111111111111.dkr.ecr.eu-west-1.amazonaws.com/myproject_backend:git-abc123f", false},
		{"a dual-stack host", "111111111111.dkr-ecr.us-east-1.on.aws/myproject_backend:git-abc123f", true},
		{"a FIPS host", "111111111111.dkr.ecr-fips.us-east-1.amazonaws.com/myproject_backend:git-0000000", false},
		{"another registry", "public.ecr.aws/xray/aws-xray-daemon:latest", true},
		{"Docker Hub", "nginx", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newEnv(t, emulator.Options{})
			w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
			w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"tagged-latest"}`)
			w.Push(t, dev, "myproject_backend", "one", "git-abc123f")
			w.Push(t, dev, "tagged-latest", "one", "latest")
			w.Do(t, dev, "ecs:CreateCluster", `{"clusterName":"c"}`)
			w.Register(t, dev, "web", tt.image)
			w.Do(t, dev, "ecs:CreateService", `{"cluster":"c","serviceName":"web","taskDefinition":"web",`+
				`"desiredCount":1}`)
			w.Clock.Advance(2 * time.Minute)
			want := []string{"ACTIVE web:1 1/1/0", "d1 PRIMARY web:1 1/1/0-2 IN_PROGRESS: ECS deployment d1 in " +
				"progress."}
			if tt.want {
				want = []string{"ACTIVE web:1 1/0/1", "d1 PRIMARY web:1 1/0/1-0 COMPLETED: ECS deployment d1 " +
					"completed."}
			}
			if diff := cmp.Diff(want, w.rollout(t, names{})); diff != "" {
				t.Errorf("service (-want +got):\n%s", diff)
			}
		})
	}
}
