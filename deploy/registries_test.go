package deploy_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// neighbours are projects of one account, of which each has a registry. The name of one begins with that of the other.
// Their repositories are read by different accounts.
var neighbours = []struct{ project, reader string }{{"shop", staging}, {"shop_admin", prod}}

// TestRegistriesOfOneAccount creates the registries and the deployers of two projects in one account: each has its
// repositories and its readers, and a push deploys to the project that it is for.
func TestRegistriesOfOneAccount(t *testing.T) {
	t.Parallel()
	e, url := emulatortest.Start(t, emulator.Options{})
	deployed := &decisions{}
	for _, p := range neighbours {
		env := environmentOf(t, p.project, "dev")
		more := []string{"ReaderAccountIds=" + p.reader}
		if err := e.LoadTemplate(dev, region, registry(t, env, false, more...)); err != nil {
			t.Fatal(err)
		}
		template, err := cloud.Template("..", env)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.LoadTemplate(dev, region, template); err != nil {
			t.Fatal(err)
		}
		function, _ := template.Function("DeployerFunction")
		e.HandleLambda(function.ARN, deployed.of(env))
	}
	owner := accounts.Connect(url, dev, region)
	for _, p := range neighbours {
		for _, repository := range []string{p.project + "_backend", p.project + "_service_api"} {
			if _, err := owner.Push(t.Context(), repository, "v1", "latest"); err != nil {
				t.Fatal(err)
			}
			if err := e.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			workload := map[bool]string{true: "backend", false: "api"}[strings.HasSuffix(repository, "_backend")]
			if diff := cmp.Diff([]string{p.project + " " + workload}, deployed.take()); diff != "" {
				t.Errorf("a push to %s deployed (-want +got):\n%s", repository, diff)
			}
			if got := readersOf(t, url, repository); !slices.Equal(got, []string{dev, p.reader}) {
				t.Errorf("%v may read %s, want %s and its own account", got, repository, p.reader)
			}
			for _, other := range neighbours {
				function := owner.As(other.project + "_deployer_dev").ECR
				if got, want := mayRead(t, function, repository), other == p; got != want {
					t.Errorf("the function of %s may read %s: %v, want %v", other.project, repository, got, want)
				}
			}
		}
	}
	// A second environment of the project uses the registry of the first.
	err := e.LoadTemplate(dev, region, registry(t, environmentOf(t, "shop", "staging"), false))
	const want = "shop_backend already exists in stack arn:aws:cloudformation:us-east-1:111111111111:stack/" +
		"shop-registry-dev"
	if err == nil || err.Error() != want {
		t.Errorf("the registry's second stack: %v, want %s", err, want)
	}
}

// environmentOf returns an environment of a project in dev's account.
func environmentOf(t *testing.T, project, name string) *environment.Environment {
	t.Helper()
	env, err := environment.Parse(name+".yaml", fmt.Appendf(nil, "project: %s\nenv: %s\nregion: %s\naccount_id: %q\n"+
		"ecr_strategy: local\nservices: [{name: api}]\n", project, name, region, dev))
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// decisions are the workloads that functions decided to deploy.
type decisions struct {
	mu  sync.Mutex
	all []string
}

// of returns the function of an environment, which decides and deploys nothing.
func (d *decisions) of(env *environment.Environment) func(context.Context, []byte) error {
	return func(_ context.Context, raw []byte) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, request := range event.Read(raw, env, time.Now()).Requests {
			d.all = append(d.all, env.Project+" "+request.Workload.Name)
		}
		return nil
	}
}

func (d *decisions) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.all
	d.all = nil
	return all
}

// readersOf returns the accounts that may read a repository of dev.
func readersOf(t *testing.T, url, repository string) (allowed []string) {
	t.Helper()
	for _, account := range []string{dev, staging, prod} {
		if mayRead(t, accounts.Connect(url, account, region).ECR, repository) {
			allowed = append(allowed, account)
		}
	}
	return allowed
}

// mayRead reports whether a caller may read the image latest of a repository of dev.
func mayRead(t *testing.T, client *ecr.Client, repository string) bool {
	t.Helper()
	_, err := client.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RegistryId: aws.String(dev),
		RepositoryName: aws.String(repository), ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("latest")}}})
	if err != nil && !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("reading %s: %v", repository, err)
	}
	return err == nil
}
