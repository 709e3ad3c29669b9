package ecr_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestPartSize: each part but the last has at least 5 MiB.
func TestPartSize(t *testing.T) {
	t.Parallel()
	const tooSmall = "Layer parts must be at least 5 MiB in size"
	for _, tt := range []struct {
		name  string
		parts []int // sizes in bytes
		want  string
	}{
		{"one small part", []int{1}, ""},
		{"5 MiB and the rest", []int{5 << 20, 1}, ""},
		{"20 MiB and 5 MiB", []int{20 << 20, 5 << 20}, ""},
		{"a small first part", []int{5<<20 - 1, 1}, tooSmall},
		{"a small part between", []int{5 << 20, 1, 5 << 20}, tooSmall},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"web"}`)
			client, web := w.ECR(dev), aws.String("web")
			begun, err := client.InitiateLayerUpload(t.Context(), &ecr.InitiateLayerUploadInput{RepositoryName: web})
			if err != nil {
				t.Fatal(err)
			}
			content := strings.Repeat("x", 25<<20)
			at := 0
			for _, size := range tt.parts {
				_, err := client.UploadLayerPart(t.Context(), &ecr.UploadLayerPartInput{RepositoryName: web,
					UploadId: begun.UploadId, LayerPartBlob: []byte(content[at : at+size]),
					PartFirstByte: aws.Int64(int64(at)), PartLastByte: aws.Int64(int64(at + size - 1))})
				if err != nil {
					t.Fatal(err)
				}
				at += size
			}
			_, err = client.CompleteLayerUpload(t.Context(), &ecr.CompleteLayerUploadInput{RepositoryName: web,
				UploadId: begun.UploadId, LayerDigests: []string{emulatortest.Digest(content[:at])}})
			if tt.want != "" {
				emulatortest.WantError(t, err, "LayerPartTooSmallException", tt.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLayerAvailability: uploaded layers are available, unknown ones are not, and a digest that is not valid is a
// failure of its own.
func TestLayerAvailability(t *testing.T) {
	t.Parallel()
	w, text := layered(t)
	got := w.Do(t, dev, "ecr:BatchCheckLayerAvailability", fmt.Sprintf(
		`{"repositoryName":"web","layerDigests":[%q,%q,"x"]}`, emulatortest.Digest(text), emulatortest.Digest("other")))
	want := fmt.Sprintf(`{"failures":[{"failureCode":"InvalidLayerDigest","failureReason":"Invalid request `+
		`parameters: layer digest is not valid","layerDigest":"x"}],"layers":[{"layerAvailability":"AVAILABLE",`+
		`"layerDigest":%q,`+
		`"layerSize":%d},{"layerAvailability":"UNAVAILABLE","layerDigest":%q}]}`, emulatortest.Digest(text), len(text),
		emulatortest.Digest("other"))
	if diff := cmp.Diff(want, strings.TrimSpace(got)); diff != "" {
		t.Error(diff)
	}
}

// TestVerifyLayers: with the option, a manifest whose layers the repository lacks is refused.
func TestVerifyLayers(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{VerifyLayers: true})
	w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"web"}`)
	put := func() error {
		_, err := w.ECR(dev).PutImage(t.Context(), &ecr.PutImageInput{RepositoryName: aws.String("web"),
			ImageManifest: aws.String(fmt.Sprintf(`{"mediaType":%q,"config":{"digest":%q}}`, emulatortest.ManifestType,
				emulatortest.Digest("config")))})
		return err
	}
	emulatortest.WantError(t, put(), "LayersNotFoundException", "Layers with digests '["+emulatortest.Digest("config")+
		"]' required for pushing image into repository with name 'web' in the registry with id '111111111111' do not "+
		"exist")
	upload(t, w, "config")
	if err := put(); err != nil {
		t.Error(err)
	}
}
