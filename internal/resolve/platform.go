package resolve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
)

const (
	configTime   = 3 * time.Second // for reading an image's configuration
	maxConfig    = 4 << 20         // bytes of it that are read
	maxPlatforms = 1000            // images whose platforms are kept
)

// Platform returns the manifest of an image with its platform. The manifest of a single
// image does not name it; then it is read from the image's configuration, as a pull
// does: ecr:GetDownloadUrlForLayer and one download, one after the other. If that
// fails, it returns the manifest as it is, and why: the image may still run. An image
// is read once, because its configuration never changes.
func (r *Resolver) Platform(ctx context.Context, w environment.Workload, found Image) (image.Manifest, error) {
	if found.Manifest.Config == "" {
		return found.Manifest, nil
	}
	r.mu.Lock()
	m, known := r.platforms[found.Manifest.Config]
	r.mu.Unlock()
	if known {
		return m, nil
	}
	ctx, cancel := context.WithTimeout(ctx, configTime)
	defer cancel()
	m, err := r.configs.do(ctx, found.Manifest.Config, func() (image.Manifest, error) {
		return r.readConfig(ctx, w, found.Manifest.Config)
	})
	if err != nil {
		return found.Manifest, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.platforms) >= maxPlatforms {
		clear(r.platforms)
	}
	r.platforms[found.Manifest.Config] = m
	return m, nil
}

func (r *Resolver) readConfig(ctx context.Context, w environment.Workload, digest string) (image.Manifest, error) {
	const doing = "reading the image's configuration"
	out, err := r.client(w.Registry.Region).GetDownloadUrlForLayer(ctx, &ecr.GetDownloadUrlForLayerInput{
		RegistryId: aws.String(w.Registry.AccountID), RepositoryName: aws.String(w.Repository),
		LayerDigest: aws.String(digest)})
	if err != nil {
		return image.Manifest{}, fault.Plain(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, aws.ToString(out.DownloadUrl), nil)
	if err != nil {
		return image.Manifest{}, fmt.Errorf("%s: %w", doing, err)
	}
	var client aws.HTTPClient = http.DefaultClient
	if r.config.HTTPClient != nil {
		client = r.config.HTTPClient
	}
	response, err := client.Do(request)
	if err != nil {
		return image.Manifest{}, fmt.Errorf("%s: the download failed", doing) // the URL in err is a secret
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxConfig))
	if err != nil || response.StatusCode != http.StatusOK {
		return image.Manifest{}, fmt.Errorf("%s: the download failed: %s", doing, response.Status)
	}
	m, err := image.ParseConfig(text)
	if err == nil && len(m.Platforms) == 0 {
		return m, errors.New("the image's configuration names no platform")
	}
	return m, err
}
