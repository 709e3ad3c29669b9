// Package ecr emulates Amazon ECR (ECR API reference): repositories, images with their manifests, layers, and the
// policies of repositories. An image is its manifest: layers are checked only when they are downloaded, unless
// [Options.VerifyLayers] is set.
package ecr

import (
	"time"

	"deployer/testbed/aws/api"
)

// A Presigner returns URLs from which layers can be downloaded. ECR keeps them in S3.
type Presigner interface {
	Presign(r *api.Request, content []byte) (url string)
}

// A Server is Amazon ECR in all accounts and regions.
type Server struct {
	backend    *api.Backend
	events     api.Publisher
	layers     Presigner
	options    Options
	registries map[api.Scope]map[string]*repository // by name
	scanning   map[api.Scope]scanning
}

// Options are the options of [New].
type Options struct {
	// VerifyLayers makes PutImage refuse a manifest whose config or layers the repository does not have, as ECR does.
	// Without it, tests can push a manifest alone.
	VerifyLayers bool
}

// New returns an ECR without repositories.
func New(backend *api.Backend, events api.Publisher, layers Presigner, o Options) *Server {
	return &Server{backend: backend, events: events, layers: layers, options: o,
		registries: map[api.Scope]map[string]*repository{}, scanning: map[api.Scope]scanning{}}
}

// Operations returns the operations that are emulated.
func (e *Server) Operations() api.Operations {
	return api.Operations{
		"ecr:BatchCheckLayerAvailability":             api.JSON(e.batchCheckLayerAvailability),
		"ecr:BatchDeleteImage":                        api.JSON(e.batchDeleteImage),
		"ecr:BatchGetImage":                           api.JSON(e.batchGetImage),
		"ecr:BatchGetRepositoryScanningConfiguration": api.JSON(e.batchGetRepositoryScanningConfiguration),
		"ecr:CompleteLayerUpload":                     api.JSON(e.completeLayerUpload),
		"ecr:CreateRepository":                        api.JSON(e.createRepository),
		"ecr:DeleteLifecyclePolicy":                   api.JSON(e.deleteLifecyclePolicy),
		"ecr:DescribeImages":                          api.JSON(e.describeImages),
		"ecr:DescribeRepositories":                    api.JSON(e.describeRepositories),
		"ecr:GetAuthorizationToken":                   e.getAuthorizationToken,
		"ecr:GetDownloadUrlForLayer":                  api.JSON(e.getDownloadURLForLayer),
		"ecr:GetLifecyclePolicy":                      api.JSON(e.getLifecyclePolicy),
		"ecr:GetRepositoryPolicy":                     api.JSON(e.getRepositoryPolicy),
		"ecr:InitiateLayerUpload":                     api.JSON(e.initiateLayerUpload),
		"ecr:ListImageReferrers":                      api.JSON(e.listImageReferrers),
		"ecr:PutImage":                                api.JSON(e.putImage),
		"ecr:PutImageScanningConfiguration":           api.JSON(e.putImageScanningConfiguration),
		"ecr:PutImageTagMutability":                   api.JSON(e.putImageTagMutability),
		"ecr:PutLifecyclePolicy":                      api.JSON(e.putLifecyclePolicy),
		"ecr:PutRegistryScanningConfiguration":        api.JSON(e.putRegistryScanningConfiguration),
		"ecr:SetRepositoryPolicy":                     api.JSON(e.setRepositoryPolicy),
		"ecr:UploadLayerPart":                         api.JSON(e.uploadLayerPart),
	}
}

// publish sends an ECR Image Action event (ECR user guide, "Amazon ECR events and EventBridge"). Its resources are
// empty.
func (e *Server) publish(repo *repository, at time.Time, detail api.Object) {
	detail["result"], detail["repository-name"] = "SUCCESS", repo.name
	e.events.Publish(api.Event{
		Scope: repo.scope, Time: at, Source: "aws.ecr", DetailType: "ECR Image Action", Resources: []string{},
		Detail: detail,
	})
}
