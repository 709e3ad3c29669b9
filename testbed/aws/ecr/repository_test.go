package ecr_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// setRepositoryPolicy sets a policy with one statement.
func setRepositoryPolicy(t *testing.T, w *emulatortest.Env, key, repository, statement string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{
		"repositoryName": repository,
		"policyText":     `{"Version":"2012-10-17","Statement":[` + statement + `]}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Do(t, key, "ecr:SetRepositoryPolicy", string(body))
}

// TestPullAccess: a caller of another account needs permission by its own policies and by the repository's, a caller of
// the same account by either.
func TestPullAccess(t *testing.T) {
	t.Parallel()
	const (
		repositoryARN = "arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"
		prodUser      = "User: arn:aws:sts::333333333333:assumed-role/Deployer/session is not authorized to perform: " +
			"ecr:BatchGetImage on resource: " + repositoryARN
		devUser = "User: arn:aws:sts::111111111111:assumed-role/Deployer/session is not authorized to perform: " +
			"ecr:BatchGetImage on resource: " + repositoryARN
		noIdentity = " because no identity-based policy allows the ecr:BatchGetImage action"
		noResource = " because no resource-based policy allows the ecr:BatchGetImage action"

		prodMayPull = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:root"},` +
			`"Action":"ecr:BatchGetImage"}`
		devMayPull = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/Deployer"},` +
			`"Action":"ecr:BatchGetImage"}`
		orgMayPull = `{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage",` +
			`"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}`
		prodMayNot = `{"Effect":"Deny","Principal":{"AWS":"333333333333"},"Action":"ecr:*"}`
	)
	pull := emulatortest.Allow("ecr:BatchGetImage", repositoryARN)
	tests := []struct {
		name       string
		key        string
		identity   string // the policy of the role Deployer
		repository string // a statement of the repository's policy
		org        []string
		want       string // the error's text
	}{
		{name: "both, from another account", key: prod + "-Deployer", identity: pull, repository: prodMayPull},
		{name: "both, by organisation", key: prod + "-Deployer", identity: pull, repository: orgMayPull,
			org: []string{dev, prod}},
		{name: "not of the organisation", key: prod + "-Deployer", identity: pull, repository: orgMayPull,
			org: []string{dev}, want: prodUser + noResource},
		{name: "the caller's only", key: prod + "-Deployer", identity: pull, want: prodUser + noResource},
		{name: "the repository's only", key: prod + "-Deployer", repository: prodMayPull, want: prodUser + noIdentity},
		{name: "the caller's for another repository", key: prod + "-Deployer",
			identity: emulatortest.Allow("ecr:BatchGetImage", repositoryARN+"2"), repository: prodMayPull,
			want: prodUser + noIdentity},
		{name: "neither", key: prod + "-Deployer", want: prodUser + noResource},
		{name: "denied by the repository", key: prod + "-Deployer", identity: pull, repository: prodMayPull + "," +
			prodMayNot, want: prodUser + " with an explicit deny in a resource-based policy"},
		{name: "an administrator of another account", key: prod, repository: prodMayPull},
		{name: "the same account, the caller's only", key: dev + "-Deployer", identity: pull},
		{name: "the same account, the repository's only", key: dev + "-Deployer", repository: devMayPull},
		{name: "the same account, neither", key: dev + "-Deployer", want: devUser + noIdentity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
			w.Push(t, dev, "myproject_backend", "one", "latest")
			if tt.repository != "" {
				setRepositoryPolicy(t, w, dev, "myproject_backend", tt.repository)
			}
			if tt.identity != "" {
				w.AWS.SetRolePolicy(dev, "Deployer", emulatortest.Policy(t, tt.identity))
				w.AWS.SetRolePolicy(prod, "Deployer", emulatortest.Policy(t, tt.identity))
			}
			w.AWS.SetOrganization("o-a1b2c3d4e5", tt.org...)
			got, err := w.ECR(tt.key).BatchGetImage(t.Context(), &ecr.BatchGetImageInput{
				RegistryId: new(dev), RepositoryName: new("myproject_backend"),
				ImageIds: []types.ImageIdentifier{*imageID("latest", "")},
			})
			if tt.want != "" {
				emulatortest.WantError(t, err, "AccessDeniedException", tt.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Images) != 1 {
				t.Errorf("got %d images, want 1", len(got.Images))
			}
		})
	}
}

