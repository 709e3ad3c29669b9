package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Manifest is what the deployer needs of an image manifest or an index: the platforms
// that the image is built for. See the OCI image specification and Docker's "Image
// Manifest Version 2, Schema 2".
type Manifest struct {
	// Platforms are those of an index, or of a manifest that names its own, each once.
	// Empty if the manifest does not say.
	Platforms []Platform
	// Partial reports that the image may have further platforms: an index has a nested
	// index, or an image without a platform.
	Partial bool
	// Config is the digest of a single image's config blob, which has its platform; ""
	// for an index, and for Docker's schema 1.
	Config string
}

// ErrNotImage is the error that [ParseManifest] wraps: the manifest is not one of a
// container image.
var ErrNotImage = errors.New("not a container image")

// rawManifest is the union of the forms of a manifest.
type rawManifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	ArtifactType  string       `json:"artifactType"`
	Config        *descriptor  `json:"config"`
	Layers        []descriptor `json:"layers"`
	Manifests     []descriptor `json:"manifests"`
	Architecture  string       `json:"architecture"` // Docker's schema 1
}

type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	ArtifactType string            `json:"artifactType"`
	Platform     *Platform         `json:"platform"`
	Annotations  map[string]string `json:"annotations"`
}

// ParseManifest parses a manifest or an index. MediaType is what the registry says it
// is; "" if it does not say. If the manifest is that of something else than a
// container image, such as a Helm chart, the error wraps [ErrNotImage] and says what
// it is. In doubt it is an image.
func ParseManifest(text []byte, mediaType string) (Manifest, error) {
	var m rawManifest
	if err := json.Unmarshal(text, &m); err != nil {
		return Manifest{}, fmt.Errorf("reading the image's manifest: %w", err)
	}
	if m.MediaType != "" {
		mediaType = m.MediaType
	}
	mediaType = bare(mediaType)
	isConfig := imageConfigs[bare(m.ArtifactType)] // some tools repeat the config's type
	switch {
	case m.ArtifactType != "" && !isConfig:
		return Manifest{}, notImage(m.ArtifactType, "artifactType")
	case strings.HasPrefix(mediaType, "application/vnd.oci.artifact."):
		return Manifest{}, notImage(mediaType, "mediaType")
	case len(m.Manifests) > 0 || indexes[mediaType]:
		return parseIndex(m.Manifests)
	case m.SchemaVersion == 1:
		if m.Architecture == "" {
			return Manifest{Partial: true}, nil
		}
		return Manifest{Platforms: []Platform{Platform{OS: "linux", Architecture: m.Architecture}.normal()}}, nil
	}
	return parseSingle(m)
}

// parseSingle reads the manifest of one image.
func parseSingle(m rawManifest) (Manifest, error) {
	if m.Config == nil {
		return Manifest{Partial: true}, nil
	}
	if kind := m.Config.MediaType; kind != "" && !imageConfigs[bare(kind)] {
		if bare(kind) == emptyConfig && len(m.Layers) > 0 {
			return Manifest{}, notImage(m.Layers[0].MediaType, "a layer's mediaType")
		}
		return Manifest{}, notImage(kind, "the config's mediaType")
	}
	// Signatures and attestations have the config of an image, and no file system.
	foreign := func(d descriptor) bool { return d.MediaType != "" && kindOf(d.MediaType) != "" }
	if len(m.Layers) > 0 && !slices.ContainsFunc(m.Layers, func(d descriptor) bool { return !foreign(d) }) {
		return Manifest{}, notImage(m.Layers[0].MediaType, "a layer's mediaType")
	}
	return Manifest{Config: m.Config.Digest, Partial: true}, nil
}

// ParseConfig returns the platform in an image's config blob, as a manifest of one
// platform.
func ParseConfig(text []byte) (Manifest, error) {
	var p Platform
	if err := json.Unmarshal(text, &p); err != nil {
		return Manifest{Partial: true}, fmt.Errorf("reading the image's configuration: %w", err)
	}
	if p.OS == "" || p.Architecture == "" {
		return Manifest{Partial: true}, nil
	}
	return Manifest{Platforms: []Platform{p.normal()}}, nil
}

