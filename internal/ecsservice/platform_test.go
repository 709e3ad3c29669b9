package ecsservice

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/image"
)

func TestPlatformOf(t *testing.T) {
	t.Parallel()
	fargate := &types.Service{LaunchType: types.LaunchTypeFargate}
	ec2 := &types.Service{LaunchType: types.LaunchTypeEc2}
	providers := func(names ...string) *types.Service {
		s := &types.Service{}
		for _, n := range names {
			item := types.CapacityProviderStrategyItem{CapacityProvider: aws.String(n)}
			s.CapacityProviderStrategy = append(s.CapacityProviderStrategy, item)
		}
		return s
	}
	runtime := func(os, cpu string, requires ...types.Compatibility) *types.TaskDefinition {
		return &types.TaskDefinition{RequiresCompatibilities: requires, RuntimePlatform: &types.RuntimePlatform{
			OperatingSystemFamily: types.OSFamily(os), CpuArchitecture: types.CPUArchitecture(cpu)}}
	}
	absent := &types.TaskDefinition{}
	tests := []struct {
		name    string
		service *types.Service
		td      *types.TaskDefinition
		want    image.Platform
	}{
		{"Fargate, absent", fargate, absent, image.Platform{OS: "linux", Architecture: "amd64"}},
		{"Fargate, ARM64", fargate, runtime("LINUX", "ARM64"), image.Platform{OS: "linux", Architecture: "arm64"}},
		{"Fargate, only the CPU", fargate, runtime("", "ARM64"), image.Platform{OS: "linux", Architecture: "arm64"}},
		{"Fargate, only the system", fargate, runtime("WINDOWS_SERVER_2022_CORE", ""),
			image.Platform{OS: "windows", Architecture: "amd64"}},
		{"Fargate Spot", providers("FARGATE", "FARGATE_SPOT"), absent, image.Platform{OS: "linux",
			Architecture: "amd64"}},
		{"EC2, absent", ec2, absent, image.Platform{}},
		{"EC2, ARM64", ec2, runtime("LINUX", "ARM64"), image.Platform{OS: "linux", Architecture: "arm64"}},
		{"EC2, only the CPU", ec2, runtime("", "X86_64"), image.Platform{Architecture: "amd64"}},
		{"EC2, for Fargate too", ec2, runtime("", "", types.CompatibilityFargate), image.Platform{}},
		{"a capacity provider of instances", providers("graviton"), absent, image.Platform{}},
		{"unknown, Fargate only", nil, runtime("", "", types.CompatibilityFargate),
			image.Platform{OS: "linux", Architecture: "amd64"}},
		{"unknown, both", &types.Service{}, runtime("", "", types.CompatibilityEc2, types.CompatibilityFargate),
			image.Platform{}},
		{"a value of the future", fargate, runtime("LINUX", "RISCV64"), image.Platform{OS: "linux"}},
	}
	for _, tt := range tests {
		if got := PlatformOf(tt.service, tt.td); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
