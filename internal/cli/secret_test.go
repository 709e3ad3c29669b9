package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// plantedSecret is what no command may print.
const plantedSecret = "s3cr3t-planted"

// secretContainer are the members of a container that may hold a secret, in a task definition of a service or a task.
const secretContainer = `"environment":[{"name":"PASSWORD","value":"s3cr3t-planted"},
	{"name":"URL","value":"https://user:s3cr3t-planted@db.example.com/x"}],
	"command":["serve","--token","s3cr3t-planted"],"entryPoint":["sh","-c","export T=s3cr3t-planted"],
	"dockerLabels":{"token":"s3cr3t-planted"},"healthCheck":{"command":["CMD","curl","-u","a:s3cr3t-planted"]},
	"logConfiguration":{"logDriver":"splunk","options":{"splunk-token":"s3cr3t-planted"}},
	"firelensConfiguration":{"type":"fluentbit","options":{"token":"s3cr3t-planted"}}`

// secretDefinition are those of the task definition itself.
const secretDefinition = `"volumes":[{"name":"v","dockerVolumeConfiguration":{"driver":"cifs",
	"driverOpts":{"password":"s3cr3t-planted"},"labels":{"token":"s3cr3t-planted"}}}]`

// TestNothingSecretIsPrinted plants a secret wherever a task definition may hold one, in the newest revisions of a
// service and of a task, and in the webhook of the file. Then it deploys, rolls back and runs them, and does every
// other command, as text and with --json: neither the output nor a file that is written has the secret.
func TestNothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	e, url := emulatortest.Start(t, emulator.Options{RolloutStep: time.Nanosecond})
	byName, err := cloud.CentralizedDev(t.Context(), url)
	must(t, err)
	must(t, cloud.CreateTasks(t.Context(), byName))
	must(t, cloud.InstallStacks(t.Context(), "../..", e, byName))
	_, err = byName["dev"].Push(t.Context(), "myproject_backend", "two", "v2")
	must(t, err)
	_, err = byName["dev"].Push(t.Context(), "myproject_task_nightly-report", "two", "v2")
	must(t, err)
	send := func(operation, body string) {
		t.Helper()
		_, err := byName["prod"].Send(t.Context(), "POST", "ecs", "",
			"AmazonEC2ContainerServiceV20141113."+operation, body)
		must(t, err)
	}
	for family, image := range map[string]string{"myproject_service_prod": "myproject_backend",
		"nightly-report": "myproject_task_nightly-report"} {
		send("RegisterTaskDefinition", fmt.Sprintf(`{"family":%q,"networkMode":"awsvpc","cpu":"256","memory":"512",
			"requiresCompatibilities":["FARGATE"],"executionRoleArn":"arn:aws:iam::333333333333:role/`+
			`myproject_backend_task_execution_prod","containerDefinitions":[{"name":"c","image":`+
			`"111111111111.dkr.ecr.us-east-1.amazonaws.com/%s:v1",%s}],%s}`, family, image, secretContainer,
			secretDefinition))
	}
	send("UpdateService", `{"cluster":"myproject_cluster_prod","service":"myproject_service_prod",
		"taskDefinition":"myproject_service_prod"}`)

	dir := projectDirectory(t)
	prod := filepath.Join(dir, "prod.yaml")
	text, err := os.ReadFile(prod)
	must(t, err)
	must(t, os.WriteFile(prod, append(text, "\nworkload:\n  slack_webhook: https://hooks.slack.com/services/T0/B0/"+
		plantedSecret+"\n"...), 0o644))
	r := runner{url}
	check := func(args []string) {
		t.Helper()
		stdout, stderr, _ := r.run(t, dir, accounts.Prod, args)
		for line := range strings.Lines(stdout + stderr) {
			if strings.Contains(line, plantedSecret) {
				t.Errorf("%v prints the secret: %s", args, line)
			}
		}
	}
	for _, line := range []string{"deploy -f prod.yaml backend v2 --dry-run", "deploy -f prod.yaml backend v2",
		"wait -f prod.yaml backend", "deploy -f prod.yaml task:nightly-report v2",
		"run -f prod.yaml task:nightly-report", "run -f prod.yaml task:nightly-report --follow",
		"diff -f prod.yaml backend v1", "diff -f prod.yaml task:nightly-report v1", "rollback -f prod.yaml backend",
		"redeploy -f prod.yaml backend", "status -f prod.yaml", "history -f prod.yaml backend",
		"history -f prod.yaml task:nightly-report", "doctor -f prod.yaml", "deploy -f prod.yaml backend v9",
		"params -f prod.yaml", "policy operator -f prod.yaml"} {
		check(strings.Fields(line))
		check(append(strings.Fields(line), "--json"))
	}
	for _, cmd := range (&app{}).root().Commands() {
		args := withFile(cmd, "prod.yaml", usual[cmd.Name()])
		check(args)
		check(append(args, "--json"))
	}
	must(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || path == prod || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), plantedSecret) {
			t.Errorf("%s has the secret", path)
		}
		return err
	}))
	if _, err := os.Stat(filepath.Join(dir, "page.html")); err != nil {
		t.Error(err)
	}
}

// TestRunHidesSignatures checks that how a task ended is shown without what presigned URLs are signed with.
func TestRunHidesSignatures(t *testing.T) {
	t.Parallel()
	reason := aws.String(`CannotPullContainerError: Get "https://b.s3.amazonaws.com/l?X-Amz-Signature=` +
		plantedSecret + `": i/o timeout`)
	var r ranTask
	r.setEnd(types.Task{StoppedReason: reason,
		Containers: []types.Container{{Name: aws.String("app"), Reason: reason}}})
	const want = `CannotPullContainerError: Get "https://b.s3.amazonaws.com/l?…": i/o timeout`
	if r.StoppedReason != want || len(r.Containers) != 1 || r.Containers[0].Reason != want {
		t.Errorf("%+v", r)
	}
}
