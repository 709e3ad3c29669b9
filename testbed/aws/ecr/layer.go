package ecr

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"deployer/testbed/aws/api"
)

// The sizes of layer parts in bytes (ECR API reference, "InitiateLayerUpload", "UploadLayerPart", and
// LayerPartTooSmallException: "Layer parts must be at least 5 MiB in size", which the last part need not be).
const (
	minPart   = 5 << 20
	maxPart   = 20 << 20
	usualPart = 10 << 20
)

// An upload is an incomplete layer.
type upload struct {
	content  []byte
	tooSmall bool // a part is smaller than minPart
	tail     int  // the size of the last part
}

func (e *Server) initiateLayerUpload(r *api.Request, in repositoryID) (any, *api.Error) {
	repo, err := e.openRepository(r, in)
	if err != nil {
		return nil, err
	}
	id := e.backend.NewUUID()
	repo.uploads[id] = &upload{}
	return api.Object{"uploadId": id, "partSize": usualPart}, nil
}

// An uploadID is how requests name an upload.
type uploadID struct {
	repositoryID
	UploadID string `json:"uploadId"`
}

// openUpload checks that the caller may carry out the operation, and returns the repository and the upload.
func (e *Server) openUpload(r *api.Request, id uploadID) (*repository, *upload, *api.Error) {
	repo, err := e.openRepository(r, id.repositoryID)
	if err != nil {
		return nil, nil, err
	}
	u, ok := repo.uploads[id.UploadID]
	if !ok {
		return nil, nil, api.NewError("UploadNotFoundException",
			"The upload '%s' does not exist in the repository with name '%s' in the registry with id '%s'", id.UploadID,
			repo.name, repo.scope.Account)
	}
	return repo, u, nil
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
	repo, u, err := e.openUpload(r, in.uploadID)
	if err != nil {
		return nil, err
	}
	start, size := int64(len(u.content)), int64(len(in.Blob))
	switch {
	case in.First != start:
		err = api.NewError("InvalidLayerPartException", "Layer part is not continuous: it begins at %d after "+
			"%d bytes", in.First, start)
	case size == 0 || size > maxPart || in.Last != in.First+size-1:
		err = api.NewError("InvalidLayerPartException", "Layer part is not valid: it has %d bytes, from %d to %d",
			size, in.First, in.Last)
	}
	if err != nil {
		err.Members = repo.describeUpload(in.UploadID)
		err.Members["lastValidByteReceived"] = start - 1
		return nil, err
	}
	u.tooSmall = u.tooSmall || u.tail > 0 && u.tail < minPart // the last part so far was not the last
	u.tail = len(in.Blob)
	u.content = append(u.content, in.Blob...)
	o := repo.describeUpload(in.UploadID)
	o["lastByteReceived"] = len(u.content) - 1
	return o, nil
}

type completeLayerUploadInput struct {
	uploadID
	Digests []string `json:"layerDigests"`
}

func (e *Server) completeLayerUpload(r *api.Request, in completeLayerUploadInput) (any, *api.Error) {
	repo, u, err := e.openUpload(r, in.uploadID)
	if err != nil {
		return nil, err
	}
	content := u.content
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(content))
	switch {
	case len(content) == 0:
		return nil, api.NewError("EmptyUploadException",
			"The upload with id '%s' in the repository with name '%s' in registry with id '%s' cannot be completed "+
				"because it does not have any parts",
			in.UploadID, repo.name, repo.scope.Account)
	case u.tooSmall:
		return nil, api.NewError("LayerPartTooSmallException", "Layer parts must be at least 5 MiB in size")
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

type batchCheckLayerAvailabilityInput struct {
	repositoryID
	Digests []string `json:"layerDigests"`
}

// batchCheckLayerAvailability says of each layer whether the repository has it (ECR API reference,
// "BatchCheckLayerAvailability": 1 to 100 digests; a digest that is not valid is a failure, an unknown one is
// UNAVAILABLE).
func (e *Server) batchCheckLayerAvailability(r *api.Request, in batchCheckLayerAvailabilityInput) (any, *api.Error) {
	if len(in.Digests) < 1 || len(in.Digests) > 100 {
		return nil, constraintError("layerDigests",
			"Member must have length less than or equal to 100 and greater than or equal to 1")
	}
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	layers, failures := []api.Object{}, []api.Object{}
	for _, digest := range in.Digests {
		content, ok := repo.layers[digest]
		switch {
		case !digestForm.MatchString(digest):
			failures = append(failures, api.Object{"layerDigest": digest, "failureCode": "InvalidLayerDigest",
				"failureReason": "Invalid request parameters: layer digest is not valid"})
		case !ok:
			layers = append(layers, api.Object{"layerDigest": digest, "layerAvailability": "UNAVAILABLE"})
		default:
			layers = append(layers, api.Object{"layerDigest": digest, "layerAvailability": "AVAILABLE",
				"layerSize": len(content)})
		}
	}
	return api.Object{"layers": layers, "failures": failures}, nil
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