func TestRepositories(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	const described = `{"createdAt":1769074200,"encryptionConfiguration":{"encryptionType":"AES256"},` +
		`"imageScanningConfiguration":{"scanOnPush":false},` +
		`"imageTagMutability":"MUTABLE","registryId":"111111111111",` +
		`"repositoryArn":"arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend",` +
		`"repositoryName":"myproject_backend",` +
		`"repositoryUri":"111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend"}`
	const pullPolicy = `{\"Version\":\"2008-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",` +
		`\"Action\":\"ecr:BatchGetImage\"}}`
	steps := []struct {
		name       string
		call, body string
		wantStatus int
		want       string
	}{
		{"create", "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`, 200, `{"repository":` + described +
			`}`},
		{"create it again", "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`, 400,
			`{"__type":"RepositoryAlreadyExistsException","message":"The repository with name 'myproject_backend' ` +
				`already exists in the registry with id '111111111111'"}`},
		{"create with a bad name", "ecr:CreateRepository", `{"repositoryName":"MyProject"}`, 400,
			`{"__type":"InvalidParameterException","message":"Invalid parameter at 'repositoryName' failed to ` +
				`satisfy constraint: 'must satisfy regular expression ` +
				`'[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*''"}`},
		{"get of another", "ecr:BatchGetImage", `{"repositoryName":"nope","imageIds":[{"imageTag":"latest"}]}`, 400,
			`{"__type":"RepositoryNotFoundException","message":"The repository with name 'nope' does not exist in ` +
				`the registry with id '111111111111'"}`},
		{"describe no image", "ecr:DescribeImages",
			`{"repositoryName":"myproject_backend","imageIds":[{"imageTag":"latest"}]}`, 400,
			`{"__type":"ImageNotFoundException","message":"The image with imageId {imageDigest:'null', ` +
				`imageTag:'latest'} does not exist within the repository with name 'myproject_backend' in the ` +
				`registry with id '111111111111'"}`},
		{"no policy yet", "ecr:GetRepositoryPolicy", `{"repositoryName":"myproject_backend"}`, 400,
			`{"__type":"RepositoryPolicyNotFoundException","message":"Repository policy does not exist for the ` +
				`repository with name 'myproject_backend' in the registry with id '111111111111'"}`},
		{"a policy without a principal", "ecr:SetRepositoryPolicy",
			`{"repositoryName":"myproject_backend","policyText":"{\"Version\":\"2012-10-17\",` +
				`\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"ecr:BatchGetImage\"}]}"}`, 400,
			`{"__type":"InvalidParameterException","message":"Invalid parameter at 'PolicyText' failed to ` +
				`satisfy constraint: 'Invalid repository policy provided'"}`},
		{"a policy", "ecr:SetRepositoryPolicy", `{"repositoryName":"myproject_backend","policyText":"` + pullPolicy +
			`"}`, 200, `{"policyText":"` + pullPolicy + `","registryId":"111111111111",` +
			`"repositoryName":"myproject_backend"}`},
		{"the policy", "ecr:GetRepositoryPolicy", `{"repositoryName":"myproject_backend"}`, 200,
			`{"policyText":"` + pullPolicy + `","registryId":"111111111111","repositoryName":"myproject_backend"}`},
	}
	for _, s := range steps {
		status, got := w.Raw(t, dev, s.call, s.body)
		if status != s.wantStatus {
			t.Errorf("%s: status %d, want %d", s.name, status, s.wantStatus)
		}
		if diff := cmp.Diff(s.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.name, diff)
		}
	}
}

func TestDescribeImages(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
	one := w.Push(t, dev, "myproject_backend", "one", "latest")
	two := w.Push(t, dev, "myproject_backend", "two", "latest")
	detail := func(digest, tags string) string {
		return `{"artifactMediaType":"application/vnd.oci.image.config.v1+json","imageDigest":"` + digest +
			`","imageManifestMediaType":"` + emulatortest.ManifestType +
			`","imagePushedAt":1769074200,"imageSizeInBytes":42,"imageStatus":"ACTIVE",` + tags +
			`"registryId":"111111111111","repositoryName":"myproject_backend"}`
	}
	untagged, tagged := detail(one, ""), detail(two, `"imageTags":["latest"],`)
	tests := []struct{ name, call, arguments, want string }{
		{"all", "ecr:DescribeImages", ``, `{"imageDetails":[` + untagged + `,` + tagged + `]}`},
		{"tagged", "ecr:DescribeImages", `,"filter":{"tagStatus":"TAGGED"}`, `{"imageDetails":[` + tagged + `]}`},
		{"untagged", "ecr:DescribeImages", `,"filter":{"tagStatus":"UNTAGGED"}`, `{"imageDetails":[` + untagged + `]}`},
		{"by tag and digest", "ecr:DescribeImages", `,"imageIds":[{"imageTag":"latest"},{"imageDigest":"` + two + `"}]`,
			`{"imageDetails":[` + tagged + `]}`},
		{"the first page", "ecr:DescribeImages", `,"maxResults":1`, `{"imageDetails":[` + untagged +
			`],"nextToken":"MQ=="}`},
		{"the second page", "ecr:DescribeImages", `,"maxResults":1,"nextToken":"MQ=="`, `{"imageDetails":[` + tagged +
			`]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, w.Do(t, dev, tt.call, `{"repositoryName":"myproject_backend"`+tt.arguments+
				`}`)); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDescribeRepositories: by name, and all of the registry.
func TestDescribeRepositories(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"web","imageTagMutability":"IMMUTABLE"}`)
	w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"api"}`)
	for _, tt := range []struct {
		names []string
		want  []string // name and mutability
	}{
		{[]string{"web"}, []string{"web IMMUTABLE"}},
		{nil, []string{"api MUTABLE", "web IMMUTABLE"}},
	} {
		out, err := w.ECR(dev).DescribeRepositories(t.Context(),
			&ecr.DescribeRepositoriesInput{RepositoryNames: tt.names})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range out.Repositories {
			got = append(got, *r.RepositoryName+" "+string(r.ImageTagMutability))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Error(diff)
		}
	}
	_, err := w.ECR(dev).DescribeRepositories(t.Context(),
		&ecr.DescribeRepositoriesInput{RepositoryNames: []string{"x"}})
	emulatortest.WantError(t, err, "RepositoryNotFoundException",
		"The repository with name 'x' does not exist in the registry with id '111111111111'")
}
