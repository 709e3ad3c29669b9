package ecr

import (
	"cmp"
	"slices"

	"deployer/testbed/aws/api"
)

// An imageFilter selects images by their tags and their status.
type imageFilter struct {
	Tags   string `json:"tagStatus"`   // TAGGED, UNTAGGED or ANY, the default
	Status string `json:"imageStatus"` // ACTIVE, the default, ARCHIVED, ACTIVATING or ANY
}

func (f imageFilter) check() *api.Error {
	switch {
	case !slices.Contains([]string{"", "TAGGED", "UNTAGGED", "ANY"}, f.Tags):
		return constraintError("filter.tagStatus", "Member must satisfy enum value set: [TAGGED, UNTAGGED, ANY]")
	case !slices.Contains([]string{"", "ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"}, f.Status):
		return constraintError("filter.imageStatus", "Member must satisfy enum value set: [ACTIVE, ARCHIVED, "+
			"ACTIVATING, ANY]")
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
	api.Paging
	IDs    []imageID   `json:"imageIds"`
	Filter imageFilter `json:"filter"`
}

func (e *Server) describeImages(r *api.Request, in describeImagesInput) (any, *api.Error) {
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	if err := in.Filter.check(); err != nil {
		return nil, err
	}
	found := slices.Clone(repo.images)
	if len(in.IDs) > 0 {
		if in.Paging != (api.Paging{}) {
			return nil, api.InvalidParameter("maxResults and nextToken cannot be used together with imageIds")
		}
		found = found[:0]
		in.Filter.Status = cmp.Or(in.Filter.Status, "ANY") // archived images are described if they are named
	}
	for _, id := range in.IDs {
		i, failure := repo.find(id)
		if failure != nil {
			return nil, imageNotFound(repo, id)
		}
		if !slices.Contains(found, i) {
			found = append(found, i)
		}
	}
	found = slices.DeleteFunc(found, func(i *image) bool { return !in.Filter.admits(i) })
	found, next, err := api.Page(found, in.Paging, 100, 1000)
	if err != nil {
		return nil, err
	}
	details := []api.Object{}
	for _, i := range found {
		details = append(details, i.detail(repo))
	}
	return api.WithToken(api.Object{"imageDetails": details}, next), nil
}

// imageNotFound returns the error of ECR for an image that does not exist. An absent member is 'null'.
func imageNotFound(repo *repository, id imageID) *api.Error {
	orNull := func(s string) string {
		if s == "" {
			return "null"
		}
		return s
	}
	return api.NewError("ImageNotFoundException",
		"The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name "+
			"'%s' in the registry with id '%s'",
		orNull(id.Digest), orNull(id.Tag), repo.name, repo.scope.Account)
}

// detail returns the image as DescribeImages does.
func (i *image) detail(repo *repository) api.Object {
	o := api.Object{
		"registryId":             repo.scope.Account,
		"repositoryName":         repo.name,
		"imageDigest":            i.digest,
		"imageManifestMediaType": i.mediaType,
		"imagePushedAt":          api.Timestamp(i.pushed),
		"imageSizeInBytes":       i.size,
		"imageStatus":            i.status(),
	}
	if i.archived {
		o["lastArchivedAt"] = api.Timestamp(i.archivedAt)
	}
	if len(i.tags) > 0 {
		o["imageTags"] = i.tags
	}
	if i.config != "" {
		o["artifactMediaType"] = i.config
	}
	return o
}
