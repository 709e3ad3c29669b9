package doctor

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// upkeep reports whether the images of a repository are scanned, and whether old ones
// are removed. The lifecycle policy's effect on a running image is reported by kept.
func (f *findings) upkeep(c *checker, r *repository) {
	f.scanning(c, r)
	switch text, err := r.lifecycle(); {
	case err != nil:
		f.notChecked(c, "lifecycle", "ecr:GetLifecyclePolicy", r.arn.String(), err)
	case text == "":
		f.add("lifecycle", Warning, "the repository has no lifecycle policy: every image is kept, and billed",
			"give it one that keeps releases: "+c.env.Command("policy lifecycle"))
	}
}

// scanning reports whether each pushed image is scanned, by the repository's setting or
// by the registry's, which may be enhanced scanning.
func (f *findings) scanning(c *checker, r *repository) {
	command := "aws ecr batch-get-repository-scanning-configuration --region " + r.registry.Region +
		" --repository-names " + r.name
	if r.registry.AccountID != c.env.AccountID { // the call has no registryId
		f.add("scanning", Unknown, "whether the images of "+r.name+" are scanned is seen only in account "+
			r.registry.AccountID, "with credentials of account "+r.registry.AccountID+", run the doctor with its "+
			"environment file, or "+command)
		return
	}
	s, err := r.scanning()
	switch {
	case err != nil:
		f.notChecked(c, "scanning", "ecr:BatchGetRepositoryScanningConfiguration", r.arn.String(), err)
	case s.ScanFrequency == types.ScanFrequencyContinuousScan:
		f.ok("scanning", "images are scanned continuously")
	case s.ScanOnPush || s.ScanFrequency == types.ScanFrequencyScanOnPush:
		f.ok("scanning", "images are scanned when they are pushed")
	default:
		f.add("scanning", Warning, "off: vulnerabilities of pushed images are not found",
			"set it in the infrastructure (deploy/registry.yaml does), or, unless the registry has enhanced scanning: "+
				"aws ecr put-image-scanning-configuration --region "+r.registry.Region+" --repository-name "+r.name+
				" --image-scanning-configuration scanOnPush=true")
	}
}

// readScanning returns what applies to the repository, of its own settings and the
// registry's.
func (r *repository) readScanning(ctx context.Context) (types.RepositoryScanningConfiguration, error) {
	out, err := r.ecr.BatchGetRepositoryScanningConfiguration(ctx,
		&ecr.BatchGetRepositoryScanningConfigurationInput{RepositoryNames: []string{r.name}})
	if err != nil {
		return types.RepositoryScanningConfiguration{}, err
	}
	if len(out.ScanningConfigurations) > 0 {
		return out.ScanningConfigurations[0], nil
	}
	reason := "ECR returned no configuration"
	if len(out.Failures) > 0 {
		reason = aws.ToString(out.Failures[0].FailureReason)
	}
	return types.RepositoryScanningConfiguration{}, errors.New(reason)
}
