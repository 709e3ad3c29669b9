package cli

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
)

// TestSendFollowNeverArrived sends an event that a disabled rule drops: the command says so
// while it waits, and at its end.
func TestSendFollowNeverArrived(t *testing.T) {
	t.Parallel()
	s, _ := newCloud(t)
	for _, repository := range []string{"backend", "service_worker"} {
		_, err := s.Accounts["dev"].Push(t.Context(), "myproject_"+repository, repository, "v2")
		must(t, err)
	}
	const rule = "myproject_deployer_deploy_prod"
	_, err := eventbridge.NewFromConfig(s.Accounts["prod"].Config).DisableRule(t.Context(),
		&eventbridge.DisableRuleInput{Name: aws.String(rule)})
	must(t, err)
	stdout, stderr, exit := run(t, s, accounts.Prod, "send", "-f", "prod.yaml", "backend", "v2")
	if want := "deployer: warning: rule " + rule + " is DISABLED on the default bus of account 333333333333 in " +
		"us-east-1: nothing will take this event\ndeployer: hint: deployer doctor -f prod.yaml\n"; exit != 0 ||
		len(stdout) != 37 || stderr != want {
		t.Errorf("without --follow: exit %d, %s\n%s", exit, stdout, stderr)
	}
	const why = "ule " + rule + " is DISABLED, and what it misses is not delivered later: enable it, and send the " +
		"event again\ndeployer: hint: aws events enable-rule --region us-east-1 --name " + rule + "\n"
	stdout, stderr, exit = run(t, s, accounts.Prod, "send", "-f", "prod.yaml", "backend,worker", "v2", "--follow",
		"--timeout", "4s")
	id := strings.TrimSpace(stdout)
	early := "deployer: the function's log has nothing of the event yet, after 2s; waiting for 2s more, because " +
		"Lambda may be throttled. R" + why
	end := `deployer: error: after 4s the function's log has nothing of event "` + id + "\": what to check is above\n"
	if exit != exitNotEnded || strings.Count(stderr, early) != 1 || strings.Count(stderr, end) != 1 ||
		!strings.HasSuffix(stderr, end) || strings.Count(stderr, "is DISABLED") != 1 {
		t.Errorf("exit %d, stderr:\n%s", exit, stderr)
	}
	end = `deployer: error: the function's log has nothing of event "` + id + `": the event never reached it, or it ` +
		`is older: r` + why
	_, stderr, exit = run(t, s, accounts.Prod, "events", "-f", "prod.yaml", id)
	if exit != 1 || !strings.Contains(stderr, end) {
		t.Errorf("events: exit %d, stderr:\n%s", exit, stderr)
	}

	// Without permission to look at the rule, everything that may be the cause is named.
	s.AWS.Inject(emulator.Fault{Operation: "events:DescribeRule",
		Error: emulator.AccessDenied("User: u is not authorized to perform: events:DescribeRule")})
	_, stderr, exit = run(t, s, accounts.Prod, "send", "-f", "prod.yaml", "backend", "v2", "--follow",
		"--timeout", "2s")
	for _, want := range []string{
		"The rule may be disabled or not match, or the event did not come to the default bus of account 333333333333 " +
			"in us-east-1: a DEPLOY event needs rule " + rule + ", detail-type DEPLOY, source action.prod or " +
			"action.production, and no project or project myproject (deployer explain says it of the event). " +
			"What could not be delivered waits in https://sqs.us-east-1.",
		"/myproject_deployer_undelivered_prod\ndeployer: hint: deployer doctor -f prod.yaml\n",
	} {
		if !strings.Contains(stderr, want) || exit != exitNotEnded {
			t.Errorf("exit %d, not in stderr: %s\n%s", exit, want, stderr)
		}
	}
}

// TestEventsOfPush pushes images with a tag that does not deploy: `deployer events SERVICE`
// shows those of the service's repository, with tag and reason, and no others.
func TestEventsOfPush(t *testing.T) {
	t.Parallel()
	s, _ := newCloud(t, "dev")
	for _, repository := range []string{"backend", "service_worker", "service_other"} {
		_, err := s.Accounts["dev"].Push(t.Context(), "myproject_"+repository, repository, "v9-"+repository)
		must(t, err)
	}
	row := func(service, repository string) string {
		return `(?m)^\d+ s ago +\S+ +` + service + ` +v9-` + repository + ` +ignored +`
	}
	want := regexp.MustCompile(row("backend", "backend") +
		`myproject_backend: tag "v9-backend" does not deploy dev: auto_deploy has only latest$`)
	var stdout, stderr string
	for end := time.Now().Add(time.Minute); !want.MatchString(stdout); {
		if time.Now().After(end) {
			t.Fatalf("stdout:\n%s\nstderr:\n%s", stdout, stderr)
		}
		stdout, stderr, _ = run(t, s, accounts.Dev, "events", "-f", "dev.yaml", "backend", "--wide")
	}
	if strings.Contains(stdout, "worker") || strings.Contains(stdout, "other") {
		t.Errorf("of the backend:\n%s", stdout)
	}
}
