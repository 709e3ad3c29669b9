package doctor

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/internal/environment"
	"deployer/internal/iam"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// fixture is the pattern of a centralized dev registry on emulated AWS, without problems.
type fixture struct {
	aws      *emulator.Emulator
	accounts map[string]*accounts.Account
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	x := &fixture{}
	var url string
	x.aws, url = emulatortest.Start(t, emulator.Options{RolloutStep: time.Nanosecond})
	var err error
	x.accounts, err = cloud.CentralizedDev(t.Context(), url)
	must(t, err)
	must(t, cloud.InstallStacks(t.Context(), "../..", x.aws, x.accounts))
	return x
}

func load(t *testing.T, env string) *environment.Environment {
	t.Helper()
	e, err := environment.Load("../../examples/centralized-dev-ecr/" + env + ".yaml")
	must(t, err)
	e.File = env + ".yaml"
	return e
}

// allow sets the policy of a role to these statements.
func (x *fixture) allow(t *testing.T, account, role, statements string) {
	t.Helper()
	document, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + statements + `]}`))
	must(t, err)
	x.aws.SetRolePolicy(account, role, document)
}

// code returns the code of dev's function, with the environment file of the examples.
func (x *fixture) code(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../examples/centralized-dev-ecr/dev.yaml")
	must(t, err)
	code, err := cloud.Code(map[string][]byte{"environment.yaml": text})
	must(t, err)
	return code
}

// repositoryPolicy sets the policy of dev's backend repository to one statement.
func (x *fixture) repositoryPolicy(t *testing.T, statement string) {
	t.Helper()
	_, err := x.accounts["dev"].ECR.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{
		RepositoryName: aws.String("myproject_backend"),
		PolicyText:     aws.String(`{"Version":"2012-10-17","Statement":[` + statement + `]}`)})
	must(t, err)
}

// lifecycle sets the lifecycle policy of dev's backend repository.
func (x *fixture) lifecycle(t *testing.T, text string) {
	t.Helper()
	_, err := x.accounts["dev"].ECR.PutLifecyclePolicy(t.Context(),
		&ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("myproject_backend"),
			LifecyclePolicyText: aws.String(text)})
	must(t, err)
}

// scanOnPush returns a damage that turns the repository's own scan on push on or off.
func scanOnPush(on bool) func(t *testing.T, x *fixture) {
	return func(t *testing.T, x *fixture) {
		t.Helper()
		_, err := x.accounts["dev"].ECR.PutImageScanningConfiguration(t.Context(),
			&ecr.PutImageScanningConfigurationInput{RepositoryName: aws.String("myproject_backend"),
				ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: on}})
		must(t, err)
	}
}

// registryScanning gives dev's registry enhanced scanning, of the repositories that a filter matches.
func (x *fixture) registryScanning(t *testing.T, frequency types.ScanFrequency, filter string) {
	t.Helper()
	rule := types.RegistryScanningRule{ScanFrequency: frequency, RepositoryFilters: []types.ScanningRepositoryFilter{
		{Filter: aws.String(filter), FilterType: types.ScanningRepositoryFilterTypeWildcard}}}
	_, err := x.accounts["dev"].ECR.PutRegistryScanningConfiguration(t.Context(),
		&ecr.PutRegistryScanningConfigurationInput{ScanType: types.ScanTypeEnhanced,
			Rules: []types.RegistryScanningRule{rule}})
	must(t, err)
}

// recreate deletes dev's backend service and creates it again, with a change.
func (x *fixture) recreate(t *testing.T, change func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput)) {
	t.Helper()
	dev := x.accounts["dev"]
	_, err := dev.ECS.DeleteService(t.Context(), &ecs.DeleteServiceInput{Cluster: aws.String("myproject_cluster_dev"),
		Service: aws.String("myproject_service_dev"), Force: aws.Bool(true)})
	must(t, err)
	role := "arn:aws:iam::111111111111:role/myproject_backend_task_execution_dev"
	_, err = dev.Service(t.Context(), "myproject_cluster_dev", "myproject_service_dev",
		"111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:v1",
		func(in *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) { in.ExecutionRoleArn = &role }, change)
	must(t, err)
}

// examine checks an environment's backend with the access key id key, by default the
// administrator's.
func (x *fixture) examine(t *testing.T, env *environment.Environment, key string) *Report {
	t.Helper()
	config := x.accounts[env.Name].With(func(c *aws.Config) {
		c.RetryMaxAttempts = 1
		if key != "" {
			c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: key, SecretAccessKey: "any"}, nil
			})
		}
	}).Config
	report, err := Examine(t.Context(), env, config, []string{"backend"})
	must(t, err)
	return report
}

// lines returns the findings of a report, except those of a level.
func (r *Report) lines(but Level) (all []string) {
	for _, f := range r.Findings {
		if f.Level == but {
			continue
		}
		line := fmt.Sprintf("%s %s: %s", f.Level, f.Check, f.Seen)
		if f.Fix != "" {
			line += " → " + f.Fix
		}
		all = append(all, line)
	}
	return all
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// arrow returns a hint in brackets as lines shows it.
func arrow(hint string) string {
	return " → " + strings.TrimSuffix(strings.TrimPrefix(hint, " ("), ")")
}

// schedule returns the schedule of the task, with a task definition and further members of it and of its target.
func schedule(definition, more, ofTarget string) string {
	return fmt.Sprintf(`{"GroupName":"jobs","FlexibleTimeWindow":{"Mode":"OFF"},%s"Target":{"Arn":%q,"RoleArn":"r",`+
		`"EcsParameters":{"TaskDefinitionArn":%q}%s}}`, more, pointerCluster, definition, ofTarget)
}
