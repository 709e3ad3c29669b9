package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// platform reports whether the image is built for the platform of its tasks. An
// index lists its platforms; for a single manifest the image's configuration is read.
func (f *findings) platform(ctx context.Context, c *checker, r *repository, got *ecrtypes.Image,
	td *types.TaskDefinition) {
	want := wanted(td)
	has, err := r.platforms(ctx, aws.ToString(got.ImageManifest))
	switch {
	case err != nil:
		f.notChecked(c, "platform", "ecr:GetDownloadUrlForLayer", r.arn.String(), err)
	case slices.Contains(has, want):
		f.ok("platform", "the image is built for %s, the platform of its tasks", want)
	default:
		f.add("platform", Problem, fmt.Sprintf(
			"the tasks run on %s, but the image is built for %s: they fail with an exec format error", want,
			strings.Join(has, ", ")),
			"build the image for "+want+" (docker buildx build --platform "+want+
				"), or change runtimePlatform of the task definition")
	}
}

// wanted returns the platform of a task definition as images name it, by default
// linux/amd64.
func wanted(td *types.TaskDefinition) string {
	os, arch := "linux", "amd64"
	if p := td.RuntimePlatform; p != nil {
		if p.CpuArchitecture == types.CPUArchitectureArm64 {
			arch = "arm64"
		}
		if strings.HasPrefix(string(p.OperatingSystemFamily), "WINDOWS") {
			os = "windows"
		}
	}
	return os + "/" + arch
}

// spec is a platform in an index or in an image's configuration.
type spec struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
}

func (p spec) String() string { return p.OS + "/" + p.Architecture }

// platforms returns the platforms that a manifest is for.
func (r *repository) platforms(ctx context.Context, manifest string) ([]string, error) {
	var m struct {
		Manifests []struct{ Platform spec }
		Config    struct{ Digest string }
	}
	if err := json.Unmarshal([]byte(manifest), &m); err != nil {
		return nil, fmt.Errorf("reading the image's manifest: %w", err)
	}
	var all []string
	for _, one := range m.Manifests {
		if one.Platform.OS != "unknown" && one.Platform.OS != "" { // attestations have no platform
			all = append(all, one.Platform.String())
		}
	}
	if len(m.Manifests) > 0 {
		return all, nil
	}
	config, err := r.configuration(ctx, m.Config.Digest)
	if err != nil {
		return nil, err
	}
	return []string{config.String()}, nil
}

// configuration downloads an image's configuration, as a pull does.
func (r *repository) configuration(ctx context.Context, digest string) (config spec, err error) {
	out, err := r.ecr.GetDownloadUrlForLayer(ctx, &ecr.GetDownloadUrlForLayerInput{
		RegistryId: aws.String(r.registry.AccountID), RepositoryName: aws.String(r.name),
		LayerDigest: aws.String(digest)})
	if err != nil {
		return config, fmt.Errorf("asking for the image's configuration: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, aws.ToString(out.DownloadUrl), nil)
	if err != nil {
		return config, fmt.Errorf("asking for the image's configuration: %w", err)
	}
	response, err := r.http.Do(request)
	if err != nil {
		return config, fmt.Errorf("fetching the image's configuration: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return config, fmt.Errorf("fetching the image's configuration: %s", response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 4<<20)).Decode(&config); err != nil {
		return config, fmt.Errorf("reading the image's configuration: %w", err)
	}
	return config, nil
}
