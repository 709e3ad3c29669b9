package emulator

import (
	"cmp"
	"slices"
)

// An imageFilter chooses images by whether they have a tag and can be pulled.
type imageFilter struct {
	Tags   string `json:"tagStatus"`   // TAGGED, UNTAGGED, ANY or empty, which is ANY
	Status string `json:"imageStatus"` // ACTIVE, ARCHIVED, ACTIVATING, ANY or empty, which is ACTIVE
}

func (f imageFilter) check() *Error {
	switch {
	case !slices.Contains([]string{"", "TAGGED", "UNTAGGED", "ANY"}, f.Tags):
		return errConstraint("filter.tagStatus", "Member must satisfy enum value set: [TAGGED, UNTAGGED, ANY]")
	case !slices.Contains([]string{"", "ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"}, f.Status):
		return errConstraint("filter.imageStatus", "Member must satisfy enum value set: [ACTIVE, ARCHIVED, ACTIVATING, ANY]")
	}
	return nil
}

func (f imageFilter) admits(i *image) bool {
	if f.Tags == "TAGGED" && len(i.tags) == 0 || f.Tags == "UNTAGGED" && len(i.tags) > 0 {
		return false
	}
	return f.Status == "ANY" || i.status() == cmp.Or(f.Status, "ACTIVE")
}

type describeImagesInput struct {
	repositoryID
	paging
	IDs    []imageID   `json:"imageIds"`
	Filter imageFilter `json:"filter"`
}

func (e *Emulator) describeImages(r *request, in describeImagesInput) (any, *Error) {
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	if err := in.Filter.check(); err != nil {
		return nil, err
	}
	found := slices.Clone(repo.images)
	if len(in.IDs) > 0 {
		if in.paging != (paging{}) {
			return nil, errInvalidParameter("maxResults and nextToken cannot be used together with imageIds")
		}
		found = found[:0]
		in.Filter.Status = cmp.Or(in.Filter.Status, "ANY") // an archived image can be described by its name
	}
	for _, id := range in.IDs {
		i, failure := repo.find(id)
		if failure != nil {
			return nil, errImageNotFound(repo, id)
		}
		if !slices.Contains(found, i) {
			found = append(found, i)
		}
	}
	found = slices.DeleteFunc(found, func(i *image) bool { return !in.Filter.admits(i) })
	found, next, err := page(found, in.paging, 100, 1000)
	if err != nil {
		return nil, err
	}
	details := []object{}
	for _, i := range found {
		details = append(details, i.detail(repo))
	}
	return withToken(object{"imageDetails": details}, next), nil
}

// errImageNotFound names the image as ECR does: an absent member is 'null'.
func errImageNotFound(repo *repository, id imageID) *Error {
	orNull := func(s string) string {
		if s == "" {
			return "null"
		}
		return s
	}
	return badRequest("ImageNotFoundException",
		"The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'",
		orNull(id.Digest), orNull(id.Tag), repo.name, repo.account)
}

// detail is the image as DescribeImages answers it.
func (i *image) detail(repo *repository) object {
	o := object{
		"registryId":             repo.account,
		"repositoryName":         repo.name,
		"imageDigest":            i.digest,
		"imageManifestMediaType": i.mediaType,
		"imagePushedAt":          timestamp(i.pushed),
		"imageSizeInBytes":       i.size,
		"imageStatus":            i.status(),
	}
	if i.archived {
		o["lastArchivedAt"] = timestamp(i.archivedAt)
	}
	if len(i.tags) > 0 {
		o["imageTags"] = i.tags
	}
	if i.config != "" {
		o["artifactMediaType"] = i.config
	}
	return o
}

type listImagesInput struct {
	repositoryID
	paging
	Filter imageFilter `json:"filter"`
}

func (e *Emulator) listImages(r *request, in listImagesInput) (any, *Error) {
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	if err := in.Filter.check(); err != nil {
		return nil, err
	}
	ids := []imageID{}
	for _, i := range repo.images {
		if in.Filter.admits(i) {
			ids = append(ids, i.ids()...)
		}
	}
	ids, next, err := page(ids, in.paging, 100, 1000)
	if err != nil {
		return nil, err
	}
	return withToken(object{"imageIds": ids}, next), nil
}
