package resolve

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	dev  = "111111111111"
	prod = "333333333333"
)

// pull is the permission that a check needs, and openRepository
// the policy that docs/strategies.md gives for accounts outside the organization.
const (
	pull = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:BatchGetImage",` +
		`"Resource":"*"}]}`
	nothing        = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"*"}]}`
	openRepository = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Principal":{"AWS":["arn:aws:iam::333333333333:root"]},"Action":["ecr:GetDownloadUrlForLayer",` +
		`"ecr:BatchGetImage","ecr:BatchCheckLayerAvailability"]}]}`
	shutRepository = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",` +
		`"Action":"ecr:BatchGetImage"},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:root"},` +
		`"Action":"ecr:*"}]}`
)

// load returns an environment of the centralized pattern.
func load(t *testing.T, name string) (*environment.Environment, environment.Workload) {
	t.Helper()
	env, err := environment.Load("../../examples/centralized-dev-ecr/" + name + ".yaml")
	must(t, err)
	w, _ := env.Find("backend", environment.Services...)
	env.File = name + ".yaml"
	return env, w
}

// registry starts an emulator in which dev has the image myproject_backend:v1.
func registry(t *testing.T, repositoryPolicy string) (e *emulator.Emulator, url, digest string) {
	t.Helper()
	e, url = emulatortest.Start(t, emulator.Options{})
	account := accounts.Connect(url, dev, "us-east-1")
	digest, err := account.Push(t.Context(), "myproject_backend", "v1", "v1", "latest")
	must(t, err)
	if repositoryPolicy != "" {
		_, err = account.ECR.SetRepositoryPolicy(t.Context(),
			&ecr.SetRepositoryPolicyInput{RepositoryName: aws.String("myproject_backend"),
				PolicyText: aws.String(repositoryPolicy)})
		must(t, err)
	}
	return e, url, digest
}

func TestResolve(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, url, digest := registry(t, openRepository)
			env, backend := load(t, name)
			caller := accounts.Connect(url, env.AccountID, "eu-west-1") // the resolver calls the registry's region
			e.ResetCalls()
			got, err := New(caller.Config).Resolve(t.Context(), env, backend, "v1")
			must(t, err)
			want := image.Reference{Host: "111111111111.dkr.ecr.us-east-1.amazonaws.com",
				Repository: "myproject_backend", Tag: "v1", Digest: digest}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			calls := e.Calls()
			if len(calls) != 1 || calls[0].Operation != "BatchGetImage" || calls[0].Region != "us-east-1" ||
				calls[0].Account != env.AccountID ||
				!strings.Contains(string(calls[0].Body), `"registryId":"111111111111"`) {
				t.Errorf("calls: %+v", calls)
			}
			const accepted = `"acceptedMediaTypes":["application/vnd.oci.image.index.v1+json",` +
				`"application/vnd.oci.image.manifest.v1+json",` +
				`"application/vnd.docker.distribution.manifest.list.v2+json",` +
				`"application/vnd.docker.distribution.manifest.v2+json"]`
			if body := string(calls[0].Body); !strings.Contains(body, accepted) {
				t.Errorf("it sent %s, without %s", body, accepted)
			}
		})
	}
}

