package pipeline

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulatortest"
)

// pullOnly lets dev pull from a repository of another account, and not find lost pushes to it.
const pullOnly = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` +
	accounts.Dev + `:root"},"Action":["ecr:GetDownloadUrlForLayer","ecr:BatchGetImage"]}]}`

// TestReconcileOneRegistryDenied searches for lost pushes in an environment with two
// registries, which have a repository of the same name. One of them denies DescribeImages:
// lost pushes to the other one are still deployed, the search counts, and result and
// metrics say what was not searched.
func TestReconcileOneRegistryDenied(t *testing.T) {
	t.Parallel()
	const other, region, repository = "444444444444", "eu-west-1", "myproject_service_web-api"
	f := newFixture(t, "dev")
	text, err := os.ReadFile(f.env.File)
	if err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(string(text), "  - name: web-api\n", "  - name: web-api\n    ecr_config: {mode: "+
		"manual_repo, "+
		"repository_uri: "+other+".dkr.ecr."+region+".amazonaws.com/"+repository+"}\n", 1)
	own = strings.Replace(own, "  - name: worker\n", "  - name: worker\n    ecr_config: {mode: manual_repo, "+
		"repository_uri: "+accounts.Dev+".dkr.ecr."+accounts.Region+".amazonaws.com/"+repository+"}\n", 1)
	if f.env, err = environment.Parse("dev.yaml", []byte(own)); err != nil {
		t.Fatal(err)
	}
	registry := accounts.Connect(*f.accounts["dev"].Config.BaseEndpoint, other, region)
	for _, a := range []*accounts.Account{registry, f.accounts["dev"]} {
		if _, err := a.Push(t.Context(), repository, "v2", "latest"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := registry.ECR.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{
		RepositoryName: aws.String(repository), PolicyText: aws.String(pullOnly)}); err != nil {
		t.Fatal(err)
	}
	function := f.function()
	reconcile := func() Result {
		f.metrics.Reset()
		got, err := function.Handle(t.Context(), json.RawMessage(scheduled))
		if err != nil {
			t.Fatal(err)
		}
		if metrics := f.metrics.String(); !strings.Contains(metrics, `"ReconcileDenied":1,"Reconciled":1,`) {
			t.Errorf("metrics %s", metrics)
		}
		const denied = `reconciling is off for 1 of 4 repositories: looking for tag "latest" in ECR repository "` +
			repository + `" of account ` + other + ` in ` + region + `: access denied: the repository policy ` +
			`does not allow it`
		const fix = `(in account ` + other + `, add to the policy of repository ` + repository + ` in ` + region +
			`: {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + accounts.Dev +
			`:root"},"Action":["ecr:DescribeImages"]})`
		if !strings.Contains(got.Reason, denied) || !strings.HasSuffix(got.Reason, fix) {
			t.Errorf("reason %q, want %s … %s", got.Reason, denied, fix)
		}
		return got
	}
	got := reconcile()
	if got.Status != ecsdeploy.Deployed || len(got.Deployments) != 1 || got.Deployments[0].Service != "worker" {
		t.Errorf("%+v, want the lost push to the registry that allows it deployed", got)
	}
	f.clock.Advance(15 * time.Minute)
	f.aws.ResetCalls()
	if got := reconcile(); got.Status != ecsdeploy.Unchanged || len(got.Deployments) != 0 {
		t.Errorf("the next search: %+v", got)
	}
	for _, c := range f.aws.Calls() {
		if c.Operation == "DescribeImages" && strings.HasPrefix(c.Error, "AccessDenied") {
			t.Errorf("the registry that denies it is asked again: %s", c.Error)
		}
	}
}

// noRoute is an [aws.HTTPClient] that cannot connect to ECR in a region.
type noRoute struct {
	aws.HTTPClient
	region string
}

func (c noRoute) Do(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.Header.Get("Authorization"), "/"+c.region+"/ecr/") {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: network is unreachable")}
	}
	return c.HTTPClient.Do(r)
}

// TestReconcileOneRegistryUnreachable searches for lost pushes while the region of one of two
// registries cannot be reached: what the other one shows is deployed, the search counts, and it
// fails with the fault of the unreachable one, so that Lambda tries again and the alarm
// "errors" goes off.
func TestReconcileOneRegistryUnreachable(t *testing.T) {
	t.Parallel()
	const repository = "myproject_service_web-api"
	f := newFixture(t, "dev")
	text, err := os.ReadFile(f.env.File)
	if err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(string(text), "  - name: web-api\n", "  - name: web-api\n    ecr_config: {mode: "+
		"manual_repo, repository_uri: 444444444444.dkr.ecr.eu-west-1.amazonaws.com/"+repository+"}\n", 1)
	if f.env, err = environment.Parse("dev.yaml", []byte(own)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.accounts["dev"].Push(t.Context(), "myproject_service_worker", "v2", "latest"); err != nil {
		t.Fatal(err)
	}
	config := f.accounts["dev"].With(func(c *aws.Config) {
		c.HTTPClient = noRoute{emulatortest.InProcess{AWS: f.aws}, "eu-west-1"}
	}).Config
	function := NewFunction(f.env, config, &f.metrics)
	function.now = f.clock.Now
	for attempt, updates := range []int{1, 0} {
		f.aws.ResetCalls()
		f.metrics.Reset()
		_, err = function.Handle(t.Context(), json.RawMessage(scheduled))
		const looking = `looking for tag "latest" in ECR repository "` + repository + `" of account 444444444444 in ` +
			`eu-west-1: `
		if err == nil || !fault.IsUnavailable(err) || !strings.HasPrefix(err.Error(), looking) {
			t.Errorf("attempt %d: error %v", attempt, err)
		}
		got := 0
		for _, c := range f.aws.Calls() {
			if c.Operation == "UpdateService" {
				got++
			}
		}
		if got != updates || !strings.Contains(f.metrics.String(), `"Reconciled":1`) {
			t.Errorf("attempt %d: %d moves, want %d; metrics %s", attempt, got, updates, f.metrics.String())
		}
	}
}
