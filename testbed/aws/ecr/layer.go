package ecr

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"deployer/testbed/aws/api"
)

// The sizes of layer parts in bytes (ECR API reference, "InitiateLayerUpload").
const (
	maxPart   = 20 << 20
	usualPart = 10 << 20
)

func (e *Server) initiateLayerUpload(r *api.Request, in repositoryID) (any, *api.Error) {
	repo, err := e.openRepository(r, in)
	if err != nil {
		return nil, err
	}
	id := e.backend.NewUUID()
	repo.uploads[id] = nil
	return api.Object{"uploadId": id, "partSize": usualPart}, nil
}

// An uploadID is how requests name an upload.
type uploadID struct {
	repositoryID
	UploadID string `json:"uploadId"`
}

// openUpload checks that the caller may carry out the operation, and returns the repository and the content uploaded so
// far.
func (e *Server) openUpload(r *api.Request, id uploadID) (*repository, []byte, *api.Error) {
	repo, err := e.openRepository(r, id.repositoryID)
	if err != nil {
		return nil, nil, err
	}
	content, ok := repo.uploads[id.UploadID]
	if !ok {
		return nil, nil, api.NewError("UploadNotFoundException",
			"The upload '%s' does not exist in the repository with name '%s' in the registry with id '%s'", id.UploadID,
			repo.name, repo.scope.Account)
	}
	return repo, content, nil
}

// describeUpload returns the members that all answers about an upload have.
func (r *repository) describeUpload(id string) api.Object {
	return api.Object{"registryId": r.scope.Account, "repositoryName": r.name, "uploadId": id}
}

type uploadLayerPartInput struct {
	uploadID
	First int64  `json:"partFirstByte"`
	Last  int64  `json:"partLastByte"`
	Blob  []byte `json:"layerPartBlob"`
}

func (e *Server) uploadLayerPart(r *api.Request, in uploadLayerPartInput) (any, *api.Error) {
	repo, content, err := e.openUpload(r, in.uploadID)
	if err != nil {
		return nil, err
	}
	start, size := int64(len(content)), int64(len(in.Blob))
	switch {
	case in.First != start:
		return nil, api.NewError("InvalidLayerPartException", "Layer part is not continuous: it begins at %d after "+
			"%d bytes", in.First, start)
	case size == 0 || size > maxPart || in.Last != in.First+size-1:
		return nil, api.NewError("InvalidLayerPartException", "Layer part is not valid: it has %d bytes, from %d to %d",
			size, in.First, in.Last)
	}
	content = slices.Concat(content, in.Blob)
	repo.uploads[in.UploadID] = content
	o := repo.describeUpload(in.UploadID)
	o["lastByteReceived"] = len(content) - 1
	return o, nil
}

type completeLayerUploadInput struct {
	uploadID
	Digests []string `json:"layerDigests"`
}

func (e *Server) completeLayerUpload(r *api.Request, in completeLayerUploadInput) (any, *api.Error) {
	repo, content, err := e.openUpload(r, in.uploadID)
	if err != nil {
		return nil, err
	}
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(content))
	switch {
	case len(content) == 0:
		return nil, api.NewError("EmptyUploadException",
			"The upload with id '%s' in the repository with name '%s' in registry with id '%s' cannot be completed "+
				"because it does not have any parts",
			in.UploadID, repo.name, repo.scope.Account)
	case !slices.Contains(in.Digests, digest):
		return nil, api.NewError("InvalidLayerException", "Layer digest %v does not match the content, whose digest "+
			"is %s", in.Digests, digest)
	}
	delete(repo.uploads, in.UploadID)
	if _, ok := repo.layers[digest]; ok {
		return nil, api.NewError("LayerAlreadyExistsException",
			"The layer with digest '%s' already exists in the repository with name '%s' in the registry with id '%s'",
			digest, repo.name, repo.scope.Account)
	}
	repo.layers[digest] = content
	o := repo.describeUpload(in.UploadID)
	o["layerDigest"] = digest
	return o, nil
}

type getDownloadURLForLayerInput struct {
	repositoryID
	Digest string `json:"layerDigest"`
}

// getDownloadURLForLayer returns URLs of layers that an image refers to only.
func (e *Server) getDownloadURLForLayer(r *api.Request, in getDownloadURLForLayerInput) (any, *api.Error) {
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	content, ok := repo.layers[in.Digest]
	if !ok {
		return nil, api.NewError("LayersNotFoundException",
			"The layer with digest '%s' does not exist within the repository with name '%s' in the registry with id "+
				"'%s'", in.Digest, repo.name, repo.scope.Account)
	}
	if !slices.ContainsFunc(repo.images, func(i *image) bool {
		return !i.archived && slices.Contains(i.layers,
			in.Digest)
	}) {
		return nil, api.NewError("LayerInaccessibleException",
			"The layer with digest '%s' in the repository with name '%s' in the registry with id '%s' is not "+
				"associated with an image", in.Digest, repo.name, repo.scope.Account)
	}
	return api.Object{"downloadUrl": e.layers.Presign(r, content), "layerDigest": in.Digest}, nil
}