// TestFailureCodes checks the class of every code that BatchGetImage answers with
// HTTP 200. A new code in the SDK fails it.
func TestFailureCodes(t *testing.T) {
	t.Parallel()
	classes := map[types.ImageFailureCode]func(error) bool{
		types.ImageFailureCodeInvalidImageDigest:            fault.IsRejected,
		types.ImageFailureCodeInvalidImageTag:               fault.IsRejected,
		types.ImageFailureCodeImageTagDoesNotMatchDigest:    fault.IsRejected,
		types.ImageFailureCodeImageNotFound:                 fault.IsRejected,
		types.ImageFailureCodeMissingDigestAndTag:           fault.IsRejected,
		types.ImageFailureCodeImageReferencedByManifestList: fault.IsRejected,
		types.ImageFailureCodeKmsError:                      fault.IsMisconfigured,
		types.ImageFailureCodeUpstreamAccessDenied:          fault.IsMisconfigured,
		types.ImageFailureCodeImageInaccessible:             fault.IsMisconfigured,
		types.ImageFailureCodeUpstreamTooManyRequests:       fault.IsUnavailable,
		types.ImageFailureCodeUpstreamUnavailable:           fault.IsUnavailable,
	}
	_, backend := load(t, "prod")
	for _, code := range types.ImageFailureCode("").Values() {
		class, ok := classes[code]
		if !ok {
			t.Errorf("failure code %s is not classified", code)
			continue
		}
		if err := imageMissing([]types.ImageFailure{{FailureCode: code, FailureReason: aws.String("so")}}, backend,
			"v1"); !class(err) {
			t.Errorf("%s: %T is of another class", code, err)
		}
	}
	if err := imageMissing(nil, backend, "v1"); !fault.IsUnavailable(err) {
		t.Errorf("an answer without image or reason: %v", err)
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	_, url, _ := registry(t, openRepository)
	env, backend := load(t, "prod")
	r := New(accounts.Connect(url, prod, "us-east-1").Config)
	_, err := r.Resolve(t.Context(), env, backend, "git-abc123f")
	wantFault(t, err, "ImageNotFound", fault.IsRejected,
		`looking for tag "git-abc123f" in ECR repository "myproject_backend" of account 111111111111 in us-east-1: `+
			`image not found `+
			`(push the image first, or check the tag: aws ecr describe-images --registry-id 111111111111 --region `+
			`us-east-1 --repository-name myproject_backend)`)

	own, backend := load(t, "dev")
	api, _ := own.Find("web-api", environment.Services...)
	_, err = New(accounts.Connect(url, dev, "us-east-1").Config).Resolve(t.Context(), own, api, "v1")
	wantFault(t, err, "RepositoryNotFound", fault.IsMisconfigured,
		`looking for tag "v1" in ECR repository "myproject_service_web-api" of account 111111111111 in us-east-1: `+
			`No ECR repository found: 111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_service_web-api does `+
			`not exist (strategy local: set by ecr_strategy) `+
			`(create it with the infrastructure, or set ecr_strategy in dev.yaml to the account that has the images)`)

	backend.Repository, backend.External = "", "nginx:1.29"
	_, err = r.Resolve(t.Context(), own, backend, "v1")
	wantFault(t, err, "ImageOutsideECR", fault.IsRejected,
		`resolving tag "v1" of backend "backend": its image "nginx:1.29" is not in ECR, so that it can be neither `+
			`checked nor pinned `+
			`(to deploy from ECR, remove the image from dev.yaml and apply the infrastructure)`)
}

func TestTransientFaults(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]emulator.Fault{
		"throttled":       {Operation: "ecr:BatchGetImage", Times: 2, Error: emulator.ErrThrottled},
		"server fault":    {Operation: "ecr:BatchGetImage", Times: 2, Error: emulator.ErrServerFault},
		"lost connection": {Operation: "ecr:BatchGetImage", Times: 2, Drop: emulator.DropAfter},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, url, digest := registry(t, "")
			e.Inject(f)
			env, backend := load(t, "dev")
			got, err := New(accounts.Connect(url, dev, "us-east-1").Config).Resolve(t.Context(), env, backend, "latest")
			if err != nil || got.Digest != digest {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// wantFault checks a fault's name, its class, and the parts of its text in order.
func wantFault(t *testing.T, err error, name string, class func(error) bool, parts ...string) {
	t.Helper()
	if err == nil || fault.NameOf(err) != name || !class(err) {
		t.Errorf("got %T %q %v, want a fault %s of another class", err, fault.NameOf(err), err, name)
		return
	}
	rest := err.Error()
	for _, part := range parts {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			t.Errorf("%s\nlacks, after the parts before it,\n%s", err, part)
			return
		}
		rest = after
	}
	if !strings.HasPrefix(err.Error(), parts[0]) || rest != "" {
		t.Errorf("%s\nhas more text than\n%s", err, strings.Join(parts, "…"))
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
