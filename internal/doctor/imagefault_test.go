package doctor

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// withLifecycle returns a damage that sets the rules of the repository's lifecycle policy.
func withLifecycle(rules string) func(t *testing.T, x *fixture) {
	return func(t *testing.T, x *fixture) { x.lifecycle(t, `{"rules":[`+rules+`]}`) }
}

// imageFaults are faults of the running image and of the repository's lifecycle policy.
var imageFaults = []damage{
	{name: "the image was deleted", damage: func(t *testing.T, x *fixture) {
		x.aws.Tick() // the tasks are running after it
		_, err := x.accounts["dev"].ECR.BatchDeleteImage(t.Context(),
			&ecr.BatchDeleteImageInput{RepositoryName: aws.String("myproject_backend"),
				ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("v1")}}})
		must(t, err)
	}},
	{name: "the image is archived", damage: func(t *testing.T, x *fixture) {
		x.aws.Tick()
		must(t, x.aws.Archive("111111111111", "us-east-1", "myproject_backend",
			"sha256:9d4acd316cad1769c70109be9528ed029c665604d9f55a122d7aed759cf18159"))
	}},
	{name: "the tag has moved on", damage: func(t *testing.T, x *fixture) {
		x.aws.Tick()
		_, err := x.accounts["dev"].Push(t.Context(), "myproject_backend", "backend v2", "v1")
		must(t, err)
	}},
	{name: "keep last 10, any tag",
		damage: withLifecycle(
			`{"rulePriority":1,"description":"Keep last 10 ` +
				`images","selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":10},` +
				`"action":{"type":"expire"}}`)},
	{name: "keep last 2, and two came since", damage: func(t *testing.T, x *fixture) {
		for _, tag := range []string{"v2", "v3"} {
			_, err := x.accounts["dev"].Push(t.Context(), "myproject_backend", tag, tag)
			must(t, err)
		}
		x.lifecycle(t,
			`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan",`+
				`"countNumber":2},"action":{"type":"expire"}}]}`)
	}},
	{name: "archive after a time", damage: withLifecycle(
		`{"rulePriority":1,"selection":{"tagStatus":"tagged","tagPrefixList":["v"],` +
			`"countType":"sinceImagePushed","countUnit":"days","countNumber":30},"action":{"type":"transition",` +
			`"targetStorageClass":"archive"}}`)},
	{name: "archive what is not pulled",
		damage: withLifecycle(
			`{"rulePriority":1,"selection":{"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days",` +
				`"countNumber":90},"action":{"type":"transition","targetStorageClass":"archive"}}`)},
	{name: "delete what was archived", damage: withLifecycle(
		`{"rulePriority":1,"selection":{"tagStatus":"any","storageClass":"archive",` +
			`"countType":"sinceImageTransitioned","countUnit":"days","countNumber":90},"action":{"type":"expire"}}`)},
	{name: "no lifecycle policy", damage: func(t *testing.T, x *fixture) {
		_, err := x.accounts["dev"].ECR.DeleteLifecyclePolicy(t.Context(),
			&ecr.DeleteLifecyclePolicyInput{RepositoryName: aws.String("myproject_backend")})
		must(t, err)
	}},
	{name: "no scanning", damage: scanOnPush(false)},
	{name: "scanning by the registry's rules", damage: func(t *testing.T, x *fixture) {
		scanOnPush(false)(t, x)
		x.registryScanning(t, ecrtypes.ScanFrequencyScanOnPush, "myproject_*")
	}},
	{name: "continuous scanning", damage: func(t *testing.T, x *fixture) {
		x.registryScanning(t, ecrtypes.ScanFrequencyContinuousScan, "*")
	}},
	{name: "enhanced scanning of other repositories", damage: func(t *testing.T, x *fixture) {
		x.registryScanning(t, ecrtypes.ScanFrequencyContinuousScan, "other_*")
	}},
	{name: "scanning denied", damage: deny("ecr:BatchGetRepositoryScanningConfiguration")},
	{name: "a rule that keeps releases comes first", damage: withLifecycle(`{"rulePriority":2,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}},
		{"rulePriority":1,"selection":{"tagStatus":"tagged","tagPatternList":["v*"],"countType":"imageCountMoreThan","countNumber":999999},"action":{"type":"expire"}}`)},
	{name: "lifecycle denied", damage: deny("ecr:GetLifecyclePolicy")},
	{name: "another platform", damage: func(t *testing.T, x *fixture) {
		x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
			td.RuntimePlatform = &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureArm64,
				OperatingSystemFamily: types.OSFamilyLinux}
		})
	}},
	{name: "an index of both platforms", damage: func(t *testing.T, x *fixture) {
		_, err := x.accounts["dev"].PushIndex(t.Context(), "myproject_backend", "both",
			[]string{"linux/amd64", "linux/arm64"}, "v1")
		must(t, err)
		x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
			td.RuntimePlatform = &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureArm64,
				OperatingSystemFamily: types.OSFamilyLinux}
		})
	}},
	{name: "what nothing in ECS can run", damage: func(t *testing.T, x *fixture) {
		_, err := x.accounts["dev"].PushIndex(t.Context(), "myproject_backend", "mac", []string{"darwin/arm64"}, "v1")
		must(t, err)
		x.recreate(t, onInstances(""))
	}},
	{name: "a newer Windows", damage: windows("windows/amd64/10.0.20348.169")},
	{name: "an older Windows", damage: windows("windows/amd64/10.0.14393.6614")},
	{name: "the Windows of the tasks", damage: windows("windows/amd64/10.0.17763.5329")},
	{name: "an architecture without a system", damage: func(t *testing.T, x *fixture) {
		x.recreate(t, onInstances(types.CPUArchitectureArm64))
	}},
	{name: "the image's configuration denied", damage: deny("ecr:GetDownloadUrlForLayer")},
}

// onInstances makes a service's tasks run on container instances, and of an architecture if
// it is not "".
func onInstances(architecture types.CPUArchitecture) func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput) {
	return func(td *ecs.RegisterTaskDefinitionInput, s *ecs.CreateServiceInput) {
		td.RequiresCompatibilities, td.RuntimePlatform = nil, nil
		if architecture != "" {
			td.RuntimePlatform = &types.RuntimePlatform{CpuArchitecture: architecture}
		}
		s.LaunchType = types.LaunchTypeEc2
	}
}

// windows pushes an image of a platform, and makes the service's tasks run on Windows Server 2019.
func windows(platform string) func(*testing.T, *fixture) {
	return func(t *testing.T, x *fixture) {
		t.Helper()
		_, err := x.accounts["dev"].PushIndex(t.Context(), "myproject_backend", "windows", []string{platform}, "v1")
		must(t, err)
		x.recreate(t, func(td *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
			td.RuntimePlatform = &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureX8664,
				OperatingSystemFamily: types.OSFamilyWindowsServer2019Core}
		})
	}
}
