package image

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	ociConfig     = `"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:c"}`
	dockerConfig  = `"config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"sha256:c"}`
	ociLayer      = `{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip"}`
	imageManifest = `"mediaType":"application/vnd.oci.image.manifest.v1+json"`
	imageIndex    = `"mediaType":"application/vnd.oci.image.index.v1+json"`
	dockerList    = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// file returns a file of testdata/manifests.
func file(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/manifests/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestParseManifest(t *testing.T) {
	t.Parallel()
	single := Manifest{Config: "sha256:c", Partial: true}
	linux := func(architectures ...string) (m Manifest) {
		for _, a := range architectures {
			m.Platforms = append(m.Platforms, Platform{OS: "linux", Architecture: a})
		}
		return m
	}
	partial := func(m Manifest) Manifest { m.Partial = true; return m }
	child := func(more string) string { return `{` + imageManifest + more + `}` }
	platform := func(os, arch string) string {
		return child(`,"platform":{"os":"` + os + `","architecture":"` + arch + `"}`)
	}
	index := func(parts string) string { return `{"schemaVersion":2,` + imageIndex + `,"manifests":[` + parts + `]}` }
	tests := []struct {
		name, text, mediaType string
		want                  Manifest
	}{
		{"OCI", `{"schemaVersion":2,` + imageManifest + `,` + ociConfig + `,"layers":[` + ociLayer + `]}`, "", single},
		{"OCI without a media type", `{"schemaVersion":2,` + ociConfig + `,"layers":[` + ociLayer + `]}`, "", single},
		{"Docker schema 2", `{"schemaVersion":2,` + dockerConfig + `,"layers":[]}`, "", single},
		{"config without a media type", `{"schemaVersion":2,"config":{"digest":"sha256:c"}}`, "", single},
		{"no config", `{"schemaVersion":2}`, "", Manifest{Partial: true}},
		{"media types in other case and with parameters", `{"config":{"mediaType":` +
			`"Application/vnd.oci.image.config.v1+JSON; charset=utf-8","digest":"sha256:c"}}`, "", single},
		{"layers of kinds that are not known", `{` + ociConfig +
			`,"layers":[{"mediaType":"application/x-tar"},{}]}`, "",
			single},
		{"artifactType of an image", `{"artifactType":"application/vnd.oci.image.config.v1+json",` +
			ociConfig + `}`, "",
			single},
		{"Docker schema 1", `{"schemaVersion":1,"architecture":"amd64","fsLayers":[]}`, "", linux("amd64")},
		{"Docker schema 1 without an architecture", `{"schemaVersion":1}`, "", Manifest{Partial: true}},
		{"index", index(platform("linux", "amd64") + "," + platform("linux", "arm64")), "", linux("amd64", "arm64")},
		{"index with attestations", index(platform("linux", "amd64") + "," + platform("unknown", "unknown")), "",
			linux("amd64")},
		{"only arm64", file(t, "index-arm64-only.json"), "", linux("arm64")},
		{"variants", index(child(`,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}`) + "," +
			child(`,"platform":{"os":"Linux","architecture":"aarch64"}`)), "", linux("arm64")},
		{"Windows", index(platform("windows", "amd64")), "",
			Manifest{Platforms: []Platform{{OS: "windows", Architecture: "amd64"}}}},
		{"list by the registry's media type", `{"manifests":[` + platform("linux", "amd64") + `]}`, dockerList,
			linux("amd64")},
		{"list by its members", `{"manifests":[` + platform("linux", "amd64") + `]}`, "", linux("amd64")},
		{"image without a platform", index(child("")), "", Manifest{Partial: true}},
		{"half a platform", index(platform("linux", "arm64") + "," + platform("linux", "")), "",
			partial(linux("arm64"))},
		{"nested index", index(`{` + imageIndex + `}`), "", Manifest{Partial: true}},
		{"with a SOCI index", index(platform("linux", "amd64") + "," +
			child(`,"artifactType":"application/vnd.amazon.soci.index.v2+json"`)), "", linux("amd64")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseManifest([]byte(tt.text), tt.mediaType)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseManifestNotImage(t *testing.T) {
	t.Parallel()
	withConfig := func(kind string) string { return `{"schemaVersion":2,"config":{"mediaType":"` + kind + `"}}` }
	withLayer := func(kind string) string { return `{` + ociConfig + `,"layers":[{"mediaType":"` + kind + `"}]}` }
	index := func(parts string) string { return `{` + imageIndex + `,"manifests":[` + parts + `]}` }
	const inParts = "not a container image: it is an index without an image for any platform; it lists "
	tests := []struct{ name, text, mediaType, want string }{
		{"Helm chart", file(t, "helm-chart.json"), "",
			"not a container image: it is a Helm chart (the config's mediaType " +
				"is application/vnd.cncf.helm.config.v1+json)"},
		{"bill of materials", file(t, "sbom-by-artifact-type.json"), "",
			"not a container image: it is a software bill of " +
				"materials (artifactType is application/spdx+json)"},
		{"empty config", `{"config":{"mediaType":"application/vnd.oci.empty.v1+json"},"layers":[{"mediaType":` +
			`"application/vnd.cyclonedx+json"}]}`, "", "not a container image: it is a software bill of materials " +
			"(a layer's mediaType is application/vnd.cyclonedx+json)"},
		{"empty config and nothing else", withConfig("application/vnd.oci.empty.v1+json"), "",
			"not a container image: " +
				"it is an artifact of another kind (the config's mediaType is application/vnd.oci.empty.v1+json)"},
		{"another artifact", withConfig("application/vnd.cncf.flux.config.v1+json"), "",
			"not a container image: it is " +
				"an artifact of another kind (the config's mediaType is application/vnd.cncf.flux.config.v1+json)"},
		{"BuildKit cache", withConfig("application/vnd.buildkit.cacheconfig.v0"), "", "not a container image: it is " +
			"a BuildKit cache (the config's mediaType is application/vnd.buildkit.cacheconfig.v0)"},
		{"BuildKit cache as an index", index(ociLayer + `,{"mediaType":"application/vnd.buildkit.cacheconfig.v0"}`), "",
			inParts + "a BuildKit cache (application/vnd.buildkit.cacheconfig.v0)"},
		{"WebAssembly", withConfig("application/vnd.wasm.config.v0+json"), "", "not a container image: it is a " +
			"WebAssembly module (the config's mediaType is application/vnd.wasm.config.v0+json)"},
		{"WebAssembly in a layer", withLayer("application/vnd.module.wasm.content.layer.v1+wasm"), "",
			"not a container " +
				"image: it is a WebAssembly module (a layer's mediaType is " +
				"application/vnd.module.wasm.content.layer.v1+wasm)"},
		{"cosign signature", withLayer("application/vnd.dev.cosign.simplesigning.v1+json"), "",
			"not a container image: " +
				"it is a signature (a layer's mediaType is application/vnd.dev.cosign.simplesigning.v1+json)"},
		{"cosign attestation", withLayer("application/vnd.dsse.envelope.v1+json"), "",
			"not a container image: it is an " +
				"attestation (a layer's mediaType is application/vnd.dsse.envelope.v1+json)"},
		{"in-toto attestation", withLayer("application/vnd.in-toto+json"), "", "not a container image: it is an " +
			"attestation (a layer's mediaType is application/vnd.in-toto+json)"},
		{"OCI artifact manifest", `{"blobs":[]}`, "application/vnd.oci.artifact.manifest.v1+json",
			"not a container image: " +
				"it is an artifact of another kind (mediaType is application/vnd.oci.artifact.manifest.v1+json)"},
		{"only attestations", index(`{` + imageManifest + `,"platform":{"os":"unknown","architecture":"unknown"}}`), "",
			inParts + "an attestation (application/vnd.in-toto+json)"},
		{"referrers", index(`{` + imageManifest +
			`,"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`), "",
			inParts + "a signature (application/vnd.dev.sigstore.bundle.v0.3+json)"},
		{"WebAssembly by its platform", index(`{` + imageManifest +
			`,"platform":{"os":"wasip1","architecture":"wasm"}}`), "", inParts +
			"a WebAssembly module (application/wasm)"},
		{"empty index", index(""), "", "not a container image: it is an empty index"},
		{"empty list", `{"manifests":[]}`, dockerList, "not a container image: it is an empty index"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseManifest([]byte(tt.text), tt.mediaType)
			if err == nil || err.Error() != tt.want || !errors.Is(err, ErrNotImage) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	if _, err := ParseManifest([]byte(`{`), ""); err == nil || errors.Is(err, ErrNotImage) {
		t.Errorf("not JSON: %v", err)
	}
}

func TestParseConfig(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Manifest{
		`{"architecture":"aarch64","os":"linux","variant":"v8"}`: {
			Platforms: []Platform{{OS: "linux", Architecture: "arm64"}}},
		`{"architecture":"amd64","os":"linux","os.version":"12.3.4"}`: {
			Platforms: []Platform{{OS: "linux", Architecture: "amd64"}}},
		`{"architecture":"amd64","os":"windows","os.version":"10.0.17763.5329"}`: {
			Platforms: []Platform{{OS: "windows", Architecture: "amd64", OSVersion: "10.0.17763.5329"}}},
		`{"architecture":"amd64"}`: {Partial: true},
		`{}`:                       {Partial: true},
	} {
		got, err := ParseConfig([]byte(text))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
	if _, err := ParseConfig([]byte(`<html>`)); err == nil {
		t.Error("it read what is not JSON")
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	amd64, arm64 := Platform{OS: "linux", Architecture: "amd64"}, Platform{OS: "linux", Architecture: "arm64"}
	tests := []struct {
		name string
		m    Manifest
		want Platform
		fit  Fit
	}{
		{"same", Manifest{Platforms: []Platform{arm64, amd64}}, amd64, Fits},
		{"other architecture", Manifest{Platforms: []Platform{arm64}}, amd64, FitsNot},
		{"other system", Manifest{Platforms: []Platform{amd64}}, Platform{OS: "windows", Architecture: "amd64"},
			FitsNot},
		{"any architecture", Manifest{Platforms: []Platform{arm64}}, Platform{OS: "linux"}, Fits},
		{"any architecture of another system", Manifest{Platforms: []Platform{arm64}}, Platform{OS: "windows"},
			FitsNot},
		{"any", Manifest{}, Platform{}, Fits},
		{"any that ECS has", Manifest{Platforms: []Platform{{OS: "windows", Architecture: "amd64"}}}, Platform{}, Fits},
		{"a system that ECS does not have", Manifest{Platforms: []Platform{{OS: "darwin", Architecture: "arm64"}}},
			Platform{}, FitsNot},
		{"a CPU that ECS does not have", Manifest{Platforms: []Platform{{OS: "linux", Architecture: "s390x"}}},
			Platform{OS: "linux"}, FitsNot},
		{"maybe one that ECS has", Manifest{Platforms: []Platform{{OS: "darwin", Architecture: "arm64"}},
			Partial: true}, Platform{}, Fits},
		{"32 bits", Manifest{Platforms: []Platform{{OS: "linux", Architecture: "386"}}}, amd64, Fits},
		{"32 bits of another", Manifest{Platforms: []Platform{{OS: "linux", Architecture: "arm"}}}, amd64, FitsNot},
		{"maybe more", Manifest{Platforms: []Platform{arm64}, Partial: true}, amd64, FitUnknown},
		{"not said", Manifest{Config: "sha256:c", Partial: true}, amd64, FitUnknown},
	}
	for _, tt := range tests {
		if got := tt.m.Fits(tt.want); got != tt.fit {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.fit)
		}
	}
}

// FuzzParseManifest checks that no text makes ParseManifest panic, and that what is an
// image has a platform, a config, or a doubt.
func FuzzParseManifest(f *testing.F) {
	f.Add(`{"manifests":[{"platform":null}]}`, "")
	f.Add(`{"config":{"mediaType":"application/vnd.oci.empty.v1+json"},"layers":[{}]}`, "")
	f.Fuzz(func(t *testing.T, text, mediaType string) {
		m, err := ParseManifest([]byte(text), mediaType)
		if err == nil && len(m.Platforms) == 0 && m.Config == "" && !m.Partial {
			t.Errorf("%q: %+v", text, m)
		}
	})
}
