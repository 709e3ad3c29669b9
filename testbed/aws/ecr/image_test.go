package ecr_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// index returns an index of one manifest.
func index(manifest string) string {
	return `{"schemaVersion":2,"mediaType":"` + emulatortest.IndexType + `","manifests":[{"mediaType":"` +
		emulatortest.ManifestType + `","digest":"` +
		emulatortest.Digest(manifest) + `","size":1,"platform":{"architecture":"arm64","os":"linux"}}]}`
}

// tagsByDigest returns the tags of all images of the repository.
func tagsByDigest(t *testing.T, w *emulatortest.Env, key, repository string) map[string][]string {
	t.Helper()
	answer, err := w.ECR(key).DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: &repository})
	if err != nil {
		t.Fatal(err)
	}
	tags := map[string][]string{}
	for _, i := range answer.ImageDetails {
		tags[*i.ImageDigest] = i.ImageTags
	}
	return tags
}

func TestPutImage(t *testing.T) {
	t.Parallel()
	const repository = "myproject_backend"
	one, two := emulatortest.Manifest("one"), emulatortest.Manifest("two")
	type put struct{ manifest, mediaType, tag, digest string }
	tests := []struct {
		name      string
		immutable bool
		before    []put
		put       put
		want      map[string][]string // the tags by digest afterwards
		wantCode  string
		wantText  string
	}{{
		name: "a first image",
		put:  put{manifest: one, tag: "latest"},
		want: map[string][]string{emulatortest.Digest(one): {"latest"}},
	}, {
		name: "without a tag",
		put:  put{manifest: one},
		want: map[string][]string{emulatortest.Digest(one): nil},
	}, {
		name:   "a second tag of the same image",
		before: []put{{manifest: one, tag: "latest"}},
		put:    put{manifest: one, tag: "git-abc123f"},
		want:   map[string][]string{emulatortest.Digest(one): {"latest", "git-abc123f"}},
	}, {
		name:   "a tag moves",
		before: []put{{manifest: one, tag: "latest"}},
		put:    put{manifest: two, tag: "latest"},
		want:   map[string][]string{emulatortest.Digest(one): nil, emulatortest.Digest(two): {"latest"}},
	}, {
		name:     "the same image under the same tag",
		before:   []put{{manifest: one, tag: "latest"}},
		put:      put{manifest: one, tag: "latest"},
		want:     map[string][]string{emulatortest.Digest(one): {"latest"}},
		wantCode: "ImageAlreadyExistsException",
		wantText: "Image with digest '" + emulatortest.Digest(one) + "' and tag 'latest' already exists in the " +
			"repository with name 'myproject_backend' in registry with id '111111111111'",
	}, {
		name:      "an immutable tag",
		immutable: true,
		before:    []put{{manifest: one, tag: "v1.2.3"}},
		put:       put{manifest: two, tag: "v1.2.3"},
		want:      map[string][]string{emulatortest.Digest(one): {"v1.2.3"}},
		wantCode:  "ImageTagAlreadyExistsException",
		wantText: "The image tag 'v1.2.3' already exists in the 'myproject_backend' repository and cannot be " +
			"overwritten because the tag is immutable.",
	}, {
		name:   "an index of an existing image",
		before: []put{{manifest: one}},
		put:    put{manifest: index(one), tag: "latest"},
		want:   map[string][]string{emulatortest.Digest(one): nil, emulatortest.Digest(index(one)): {"latest"}},
	}, {
		name:     "an index of a missing image",
		put:      put{manifest: index(one), tag: "latest"},
		want:     map[string][]string{},
		wantCode: "ReferencedImagesNotFoundException",
		wantText: "Images with digests '[" + emulatortest.Digest(one) + "]' required for pushing image into " +
			"repository with name 'myproject_backend' in the registry with id '111111111111' do not exist",
	}, {
		name:     "another digest than the manifest's",
		put:      put{manifest: one, digest: emulatortest.Digest(two)},
		want:     map[string][]string{},
		wantCode: "ImageDigestDoesNotMatchException",
		wantText: "The provided digest '" + emulatortest.Digest(two) + "' does not match the digest '" +
			emulatortest.Digest(one) + "' of the image manifest",
	}, {
		name:     "not a manifest",
		put:      put{manifest: "FROM scratch"},
		want:     map[string][]string{},
		wantCode: "InvalidParameterException",
		wantText: "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
	}, {
		name:     "no media type",
		put:      put{manifest: `{"schemaVersion":2}`},
		want:     map[string][]string{},
		wantCode: "InvalidParameterException",
		wantText: "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'image manifest mediatype not " +
			"provided in manifest or parameter'",
	}, {
		name: "the media type beside the manifest",
		put:  put{manifest: `{"schemaVersion":2}`, mediaType: emulatortest.ManifestType, tag: "latest"},
		want: map[string][]string{emulatortest.Digest(`{"schemaVersion":2}`): {"latest"}},
	}, {
		name:     "a tag that is not valid",
		put:      put{manifest: one, tag: "-latest"},
		want:     map[string][]string{},
		wantCode: "InvalidParameterException",
		wantText: "Invalid parameter at 'imageTag' failed to satisfy constraint: 'must satisfy regular expression " +
			"'[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}''",
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			client := w.ECR(dev)
			created := &ecr.CreateRepositoryInput{RepositoryName: new(repository)}
			if tt.immutable {
				created.ImageTagMutability = types.ImageTagMutabilityImmutable
			}
			if _, err := client.CreateRepository(t.Context(), created); err != nil {
				t.Fatal(err)
			}
			try := func(p put) error {
				in := &ecr.PutImageInput{RepositoryName: new(repository), ImageManifest: &p.manifest}
				for to, value := range map[**string]string{&in.ImageTag: p.tag, &in.ImageDigest: p.digest,
					&in.ImageManifestMediaType: p.mediaType} {
					if value != "" {
						*to = &value
					}
				}
				_, err := client.PutImage(t.Context(), in)
				return err
			}
			for _, p := range tt.before {
				if err := try(p); err != nil {
					t.Fatal(err)
				}
			}
			err := try(tt.put)
			switch {
			case tt.wantCode != "":
				emulatortest.WantError(t, err, tt.wantCode, tt.wantText)
			case err != nil:
				t.Error(err)
			}
			if diff := cmp.Diff(tt.want, tagsByDigest(t, w, dev, repository)); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBatchGetImage(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
	one := w.Push(t, dev, "myproject_backend", "one", "latest")
	two := w.Push(t, dev, "myproject_backend", "two", "v2")
	image := func(name, tag, digest string) types.Image {
		return types.Image{
			RegistryId: new(dev), RepositoryName: new("myproject_backend"),
			ImageManifest: new(emulatortest.Manifest(name)), ImageManifestMediaType: new(emulatortest.ManifestType),
			ImageId: imageID(tag, digest),
		}
	}
	failure := func(id *types.ImageIdentifier, code types.ImageFailureCode, reason string) types.ImageFailure {
		return types.ImageFailure{ImageId: id, FailureCode: code, FailureReason: &reason}
	}
	tests := []struct {
		name         string
		id           *types.ImageIdentifier
		accepted     []string
		want         []types.Image
		wantFailures []types.ImageFailure
	}{{
		name: "by tag", id: imageID("latest", ""),
		want: []types.Image{image("one", "latest", one)},
	}, {
		name: "by digest", id: imageID("", two),
		want: []types.Image{image("two", "", two)},
	}, {
		name: "by both", id: imageID("v2", two),
		want: []types.Image{image("two", "v2", two)},
	}, {
		name: "by an accepted media type", id: imageID("v2", ""), accepted: []string{emulatortest.IndexType,
			emulatortest.ManifestType},
		want: []types.Image{image("two", "v2", two)},
	}, {
		name: "no such tag", id: imageID("git-0000000", ""),
		wantFailures: []types.ImageFailure{failure(imageID("git-0000000", ""), "ImageNotFound",
			"Requested image not found")},
	}, {
		name: "no such digest", id: imageID("", emulatortest.Digest("x")),
		wantFailures: []types.ImageFailure{failure(imageID("", emulatortest.Digest("x")), "ImageNotFound",
			"Requested image not found")},
	}, {
		name: "the digest of another tag", id: imageID("latest", two),
		wantFailures: []types.ImageFailure{failure(imageID("latest", two), "ImageTagDoesNotMatchDigest",
			"Requested image tag does not map to the requested image digest")},
	}, {
		name: "not a digest", id: imageID("", "sha256:12"),
		wantFailures: []types.ImageFailure{failure(imageID("", "sha256:12"), "InvalidImageDigest",
			"Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")},
	}, {
		name: "neither", id: &types.ImageIdentifier{},
		wantFailures: []types.ImageFailure{failure(&types.ImageIdentifier{}, "MissingDigestAndTag",
			"Invalid request parameters: both tag and digest cannot be null")},
	}, {
		name: "of another media type", id: imageID("v2", ""), accepted: []string{emulatortest.IndexType},
		wantFailures: []types.ImageFailure{failure(imageID("v2", ""), "ImageNotFound", "Requested image not found")},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := w.ECR(dev).BatchGetImage(t.Context(), &ecr.BatchGetImageInput{
				RepositoryName: new("myproject_backend"), ImageIds: []types.ImageIdentifier{*tt.id},
				AcceptedMediaTypes: tt.accepted,
			})
			if err != nil {
				t.Fatal(err)
			}
			ignore := cmpopts.IgnoreUnexported(types.Image{}, types.ImageIdentifier{}, types.ImageFailure{})
			if diff := cmp.Diff(tt.want, got.Images, ignore, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.wantFailures, got.Failures, ignore, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
		})
	}
}

// imageID returns an id without members for empty arguments.
func imageID(tag, digest string) *types.ImageIdentifier {
	id := &types.ImageIdentifier{}
	if tag != "" {
		id.ImageTag = &tag
	}
	if digest != "" {
		id.ImageDigest = &digest
	}
	return id
}
