package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/image"
)

// platform reports whether the image is a container image that is built for the
// platform of its tasks. An index lists its platforms; for a single manifest the
// image's configuration is read.
func (f *findings) platform(ctx context.Context, c *checker, r *repository, got *ecrtypes.Image,
	s *types.Service, td *types.TaskDefinition) {
	want := ecsservice.PlatformOf(s, td)
	text, mediaType := aws.ToString(got.ImageManifest), aws.ToString(got.ImageManifestMediaType)
	m, err := image.ParseManifest([]byte(text), mediaType)
	if errors.Is(err, image.ErrNotImage) {
		f.add("platform", Problem, err.Error(), "deploy a container image")
		return
	}
	if err == nil && m.Config != "" && !want.IsAny() {
		m, err = r.configuration(ctx, m.Config)
	}
	fit, build := m.Fits(want), want.OrDefault().String() // what docker buildx build accepts
	switch {
	case err != nil:
		f.notChecked(c, "platform", "ecr:GetDownloadUrlForLayer", r.arn.String(), err)
	case want.IsAny() && fit == image.FitsNot:
		f.add("platform", Problem, fmt.Sprintf("the image is built for %s, which nothing in ECS can run",
			m.PlatformNames()), "build the image for the platform of the container instances, such as "+build+
			" (docker buildx build --platform "+build+")")
	case want.IsAny():
		f.ok("platform", "the container instances decide: the task definition has no runtimePlatform")
	case fit == image.Fits:
		f.ok("platform", "the image is built for %s, the platform of its tasks", want.Name())
	case fit == image.FitDoubtful:
		f.add("platform", Warning, fmt.Sprintf("the tasks run on %s, and the image is built for %s: under process "+
			"isolation, a host runs images of its own build only, and from Windows Server 2025 on those of 2022",
			want.Name(), m.PlatformNames()), "build the image from a base image of Windows "+want.OSVersion)
	case fit == image.FitsNot && m.Fits(image.Platform{OS: want.OS, Architecture: want.Architecture}) == image.Fits:
		f.add("platform", Problem, fmt.Sprintf("the tasks run on %s, but the image is built for %s, which is newer: "+
			"they do not start", want.Name(), m.PlatformNames()), "build the image from a base image of Windows "+
			want.OSVersion+", or change operatingSystemFamily of the task definition")
	case fit == image.FitUnknown:
		f.add("platform", Unknown, "not checked: the image's manifest does not name all of its platforms",
			"push an index that names the platform of each image (docker buildx build --platform "+build+")")
	default:
		f.add("platform", Problem, fmt.Sprintf(
			"the tasks run on %s, but the image is built for %s: they fail with an exec format error", want,
			m.PlatformNames()),
			"build the image for "+build+" (docker buildx build --platform "+build+
				"), or change runtimePlatform of the task definition")
	}
}

// maxConfig is how many bytes of an image's configuration are read.
const maxConfig = 4 << 20

// configuration downloads an image's configuration, as a pull does, and returns its
// platform.
func (r *repository) configuration(ctx context.Context, digest string) (m image.Manifest, err error) {
	out, err := r.ecr.GetDownloadUrlForLayer(ctx, &ecr.GetDownloadUrlForLayerInput{
		RegistryId: aws.String(r.registry.AccountID), RepositoryName: aws.String(r.name),
		LayerDigest: aws.String(digest)})
	if err != nil {
		return m, fmt.Errorf("asking for the image's configuration: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, aws.ToString(out.DownloadUrl), nil)
	if err != nil {
		return m, fmt.Errorf("asking for the image's configuration: %w", err)
	}
	response, err := r.http.Do(request)
	if err != nil {
		return m, fmt.Errorf("fetching the image's configuration: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return m, fmt.Errorf("fetching the image's configuration: %s", response.Status)
	}
	config, err := io.ReadAll(io.LimitReader(response.Body, maxConfig))
	if err != nil {
		return m, fmt.Errorf("fetching the image's configuration: %w", err)
	}
	return image.ParseConfig(config)
}
