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
	windows := func(version string) image.Platform {
		return image.Platform{OS: "windows", Architecture: "amd64", OSVersion: version}
	}
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
			image.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348"}},
		{"Windows 2016", fargate, runtime("WINDOWS_SERVER_2016_FULL", ""), windows("10.0.14393")},
		{"Windows 2019", fargate, runtime("WINDOWS_SERVER_2019_CORE", ""), windows("10.0.17763")},
		{"Windows 2004", ec2, runtime("WINDOWS_SERVER_2004_CORE", "X86_64"), windows("10.0.19041")},
		{"Windows 20H2", ec2, runtime("WINDOWS_SERVER_20H2_CORE", "X86_64"), windows("10.0.19042")},
		{"Windows 2025", ec2, runtime("WINDOWS_SERVER_2025_FULL", "X86_64"), windows("10.0.26100")},
		{"Windows of the future", fargate, runtime("WINDOWS_SERVER_2028_CORE", ""), windows("")},
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

// TestWindowsVersions checks that each Windows family that the SDK knows has a version.
func TestWindowsVersions(t *testing.T) {
	t.Parallel()
	for _, family := range types.OSFamily("").Values() {
		if known := windowsVersion(string(family)) != ""; known != (family != types.OSFamilyLinux) {
			t.Errorf("%s: known %t", family, known)
		}
	}
}
