package accounts

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
)

// Push pushes a small linux/amd64 image under each of the tags and returns its digest. The same content has the same
// digest. It creates the repository if there is none.
func (a *Account) Push(ctx context.Context, repository, content string, tags ...string) (digest string, err error) {
	return a.PushFor(ctx, "amd64", repository, content, tags...)
}

// PushFor is [Account.Push] for another architecture.
func (a *Account) PushFor(
	ctx context.Context, architecture, repository, content string, tags ...string,
) (digest string, err error) {
	if err := a.createRepository(ctx, repository); err != nil {
		return "", err
	}
	if err := a.PushConfig(ctx, repository, architecture); err != nil {
		return "", err
	}
	return a.putManifest(ctx, architecture, repository, content, tags...)
}

// PushManifest is [Account.PushFor] without the config blob, for implementations of ECR that take no layers.
func (a *Account) PushManifest(
	ctx context.Context, architecture, repository, content string, tags ...string,
) (digest string, err error) {
	if err := a.createRepository(ctx, repository); err != nil {
		return "", err
	}
	return a.putManifest(ctx, architecture, repository, content, tags...)
}

// PutManifest puts the manifest of the linux/amd64 image of [Account.Push] into a repository that has its config blob,
// with no other call.
func (a *Account) PutManifest(ctx context.Context, repository, content string, tags ...string) (string, error) {
	return a.putManifest(ctx, "amd64", repository, content, tags...)
}

func (a *Account) putManifest(
	ctx context.Context, architecture, repository, content string, tags ...string,
) (digest string, err error) {
	manifest := manifestOf(architecture, content)
	return digestOf(manifest), a.put(ctx, repository, manifest, manifestType, tags...)
}

// createRepository creates a repository unless there is one.
func (a *Account) createRepository(ctx context.Context, repository string) error {
	_, err := a.ECR.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String(repository)})
	var exists *types.RepositoryAlreadyExistsException
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("creating repository %q: %w", repository, err)
	}
	return nil
}

// PushIndex pushes one image for each platform, such as "linux/amd64" or "windows/amd64/10.0.17763.5329", and an index
// of them under each of the tags. It returns the digest of the index.
func (a *Account) PushIndex(
	ctx context.Context, repository, content string, platforms []string, tags ...string,
) (digest string, err error) {
	var manifests []string
	for _, platform := range platforms {
		system, architecture, _ := strings.Cut(platform, "/")
		architecture, version, windows := strings.Cut(architecture, "/")
		if windows {
			version = fmt.Sprintf(`,"os.version":%q`, version)
		}
		child, err := a.PushFor(ctx, architecture, repository, content+" "+platform, "child-"+architecture)
		if err != nil {
			return "", err
		}
		manifests = append(manifests, fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":2,"platform":{"os":%q,`+
			`"architecture":%q%s}}`,
			manifestType, child, system, architecture, version))
	}
	index := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, indexType, strings.Join(manifests, ","))
	return digestOf(index), a.put(ctx, repository, index, indexType, tags...)
}

func (a *Account) put(ctx context.Context, repository, manifest, mediaType string, tags ...string) error {
	if len(tags) == 0 {
		tags = []string{""}
	}
	for _, tag := range tags {
		in := &ecr.PutImageInput{RepositoryName: aws.String(repository), ImageManifest: aws.String(manifest),
			ImageManifestMediaType: aws.String(mediaType), ImageDigest: aws.String(digestOf(manifest))}
		if tag != "" {
			in.ImageTag = aws.String(tag)
		}
		_, err := a.ECR.PutImage(ctx, in)
		var same *types.ImageAlreadyExistsException
		if err != nil && !errors.As(err, &same) {
			return fmt.Errorf("pushing tag %q to repository %q: %w", tag, repository, err)
		}
	}
	return nil
}

// PushConfig uploads the config blob that the images of an architecture refer to, as a real push does. Only tests that
// download it need it.
func (a *Account) PushConfig(ctx context.Context, repository, architecture string) error {
	return a.upload(ctx, repository, imageConfig(architecture))
}

// partSize is the size of the parts of a layer in bytes.
const partSize = 10 << 20

