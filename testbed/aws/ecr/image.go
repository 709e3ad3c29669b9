package ecr

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"deployer/testbed/aws/api"
)

// An image is an image or an index in a repository.
type image struct {
	digest    string
	manifest  string
	mediaType string
	config    string // the media type of its config, which ECR calls the artifact media type
	tags      []string
	pushed    time.Time
	size      int64
	archived  bool
	children  []string          // the digests of the manifests that an index refers to
	layers    []string          // the digests of its config and its layers
	subject   string            // the digest of the image that it is about, if it is a referrer
	kind      string            // its artifactType, or else the media type of its config
	notes     map[string]string // its annotations

	activated, archivedAt time.Time // when it last entered either storage class
}

// An imageID is how requests and answers name an image.
type imageID struct {
	Digest string `json:"imageDigest,omitempty"`
	Tag    string `json:"imageTag,omitempty"`
}

// A manifest is the part of an image manifest or an index that ECR interprets.
type manifest struct {
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Config       descriptor        `json:"config"`
	Layers       []descriptor      `json:"layers"`
	Manifests    []descriptor      `json:"manifests"`
	Subject      descriptor        `json:"subject"`
	Annotations  map[string]string `json:"annotations"`
}

type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
}

const tagPattern = `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`

var (
	tagForm    = regexp.MustCompile(`^` + tagPattern + `$`)
	digestForm = regexp.MustCompile(`^sha256:[a-f0-9]{64}$`)
)

// byTag returns the image that has the tag, or nil.
func (r *repository) byTag(tag string) *image {
	for _, i := range r.images {
		if slices.Contains(i.tags, tag) {
			return i
		}
	}
	return nil
}

// byDigest returns the image of the digest, or nil.
func (r *repository) byDigest(digest string) *image {
	for _, i := range r.images {
		if i.digest == digest {
			return i
		}
	}
	return nil
}

// newImage parses a manifest. The layers need not exist: most tests push manifests only.
func newImage(text, mediaType string, now time.Time) (*image, *api.Error) {
	var m manifest
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return nil, constraintError("ImageManifest", "Invalid JSON syntax")
	}
	if mediaType == "" {
		mediaType = m.MediaType
	}
	if mediaType == "" {
		return nil, constraintError("ImageManifest", "image manifest mediatype not provided in manifest or parameter")
	}
	i := &image{
		digest:    fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))),
		manifest:  text,
		mediaType: mediaType,
		config:    m.Config.MediaType,
		subject:   m.Subject.Digest,
		kind:      cmp.Or(m.ArtifactType, m.Config.MediaType),
		notes:     m.Annotations,
		pushed:    now,
		activated: now,
	}
	for _, layer := range append(m.Layers, m.Config) {
		i.size += layer.Size
		if layer.Digest != "" { // an index has no config
			i.layers = append(i.layers, layer.Digest)
		}
	}
	for _, child := range m.Manifests {
		i.children = append(i.children, child.Digest)
	}
	return i, nil
}

type putImageInput struct {
	repositoryID
	Manifest  string `json:"imageManifest"`
	MediaType string `json:"imageManifestMediaType"`
	Tag       string `json:"imageTag"`
	Digest    string `json:"imageDigest"`
}

func (e *Server) putImage(r *api.Request, in putImageInput) (any, *api.Error) {
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	if in.Tag != "" && !tagForm.MatchString(in.Tag) {
		return nil, constraintError("imageTag", "must satisfy regular expression '"+tagPattern+"'")
	}
	pushed, err := newImage(in.Manifest, in.MediaType, r.Now)
	if err != nil {
		return nil, err
	}
	if in.Digest != "" && in.Digest != pushed.digest {
		return nil, api.NewError("ImageDigestDoesNotMatchException",
			"The provided digest '%s' does not match the digest '%s' of the image manifest", in.Digest, pushed.digest)
	}
	if err := repo.checkPut(pushed, in.Tag); err != nil {
		return nil, err
	}
	if missing := repo.missingLayers(pushed); e.options.VerifyLayers && len(missing) > 0 {
		return nil, api.NewError("LayersNotFoundException",
			"Layers with digests '[%s]' required for pushing image into repository with name '%s' in the registry "+
				"with id '%s' do not exist", strings.Join(missing, ", "), repo.name, repo.scope.Account)
	}
	stored := repo.put(pushed, in.Tag)
	e.store(repo, stored, false, r.Now)
	e.imageEvent(r, repo, "PUSH", imageID{stored.digest, in.Tag})
	return api.Object{"image": stored.describe(repo, imageID{stored.digest, in.Tag})}, nil
}

// checkPut returns the error of ECR for an image that cannot be put under the tag.
func (r *repository) checkPut(i *image, tag string) *api.Error {
	for _, digest := range i.children {
		child := r.byDigest(digest)
		if child == nil {
			return api.NewError("ReferencedImagesNotFoundException",
				"Images with digests '[%s]' required for pushing image into repository with name '%s' in the "+
					"registry with id '%s' do not exist",
				digest, r.name, r.scope.Account)
		}
		i.size = max(i.size, child.size) // an index is as large as its largest part
	}
	stored := r.byDigest(i.digest)
	if stored != nil && stored.archived && (tag == "" || slices.Contains(stored.tags, tag)) {
		return nil // pushing an archived image again restores it
	}
	if tag == "" {
		if stored != nil {
			return api.NewError("ImageAlreadyExistsException",
				"Image with digest '%s' already exists in the repository with name '%s' in registry with id '%s'",
				i.digest, r.name, r.scope.Account)
		}
		return nil
	}
	holder := r.byTag(tag)
	switch {
	case holder == nil:
		return nil
	case holder.digest == i.digest:
		return api.NewError("ImageAlreadyExistsException",
			"Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id "+
				"'%s'",
			i.digest, tag, r.name, r.scope.Account)
	case r.mutability.fixes(tag):
		return api.NewError("ImageTagAlreadyExistsException",
			"The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the tag is "+
				"immutable.", tag, r.name)
	}
	return nil
}

// missingLayers returns the digests of the image's config and layers that the repository does not have.
func (r *repository) missingLayers(i *image) (missing []string) {
	for _, digest := range i.layers {
		if _, ok := r.layers[digest]; !ok {
			missing = append(missing, digest)
		}
	}
	return missing
}

// put stores the image under the tag, which moves if another image has it. It returns the stored image.
func (r *repository) put(i *image, tag string) *image {
	stored := r.byDigest(i.digest)
	if stored == nil {
		stored = i
		r.images = append(r.images, i)
	}
	if tag != "" {
		holder := r.byTag(tag)
		if holder != nil {
			holder.untag(tag)
		}
		stored.tags = append(stored.tags, tag)
	}
	return stored
}

func (i *image) untag(tag string) {
	i.tags = slices.DeleteFunc(i.tags, func(t string) bool { return t == tag })
}

// describe returns the image as PutImage and BatchGetImage do.
func (i *image) describe(r *repository, id imageID) api.Object {
	return api.Object{
		"registryId":             r.scope.Account,
		"repositoryName":         r.name,
		"imageId":                id,
		"imageManifest":          i.manifest,
		"imageManifestMediaType": i.mediaType,
	}
}

// imageEvent sends the event of a push or a deletion.
func (e *Server) imageEvent(r *api.Request, repo *repository, action string, id imageID) {
	detail := api.Object{
		"image-digest": id.Digest,
		"action-type":  action,
	}
	if id.Tag != "" {
		detail["image-tag"] = id.Tag
	}
	e.publish(repo, r.Now, detail)
}
