package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"deployer/internal/shell"
	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// newTag is the tag of the image that can be deployed, and crashTag that of the one that crashes.
const (
	newTag   = "git-abc123f"
	crashTag = "git-bad0bad"
)

// instructions say how to try the environment.
type instructions struct {
	url string // of emulated AWS
	dir string // where the files are
	bin string // where the command line is
}

// A trial is something to try: what it shows, the commands to paste, and why some do not end with 0; "" if all do.
type trial struct {
	title    string
	commands []trialCommand
	note     string
}

// A trialCommand is a command with the exit code that it ends with.
type trialCommand struct {
	line string
	exit int
}

// image is the shell's word for the manifest in a file, as one that no repository has yet.
func image(file string) string { return `"$(sed "s/NUMBER/$(date +%s)/" ` + file + `)"` }

// trials are the things to try, in any order.
var trials = []trial{{
	"A push. CI pushes a new backend to dev's registry as latest. Dev and staging deploy it, prod does not.",
	[]trialCommand{
		{"aws --profile dev ecr put-image --repository-name " + backendRepository +
			" --image-tag latest --query image.imageId --image-manifest " + image(imageFile), 0},
		{"deployer wait -e dev backend", 0},
		{"deployer status -e all", 0},
	}, "",
}, {
	"A DEPLOY event. It deploys an image to prod.",
	[]trialCommand{
		{"aws --profile prod events put-events --entries 'Source=action.production,DetailType=DEPLOY," +
			`Detail="{\"service\":\"backend\",\"tag\":\"` + newTag + `\"}"'`, 0},
		{"aws --profile prod ecs describe-services --cluster " + cloud.ClusterName("prod") + " --services " +
			cloud.ServiceName("backend", "prod") +
			" --query 'services[0].deployments[].[status,rolloutState,taskDefinition]' --output text", 0},
		{"deployer wait -e prod backend", 0},
	}, "",
}, {
	"A crashing image. Its program exits with 1, and ECS rolls it back. Look up why.",
	[]trialCommand{
		{"aws --profile dev ecr put-image --repository-name " + workerRepository + " --image-tag " + crashTag +
			" --query image.imageId --image-manifest " + image(crashFile), 0},
		{"deployer send -e prod worker " + crashTag + " --follow", 4},
		{"deployer history -e prod worker", 0},
	}, "send ends with 4: the rollout failed.",
}, {
	"A denied role. The deployer in prod may not read images: its event fails. When it may, the event is run again.",
	[]trialCommand{
		{"aws --profile prod iam put-role-policy --role-name " + deployerRole +
			" --policy-name rehearsal --policy-document file://" + denyFile, 0},
		{"deployer send -e prod backend " + newTag + " --follow", 6},
		{"deployer doctor -e prod --quiet", 1},
		{"aws --profile prod iam delete-role-policy --role-name " + deployerRole + " --policy-name rehearsal", 0},
		{"deployer redrive -e prod --yes", 1}, // the event of the crashing image stays
	}, "send ends with 6: AWS denied a call. doctor ends with 1: it found problems. redrive ends with 1 after 3: the " +
		"message of\n  the crashing image stays in the queue, and redrive prints the command that discards it.",
}, {
	"A rollback, of the backend in prod to the revision before the DEPLOY event.",
	[]trialCommand{
		{"deployer rollback -e prod backend --to 1 --follow", 0},
		{"deployer history -e prod backend", 0},
	}, "",
}}

// lookAround are further commands. The last one runs until it is interrupted.
var lookAround = []string{
	"deployer events -e prod",
	"deployer run -e dev nightly-report --follow",
	"deployer dashboard -e all",
}

const (
	workerRepository = cloud.Project + "_service_worker"
	deployerRole     = cloud.Project + "_deployer_prod"
)

// setUp are the commands with which a terminal is set up for the trials. The person's own credentials are put aside,
// and the aws command prints without a pager.
func (i instructions) setUp() []string {
	return []string{
		"cd " + shell.Quote(i.dir),
		"unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
		"export AWS_ENDPOINT_URL=" + i.url + ` AWS_CONFIG_FILE="$PWD/` + profilesFile +
			`" AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_PAGER=`,
		"export PATH=" + shell.Quote(i.bin) + `:"$PATH"`,
	}
}

// keys are the commands with which a terminal is set up for an environment without a profile.
func (i instructions) keys(account string) string {
	return fmt.Sprintf("export AWS_ENDPOINT_URL=%s AWS_DEFAULT_REGION=%s AWS_ACCESS_KEY_ID=%s "+
		"AWS_SECRET_ACCESS_KEY=any", i.url, accounts.Region, account)
}

// text returns the instructions.
func (i instructions) text() string {
	var b strings.Builder
	block := func(title string, lines []string) {
		fmt.Fprintf(&b, "\n%s\n\n", title)
		for _, line := range lines {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	fmt.Fprintf(&b, "\nEmulated AWS is at %s: one project in three accounts, dev, staging and prod.\n", i.url)
	block("Set up another terminal (the aws command has to be 1.29, 2.13 or newer):", i.setUp())
	for n, t := range trials {
		var lines []string
		for _, c := range t.commands {
			lines = append(lines, c.line)
		}
		block(fmt.Sprintf("%d. %s", n+1, t.title), lines)
		if t.note != "" {
			fmt.Fprintf(&b, "\n  %s\n", t.note)
		}
	}
	block("Look around:", lookAround)
	for _, e := range cloud.Environments {
		block("The keys of "+e.Name+", for tools without profiles:", []string{i.keys(e.Account)})
	}
	fmt.Fprintf(&b, "\nThe functions' logs are in %s.\nEnter prints this again, Ctrl-C stops. Decisions follow.\n\n",
		filepath.Join(i.dir, logFile))
	return b.String()
}