// parseIndex reads the platforms of an index, which may also list attestations,
// signatures and caches.
func parseIndex(parts []descriptor) (Manifest, error) {
	var m Manifest
	image, other := false, ""
	for _, d := range parts {
		kind := bare(d.MediaType)
		switch {
		case d.ArtifactType != "" && !imageConfigs[bare(d.ArtifactType)]:
			other = d.ArtifactType
		case kind != "" && !indexes[kind] && !manifests[kind]:
			if other == "" || kindOf(kind) != "" { // a cache lists its layers, and then its config
				other = kind
			}
		case d.Annotations["vnd.docker.reference.type"] != "" || d.Platform.unknown():
			if other == "" {
				other = "application/vnd.in-toto+json"
			}
		case d.Platform.isModule():
			other = "application/wasm"
		case indexes[kind] || d.Platform == nil || d.Platform.OS == "" || d.Platform.Architecture == "":
			image, m.Partial = true, true
		default:
			image = true
			if p := d.Platform.normal(); !slices.Contains(m.Platforms, p) {
				m.Platforms = append(m.Platforms, p)
			}
		}
	}
	switch {
	case image:
		return m, nil
	case len(parts) == 0:
		return Manifest{}, fmt.Errorf("%w: it is an empty index", ErrNotImage)
	}
	return Manifest{}, fmt.Errorf("%w: it is an index without an image for any platform; it lists %s (%s)",
		ErrNotImage, nameOf(other), shorten(other))
}

const emptyConfig = "application/vnd.oci.empty.v1+json"

var (
	imageConfigs = map[string]bool{
		"application/vnd.oci.image.config.v1+json":       true,
		"application/vnd.docker.container.image.v1+json": true,
	}
	indexes = map[string]bool{
		"application/vnd.oci.image.index.v1+json":                   true,
		"application/vnd.docker.distribution.manifest.list.v2+json": true,
	}
	manifests = map[string]bool{
		"application/vnd.oci.image.manifest.v1+json":                true,
		"application/vnd.docker.distribution.manifest.v2+json":      true,
		"application/vnd.docker.distribution.manifest.v1+json":      true,
		"application/vnd.docker.distribution.manifest.v1+prettyjws": true,
	}
)

// kinds are names of what registries store besides images, by a part of its media type.
var kinds = []struct{ part, name string }{
	{"helm", "a Helm chart"},
	{"buildkit.cache", "a BuildKit cache"},
	{"in-toto", "an attestation"},
	{"dsse", "an attestation"},
	{"spdx", "a software bill of materials"},
	{"cyclonedx", "a software bill of materials"},
	{"syft", "a software bill of materials"},
	{"sbom", "a software bill of materials"},
	{"simplesigning", "a signature"},
	{"sigstore", "a signature"},
	{"cosign", "a signature"},
	{"notary", "a signature"},
	{"signature", "a signature"},
	{"wasm", "a WebAssembly module"},
	{"docker.plugin", "a Docker plugin"},
	{"soci.index", "a SOCI index"},
	{"sarif", "a scan report"},
}

// kindOf returns the name of what a media type is of, "" if it is not known.
func kindOf(mediaType string) string {
	for _, k := range kinds {
		if strings.Contains(strings.ToLower(mediaType), k.part) {
			return k.name
		}
	}
	return ""
}

// nameOf is [kindOf] with a name for the rest.
func nameOf(mediaType string) string {
	if name := kindOf(mediaType); name != "" {
		return name
	}
	return "an artifact of another kind"
}

// notImage returns the error of a manifest whose member says that it is not an image.
func notImage(mediaType, member string) error {
	return fmt.Errorf("%w: it is %s (%s is %s)", ErrNotImage, nameOf(mediaType), member, shorten(mediaType))
}

// bare returns a media type in lower case without its parameters.
func bare(mediaType string) string {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}
