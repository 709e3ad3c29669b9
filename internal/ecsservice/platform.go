package ecsservice

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/image"
)

// PlatformOf returns the platform that images of a service's tasks must be built for.
// It is the task definition's runtimePlatform. What that leaves out is linux and amd64
// on Fargate, as AWS documents; anywhere else it is any ("" in the platform), because
// there the container instance decides, and a cluster of Graviton instances needs no
// runtimePlatform. For a Windows family it has the version of Windows.
func PlatformOf(s *types.Service, td *types.TaskDefinition) image.Platform {
	var p image.Platform
	if onFargate(s, td) {
		p = p.OrDefault()
	}
	if td.RuntimePlatform == nil {
		return p
	}
	switch td.RuntimePlatform.CpuArchitecture {
	case "":
	case types.CPUArchitectureArm64:
		p.Architecture = "arm64"
	case types.CPUArchitectureX8664:
		p.Architecture = "amd64"
	default: // one that is newer than this build
		p.Architecture = ""
	}
	switch family := string(td.RuntimePlatform.OperatingSystemFamily); {
	case strings.HasPrefix(family, "WINDOWS"):
		p.OS, p.OSVersion = "windows", windowsVersion(family)
	case family != "":
		p.OS = "linux"
	}
	return p
}

// windowsVersions are the versions of Windows by the beginning of an operatingSystemFamily, with their builds
// (Microsoft, "Windows Server release information"; RuntimePlatform in the Amazon ECS API reference).
var windowsVersions = map[string]string{
	"WINDOWS_SERVER_2016_": "10.0.14393",
	"WINDOWS_SERVER_2019_": "10.0.17763",
	"WINDOWS_SERVER_2004_": "10.0.19041",
	"WINDOWS_SERVER_20H2_": "10.0.19042",
	"WINDOWS_SERVER_2022_": "10.0.20348",
	"WINDOWS_SERVER_2025_": "10.0.26100",
}

// windowsVersion returns the version of Windows of an operatingSystemFamily; "" for one that is newer than this build.
func windowsVersion(family string) string {
	for prefix, version := range windowsVersions {
		if strings.HasPrefix(family, prefix) {
			return version
		}
	}
	return ""
}

// onFargate reports whether a service's tasks run on Fargate: by its launch type, else
// by its capacity providers, else by what its task definition requires.
func onFargate(s *types.Service, td *types.TaskDefinition) bool {
	if s != nil && s.LaunchType != "" {
		return s.LaunchType == types.LaunchTypeFargate
	}
	if s != nil && len(s.CapacityProviderStrategy) > 0 {
		return !slices.ContainsFunc(s.CapacityProviderStrategy, func(c types.CapacityProviderStrategyItem) bool {
			return !strings.HasPrefix(aws.ToString(c.CapacityProvider), "FARGATE")
		})
	}
	return slices.Equal(td.RequiresCompatibilities, []types.Compatibility{types.CompatibilityFargate})
}
