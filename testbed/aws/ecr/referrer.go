package ecr

import "deployer/testbed/aws/api"

type listImageReferrersInput struct {
	repositoryID
	api.Paging
	Subject struct {
		Digest string `json:"imageDigest"`
	} `json:"subjectId"`
}

// listImageReferrers lists the artifacts whose manifest names the image as its subject. Without a filter, archived ones
// are left out. The caller needs ecr:BatchGetImage, and no permission of its own (ECR API reference,
// "ListImageReferrers": up to 50 in a page). That a subject which does not exist has no referrers, and is no error, is
// the behavior of the OCI distribution specification, "Listing Referrers".
func (e *Server) listImageReferrers(r *api.Request, in listImageReferrersInput) (any, *api.Error) {
	if !digestForm.MatchString(in.Subject.Digest) {
		return nil, constraintError("subjectId.imageDigest",
			"must satisfy regular expression '"+digestForm.String()+"'")
	}
	repo, err := e.openRepositoryFor(r, "ecr:BatchGetImage", in.repositoryID)
	if err != nil {
		return nil, err
	}
	var found []api.Object
	for _, i := range repo.images {
		if i.subject != in.Subject.Digest || i.archived {
			continue
		}
		o := api.Object{"digest": i.digest, "mediaType": i.mediaType, "size": i.size, "artifactStatus": i.status()}
		if i.kind != "" {
			o["artifactType"] = i.kind
		}
		if len(i.notes) > 0 {
			o["annotations"] = i.notes
		}
		found = append(found, o)
	}
	found, next, err := api.Page(found, in.Paging, 50, 50)
	if err != nil {
		return nil, err
	}
	if found == nil {
		found = []api.Object{}
	}
	return api.WithToken(api.Object{"referrers": found}, next), nil
}
