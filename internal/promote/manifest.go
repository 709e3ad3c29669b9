package promote

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"deployer/internal/image"
)

// manifest is a manifest as ECR returned it. Its text is never changed: its digest is
// that of these bytes.
type manifest struct {
	digest    string
	mediaType string
	text      string
	tag       string       // under which it is copied; "" for none. Signatures have one
	children  []string     // of an index: the digests of its manifests
	blobs     []descriptor // of an image: its config and its layers, each once
}

// descriptor is a reference to a blob or a manifest (OCI image specification, "Content
// Descriptors").
type descriptor struct {
	MediaType string   `json:"mediaType"`
	Digest    string   `json:"digest"`
	Size      int64    `json:"size"`
	URLs      []string `json:"urls"`
}

// maxBlob is the largest size of a blob that is believed, in bytes: ECR's quota for a
// layer is 52,000 MiB.
const maxBlob = 1 << 40

// parseManifest reads what a manifest refers to, and checks that its digest is that of
// its text.
func parseManifest(text, mediaType, digest string) (*manifest, error) {
	if got := digestOf([]byte(text)); got != digest {
		return nil, fmt.Errorf("the manifest that ECR returned has the digest %s, not %s: if it has Docker's "+
			"schema 1, push the image again with a current client", got, digest)
	}
	var raw struct {
		Config    *descriptor  `json:"config"`
		Layers    []descriptor `json:"layers"`
		Blobs     []descriptor `json:"blobs"` // of an OCI artifact manifest
		Manifests []descriptor `json:"manifests"`
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, fmt.Errorf("reading the manifest %s: %w", digest, err)
	}
	m := &manifest{digest: digest, mediaType: mediaType, text: text}
	for _, d := range raw.Manifests {
		if !image.ValidDigest(d.Digest) {
			return nil, fmt.Errorf("the index %s refers to the digest %.80q: only SHA-256 is supported", digest,
				d.Digest)
		}
		m.children = append(m.children, d.Digest)
	}
	blobs := append(raw.Layers, raw.Blobs...)
	if raw.Config != nil {
		blobs = append([]descriptor{*raw.Config}, blobs...)
	}
	seen := map[string]bool{}
	for _, d := range blobs {
		if err := d.check(); err != nil {
			return nil, fmt.Errorf("the manifest %s: %w", digest, err)
		}
		if !seen[d.Digest] {
			seen[d.Digest] = true
			m.blobs = append(m.blobs, d)
		}
	}
	return m, nil
}

// check returns why a blob cannot be copied.
func (d descriptor) check() error {
	switch {
	case !image.ValidDigest(d.Digest):
		return fmt.Errorf("it refers to the digest %.80q: only SHA-256 is supported", d.Digest)
	case len(d.URLs) > 0:
		return fmt.Errorf("layer %s is not in ECR but at a URL, such as a base layer of Windows: "+
			"push the image with all its layers", d.Digest)
	case d.Size <= 0 || d.Size > maxBlob:
		return fmt.Errorf("it gives blob %s the size %d", d.Digest, d.Size)
	}
	return nil
}

// signatureTags returns the tags under which tools store what is about an image, where
// a registry cannot list referrers: cosign's signatures, attestations and bills of
// materials, and the index of the OCI distribution specification's fallback
// ("Referrers Tag Schema").
func signatureTags(digest string) []string {
	base := strings.Replace(digest, ":", "-", 1)
	return []string{base, base + ".sig", base + ".att", base + ".sbom"}
}

// errCycle is the error of manifests that refer to each other.
var errCycle = errors.New("the index refers to itself")

// inOrder returns a manifest and all below it, children before their parents, without
// those that are done already.
func inOrder(root string, all map[string]*manifest, done map[string]bool) ([]*manifest, error) {
	var order []*manifest
	open := map[string]bool{}
	var visit func(digest string) error
	visit = func(digest string) error {
		switch {
		case done[digest]:
			return nil
		case open[digest]:
			return errCycle
		}
		open[digest] = true
		for _, child := range all[digest].children {
			if err := visit(child); err != nil {
				return err
			}
		}
		open[digest], done[digest] = false, true
		order = append(order, all[digest])
		return nil
	}
	return order, visit(root)
}

func digestOf(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }
