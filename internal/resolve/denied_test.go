package resolve

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"

	"deployer/internal/fault"
	"deployer/internal/iam"
	"deployer/testbed/accounts"
)

func TestDenied(t *testing.T) {
	t.Parallel()
	const (
		doing = `looking for tag "v1" in ECR repository "myproject_backend" of account 111111111111 in us-east-1: `
		user  = "User: arn:aws:sts::333333333333:assumed-role/Deployer/"
		not   = " is not authorized to perform: ecr:BatchGetImage on resource: " +
			"arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend "
		identity = `in account 333333333333, add to the policy of role Deployer: ` +
			`{"Effect":"Allow","Action":["ecr:BatchGetImage"],` +
			`"Resource":"arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"}`
		repository = `in account 111111111111, add to the policy of repository myproject_backend in us-east-1: ` +
			`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:root"},"Action":["ecr:BatchGetImage"]}`
	)
	tests := []struct {
		name             string
		role, repository string
		want             []string // parts of the text, in order
	}{
		{"repository policy missing", pull, "",
			[]string{doing + "access denied: the repository policy does not allow it; AWS's message: " + user,
				not + "because no resource-based policy allows the ecr:BatchGetImage action (" + repository + ")"}},
		{"identity policy missing", nothing, openRepository,
			[]string{doing + "access denied: the identity policy of role Deployer does not allow it; AWS's message: " +
				user, not + "because no identity-based policy allows the ecr:BatchGetImage action (" + identity +
				"; if it is still denied then, " + repository + ")"}},
		{"explicit deny", pull, shutRepository,
			[]string{doing + "access denied: explicit deny in a resource-based policy; AWS's message: " + user,
				"(in account 111111111111, in the policy of repository myproject_backend in us-east-1, exclude role " +
					"Deployer from the Deny for ecr:BatchGetImage on " +
					"arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, url, _ := registry(t, tt.repository)
			role, err := iam.Parse([]byte(tt.role))
			must(t, err)
			e.SetRolePolicy(prod, "Deployer", role)
			env, backend := load(t, "prod")
			caller := accounts.Connect(url, prod+"-Deployer", "us-east-1")
			_, err = New(caller.Config).Resolve(t.Context(), env, backend, "v1")
			wantFault(t, err, "AccessDenied", fault.IsMisconfigured, tt.want...)
		})
	}
}

// TestUnknownPolicy checks the fault of a denial that does not name the policy.
func TestUnknownPolicy(t *testing.T) {
	t.Parallel()
	const message = "User: arn:aws:iam::333333333333:user/ada is not authorized to perform: ecr:BatchGetImage on " +
		"resource: arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"
	tests := []struct {
		name, env, message, want string
	}{
		{"across accounts", "prod", message,
			`looking for tag "v1" in ECR repository "myproject_backend" of account 111111111111 in us-east-1: ` +
				`access denied: AWS does not report which policy denied it, and across accounts both must allow it; ` +
				`AWS's message: ` + message +
				` (in account 333333333333, add to the policy of arn:aws:iam::333333333333:user/ada: ` +
				`{"Effect":"Allow","Action":["ecr:BatchGetImage"],` +
				`"Resource":"arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"}; ` +
				`and in account 111111111111, add to the policy of repository myproject_backend in us-east-1: ` +
				`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:root"},` +
				`"Action":["ecr:BatchGetImage"]})`},
		{"in one account, without a message", "dev", "",
			`looking for tag "v1" in ECR repository "myproject_backend" of account 111111111111 in us-east-1: ` +
				`access denied: AWS does not report which policy denied it; AWS's message: ` +
				` (in account 111111111111, add to the policy of the caller: ` +
				`{"Effect":"Allow","Action":["ecr:BatchGetImage"],` +
				`"Resource":"arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"})`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env, backend := load(t, tt.env)
			wantFault(t, callFailed(&smithy.GenericAPIError{Code: "AccessDeniedException", Message: tt.message}, env,
				backend, "v1"), "AccessDenied", fault.IsMisconfigured, tt.want)
		})
	}
}

// TestKMSDenied checks that a denial within a failure of ECR is read.
func TestKMSDenied(t *testing.T) {
	t.Parallel()
	_, backend := load(t, "prod")
	err := imageMissing([]types.ImageFailure{{FailureCode: types.ImageFailureCodeKmsError,
		FailureReason: aws.String("User: arn:aws:sts::333333333333:assumed-role/Deployer/s is not authorized to " +
			"perform: kms:Decrypt on resource: arn:aws:kms:us-east-1:111111111111:key/k because no resource-based " +
			"policy allows the kms:Decrypt action (Service: AWSKMS; Status Code: 400)")}}, backend, "v1")
	wantFault(t, err, string(types.ImageFailureCodeKmsError), fault.IsMisconfigured, looking(backend, "v1"),
		`(in account 111111111111, add to the policy of key k in us-east-1: {"Effect":"Allow","Principal":`+
			`{"AWS":"arn:aws:iam::333333333333:root"},"Action":["kms:Decrypt"],"Resource":`+
			`"arn:aws:kms:us-east-1:111111111111:key/k"})`)
}
