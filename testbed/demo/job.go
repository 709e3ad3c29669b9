package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"deployer/internal/access"
	"deployer/internal/environment"
	"deployer/internal/iam"
	"deployer/testbed/accounts"
	"deployer/testbed/cloud"

	fakeiam "deployer/testbed/aws/iam"
)

// issuer and subject are those of the tokens of GitHub's jobs.
const (
	issuer  = "https://token.actions.githubusercontent.com"
	subject = "repo:octocat/shop:environment:"
)

// jobs are the roles of the workflows, as `deployer policy github` prints them, by "account/name".
type jobs struct {
	run   *patternRun
	roles map[string]string // the environment of each
}

// createJobs creates the roles of the pattern's workflows, and those of the people who operate the environments.
func createJobs(r *patternRun) (*jobs, error) {
	j := &jobs{run: r, roles: map[string]string{}}
	var envs []*environment.Environment
	for _, e := range cloud.Environments {
		env, err := environment.Load(filepath.Join(r.files, e.Name+".yaml"))
		if err != nil {
			return nil, err
		}
		envs = append(envs, env)
	}
	policy, err := access.Pipeline(envs, access.Source{Owner: "octocat", Name: "shop"}, false)
	if err != nil {
		return nil, err
	}
	var roles []struct {
		RoleName, Account                        string
		AssumeRolePolicyDocument, PolicyDocument json.RawMessage
	}
	if err := json.Unmarshal([]byte(policy.JSON), &roles); err != nil {
		return nil, err
	}
	for _, role := range roles {
		trust, err := iam.Parse(role.AssumeRolePolicyDocument)
		if err != nil {
			return nil, err
		}
		rights, err := iam.Parse(role.PolicyDocument)
		if err != nil {
			return nil, err
		}
		r.cloud.AWS.SetTrust(role.Account, role.RoleName, trust)
		r.cloud.AWS.SetRolePolicy(role.Account, role.RoleName, rights)
		key := role.Account + "/" + role.RoleName
		j.roles[key] = role.RoleName[strings.LastIndexByte(role.RoleName, '_')+1:]
		r.permissions.addTrust(j.arn(key), trust)
		r.permissions.addRole(j.arn(key), rights)
	}
	return j, nil
}

// build, promote and deploy return the names of the roles of an environment's jobs.
func build(env string) string   { return role("build", env) }
func promote(env string) string { return role("promote", env) }
func deploy(env string) string  { return role("deploy", env) }

func role(kind, env string) string {
	for _, e := range cloud.Environments {
		if e.Name == env {
			return e.Account + "/" + cloud.Project + "_github_" + kind + "_" + env
		}
	}
	return ""
}

func (j *jobs) split(role string) (account, name string) {
	account, name, _ = strings.Cut(role, "/")
	return account, name
}

func (j *jobs) arn(role string) string {
	account, name := j.split(role)
	return "arn:aws:iam::" + account + ":role/" + name
}

// token returns the token of a job that runs in a GitHub environment.
func (j *jobs) token(env string) string {
	return fakeiam.Token(issuer, subject+env, "sts.amazonaws.com")
}

// assume returns the account with the role's credentials, which a job of a GitHub environment asks for.
func (j *jobs) assume(ctx context.Context, role, env string) (*accounts.Account, error) {
	account, name := j.split(role)
	a := accounts.Connect(j.run.cloud.URL, account, accounts.Region)
	_, err := sts.NewFromConfig(a.Config).AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String(j.arn(role)), RoleSessionName: aws.String("job"),
		WebIdentityToken: aws.String(j.token(env))})
	if err != nil {
		return nil, err
	}
	return a.As(name), nil
}

// dockerPush pushes an image to a repository under each of the tags, with the calls that `docker login` and `docker
// push` make ECR make in the name of the role.
func (j *jobs) dockerPush(ctx context.Context, role, repository, content string, tags ...string) (string, error) {
	a, err := j.assume(ctx, role, j.roles[role])
	if err != nil {
		return "", err
	}
	if _, err := a.ECR.GetAuthorizationToken(ctx, nil); err != nil {
		return "", err
	}
	return pushAs(ctx, a, repository, content, tags...)
}

func pushAs(ctx context.Context, a *accounts.Account, repository, content string, tags ...string) (string, error) {
	_, err := a.ECR.BatchCheckLayerAvailability(ctx, &ecr.BatchCheckLayerAvailabilityInput{
		RepositoryName: aws.String(repository), LayerDigests: []string{"sha256:" + strings.Repeat("0", 64)}})
	if err != nil {
		return "", err
	}
	if err := a.PushConfig(ctx, repository, "amd64"); err != nil {
		return "", err
	}
	return a.PutManifest(ctx, repository, content, tags...)
}

// readImage reads the manifest of an image.
func readImage(ctx context.Context, a *accounts.Account, registry, repository, digest string) error {
	_, err := getImage(ctx, a, registry, repository, digest)
	return err
}

func getImage(
	ctx context.Context, a *accounts.Account, registry, repository, digest string,
) (*ecr.BatchGetImageOutput, error) {
	return a.ECR.BatchGetImage(ctx, &ecr.BatchGetImageInput{RegistryId: aws.String(registry),
		RepositoryName: aws.String(repository), ImageIds: []types.ImageIdentifier{{ImageDigest: aws.String(digest)}}})
}

// pull makes the calls of a task that starts, with its execution role.
func pull(ctx context.Context, a *accounts.Account, registry, repository, digest string) error {
	if _, err := a.ECR.GetAuthorizationToken(ctx, nil); err != nil {
		return err
	}
	image, err := getImage(ctx, a, registry, repository, digest)
	if err != nil {
		return err
	}
	if len(image.Images) != 1 {
		return fmt.Errorf("the image %s of %s is not there", digest, repository)
	}
	var manifest struct{ Config struct{ Digest string } }
	if err := json.Unmarshal([]byte(aws.ToString(image.Images[0].ImageManifest)), &manifest); err != nil {
		return err
	}
	if manifest.Config.Digest == "" {
		return errors.New("the manifest has no config")
	}
	_, err = a.ECR.BatchCheckLayerAvailability(ctx, &ecr.BatchCheckLayerAvailabilityInput{
		RegistryId: aws.String(registry), RepositoryName: aws.String(repository),
		LayerDigests: []string{manifest.Config.Digest}})
	if err != nil {
		return err
	}
	_, err = a.ECR.GetDownloadUrlForLayer(ctx, &ecr.GetDownloadUrlForLayerInput{RegistryId: aws.String(registry),
		RepositoryName: aws.String(repository), LayerDigest: aws.String(manifest.Config.Digest)})
	return err
}
