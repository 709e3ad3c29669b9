package ecr

import (
	"fmt"
	"slices"

	"deployer/testbed/aws/api"
)

// An imageFailure is the error of one image of a batch. The call itself succeeds.
type imageFailure struct {
	ID     imageID `json:"imageId"`
	Code   string  `json:"failureCode"`
	Reason string  `json:"failureReason"`
}

// find returns the image with the id, or the failure if there is none.
func (r *repository) find(id imageID) (*image, *imageFailure) {
	fail := func(code, reason string) (*image, *imageFailure) {
		return nil, &imageFailure{id, code, reason}
	}
	switch {
	case id.Digest == "" && id.Tag == "":
		return fail("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null")
	case id.Digest != "" && !digestForm.MatchString(id.Digest):
		return fail("InvalidImageDigest", "Invalid request parameters: image digest should satisfy the regex "+
			"'[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")
	case id.Tag != "" && !tagForm.MatchString(id.Tag):
		return fail("InvalidImageTag", "Invalid request parameters: image tag should satisfy the regex '"+tagPattern+
			"'")
	}
	found := r.byDigest(id.Digest)
	if id.Digest == "" {
		found = r.byTag(id.Tag)
	}
	switch {
	case found == nil:
		return fail("ImageNotFound", "Requested image not found")
	case id.Tag != "" && !slices.Contains(found.tags, id.Tag):
		return fail("ImageTagDoesNotMatchDigest", "Requested image tag does not map to the requested image digest")
	}
	return found, nil
}

type batchGetImageInput struct {
	repositoryID
	IDs      []imageID `json:"imageIds"`
	Accepted []string  `json:"acceptedMediaTypes"`
}

func (e *Server) batchGetImage(r *api.Request, in batchGetImageInput) (any, *api.Error) {
	if err := checkBatch(in.IDs); err != nil {
		return nil, err
	}
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	images, failures := []api.Object{}, []imageFailure{}
	for _, id := range in.IDs {
		found, failure := repo.find(id)
		if failure == nil && len(in.Accepted) > 0 && !slices.Contains(in.Accepted, found.mediaType) {
			failure = &imageFailure{id, "ImageNotFound", "Requested image not found"}
		}
		if failure == nil && found.archived {
			failure = &imageFailure{id, "ImageInaccessible", "Image is archived"}
		}
		if failure != nil {
			failures = append(failures, *failure)
			continue
		}
		images = append(images, found.describe(repo, imageID{found.digest, id.Tag}))
	}
	return api.Object{"images": images, "failures": failures}, nil
}

// checkBatch returns an error for a batch that is too small or too large.
func checkBatch(ids []imageID) *api.Error {
	if len(ids) < 1 || len(ids) > 100 {
		return constraintError("imageIds", "Member must have length less than or equal to 100 and greater than or "+
			"equal to 1")
	}
	return nil
}

type batchDeleteImageInput struct {
	repositoryID
	IDs []imageID `json:"imageIds"`
}

func (e *Server) batchDeleteImage(r *api.Request, in batchDeleteImageInput) (any, *api.Error) {
	if err := checkBatch(in.IDs); err != nil {
		return nil, err
	}
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	deleted, failures := []imageID{}, []imageFailure{}
	for _, id := range in.IDs {
		gone, failure := repo.delete(id)
		if failure != nil {
			failures = append(failures, *failure)
		}
		for _, g := range gone {
			e.imageEvent(r, repo, "DELETE", g)
		}
		deleted = append(deleted, gone...)
	}
	return api.Object{"imageIds": deleted, "failures": failures}, nil
}

// delete removes a tag, and the image with its last tag; or an image with all its tags, if the id is a digest only. It
// returns the removed ids.
func (r *repository) delete(id imageID) ([]imageID, *imageFailure) {
	found, failure := r.find(id)
	if failure != nil {
		return nil, failure
	}
	if id.Tag != "" && len(found.tags) > 1 {
		found.untag(id.Tag)
		return []imageID{{found.digest, id.Tag}}, nil
	}
	for _, i := range r.images {
		if slices.Contains(i.children, found.digest) {
			return nil, &imageFailure{id, "ImageReferencedByManifestList",
				fmt.Sprintf("Requested image referenced by manifest list: [%s]", i.digest)}
		}
	}
	r.images = slices.DeleteFunc(r.images, func(i *image) bool { return i == found })
	return found.ids(), nil
}

// ids returns the ids of the image: one for each tag, or the digest only if it has no tag.
func (i *image) ids() []imageID {
	if len(i.tags) == 0 {
		return []imageID{{Digest: i.digest}}
	}
	ids := []imageID{}
	for _, tag := range i.tags {
		ids = append(ids, imageID{i.digest, tag})
	}
	return ids
}