// upload uploads a layer. It is no error if the repository has it.
func (a *Account) upload(ctx context.Context, repository, content string) error {
	upload, err := a.ECR.InitiateLayerUpload(ctx, &ecr.InitiateLayerUploadInput{RepositoryName: aws.String(repository)})
	if err != nil {
		return err
	}
	for first := 0; first < len(content); first += partSize {
		part := content[first:min(first+partSize, len(content))]
		_, err = a.ECR.UploadLayerPart(ctx, &ecr.UploadLayerPartInput{
			RepositoryName: aws.String(repository), UploadId: upload.UploadId, LayerPartBlob: []byte(part),
			PartFirstByte: aws.Int64(int64(first)), PartLastByte: aws.Int64(int64(first+len(part)) - 1),
		})
		if err != nil {
			return err
		}
	}
	_, err = a.ECR.CompleteLayerUpload(ctx, &ecr.CompleteLayerUploadInput{
		RepositoryName: aws.String(repository), UploadId: upload.UploadId, LayerDigests: []string{digestOf(content)},
	})
	var there *types.LayerAlreadyExistsException
	if errors.As(err, &there) {
		return nil
	}
	return err
}

// A Layered is an image with layers, or an artifact about another image.
type Layered struct {
	Layers  []string // their content
	Subject string   // the digest of the image that it is about; "" for an image
	Kind    string   // its artifactType; "" for an image
}

// PushLayered pushes an image with its layers, under each of the tags or without one, and returns its digest. It
// creates the repository if there is none.
func (a *Account) PushLayered(ctx context.Context, repository string, l Layered, tags ...string) (
	digest string, err error,
) {
	if err := a.createRepository(ctx, repository); err != nil {
		return "", err
	}
	config := imageConfig("amd64")
	about := ""
	if l.Kind != "" {
		about = fmt.Sprintf(`"artifactType":%q,`, l.Kind)
	}
	if l.Subject != "" {
		about += fmt.Sprintf(`"subject":{"mediaType":%q,"digest":%q,"size":2},`, manifestType, l.Subject)
	}
	var layers []string
	for _, content := range append([]string{config}, l.Layers...) {
		if err := a.upload(ctx, repository, content); err != nil {
			return "", fmt.Errorf("uploading a layer to repository %q: %w", repository, err)
		}
		layers = append(layers, fmt.Sprintf(
			`{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":%q,"size":%d}`, digestOf(content),
			len(content)))
	}
	// The spaces are not those of a marshaller: a copy that encodes the manifest again has another digest.
	manifest := fmt.Sprintf(`{"schemaVersion": 2, "mediaType":%q, %s"config":{"mediaType":%q,"digest":%q,"size":%d},`+
		` "layers":[%s]}`, manifestType, about, configType, digestOf(config), len(config),
		strings.Join(layers[1:], ","))
	return digestOf(manifest), a.put(ctx, repository, manifest, manifestType, tags...)
}

// PushIndexOf pushes an index of images that the repository has, and returns its digest.
func (a *Account) PushIndexOf(ctx context.Context, repository string, images []string, tags ...string) (
	digest string, err error,
) {
	var children []string
	for i, child := range images {
		children = append(children, fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":2,"platform":{"os":"linux",`+
			`"architecture":%q}}`, manifestType, child, []string{"amd64", "arm64"}[i%2]))
	}
	index := fmt.Sprintf(`{"schemaVersion": 2,"mediaType":%q,"manifests":[%s]}`, indexType, strings.Join(children, ","))
	return digestOf(index), a.put(ctx, repository, index, indexType, tags...)
}

// imageConfig is the config blob of every image of an architecture.
func imageConfig(architecture string) string {
	return fmt.Sprintf(`{"architecture":%q,"os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`, architecture)
}

// DigestOf returns the digest of the linux/amd64 image that [Account.Push] pushes.
func DigestOf(content string) string { return digestOf(manifestOf("amd64", content)) }

// BeginUpload begins to upload a layer to a repository of another account's registry.
func (a *Account) BeginUpload(ctx context.Context, registry, repository string) error {
	_, err := a.ECR.InitiateLayerUpload(ctx, &ecr.InitiateLayerUploadInput{RegistryId: aws.String(registry),
		RepositoryName: aws.String(repository)})
	return err
}

// manifestOf returns the manifest of a small image.
func manifestOf(architecture, content string) string {
	return manifestWith(architecture, fmt.Sprintf(`"content":%q`, content))
}

// CrashingManifest returns the manifest of the linux/amd64 image that [Account.Push] pushes, but its program exits at
// once with the code.
func CrashingManifest(content string, exitCode int) string {
	return manifestWith("amd64", fmt.Sprintf(`"content":%q,"exit-code":"%d"`, content, exitCode))
}

// Manifest returns the manifest of the linux/amd64 image that [Account.Push] pushes.
func Manifest(content string) string { return manifestOf("amd64", content) }

func manifestWith(architecture, annotations string) string {
	config := imageConfig(architecture)
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":%d},`+
		`"layers":[],"annotations":{%s}}`, manifestType, configType, digestOf(config), len(config), annotations)
}

func digestOf(content string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content))) }
