package redrive

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsdeploy"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	queueURL = "https://sqs." + accounts.Region + ".amazonaws.com/" + accounts.Prod + "/failed"
	queueARN = "arn:aws:sqs:" + accounts.Region + ":" + accounts.Prod + ":failed"
)

// rolloutEvent is an event of ECS about the backend of prod, by its id.
const rolloutEvent = `{"id":%q,"detail-type":"ECS Deployment State ` +
	`Change","source":"aws.ecs","account":"333333333333",` +
	`"time":"2026-01-22T10:15:30Z","region":"us-east-1",` +
	`"resources":["arn:aws:ecs:us-east-1:333333333333:service/myproject_cluster_prod/myproject_service_prod"],` +
	`"detail":{"eventName":"SERVICE_DEPLOYMENT_FAILED","deploymentId":"ecs-svc/1"}}`

// deployEvent is a DEPLOY for the backend of prod, by its id.
const deployEvent = `{"id":%q,"detail-type":"DEPLOY","source":"action.production","time":"2026-01-22T09:00:00Z",` +
	`"detail":{"service":"backend","tag":"v1"}}`

// letters are the events of dead letters, in the order of the queue.
var letters = []string{
	fmt.Sprintf(deployEvent, "deployed"), fmt.Sprintf(deployEvent, "superseded"),
	fmt.Sprintf(deployEvent, "unchanged"), fmt.Sprintf(deployEvent, "rejected"),
	fmt.Sprintf(deployEvent, "ignored"), fmt.Sprintf(deployEvent, "failing"),
	fmt.Sprintf(rolloutEvent, "rollout"), fmt.Sprintf(rolloutEvent, "nothing-to-report"), `{}`,
}

// fill creates a queue with the events as dead letters, and returns its account.
func fill(t *testing.T, events ...string) (*emulator.Emulator, aws.Config) {
	t.Helper()
	e, url := emulatortest.Start(t, emulator.Options{})
	e.CreateQueue(accounts.Prod, accounts.Region, "failed")
	e.SetRolePolicy(accounts.Prod, "myproject_deployer_prod")
	for _, body := range events {
		e.PutMessage(queueARN, emulator.Message{Body: []byte(body), SenderID: eventBridge,
			Attributes: map[string]string{"RULE_ARN": rule, "TARGET_ARN": function}})
	}
	return e, accounts.Connect(url, accounts.Prod, accounts.Region).Config
}

// redriveAll runs the queue and returns a line for each report.
func redriveAll(t *testing.T, config aws.Config, p Pipeline, o Options) (lines []string, err error) {
	t.Helper()
	o.QueueURL = queueURL
	found := 0
	o.Found = func(Item) { found++ }
	o.Report = func(r Report) {
		switch {
		case r.Never():
			lines = append(lines, "never: "+r.Err.Error())
		case r.Err != nil:
			lines = append(lines, "kept: "+r.Err.Error())
		case r.Deleted:
			lines = append(lines, "deleted: "+string(r.Result.Status))
		default:
			lines = append(lines, string(r.Result.Status))
		}
	}
	err = Run(t.Context(), config, prod(t), p, o)
	if found < len(lines) {
		t.Errorf("%d messages were found before %d reports", found, len(lines))
	}
	return lines, err
}

// TestRun checks that what was carried out is deleted, and nothing else.
func TestRun(t *testing.T) {
	t.Parallel()
	kept := []string{"kept: an outage", "kept: event rejected rejected: because", "kept: event ignored ignored: " +
		"because",
		"never: " + ErrNoEvent.Error()}
	yes := func(context.Context, Report) (Answer, error) { return Yes, nil }
	for _, tt := range []struct {
		name string
		Options
		want []string // in any order
		left int
	}{
		{"all", Options{}, append([]string{"deleted: deployed", "deleted: superseded", "deleted: unchanged",
			"deleted: followed", "deleted: ignored"}, kept...), 4},
		{"all, after a question for each", Options{Ask: yes}, append([]string{"deleted: deployed", "deleted: " +
			"superseded",
			"deleted: unchanged", "deleted: followed", "deleted: ignored"}, kept...), 4},
		{"a dry run", Options{DryRun: true}, append([]string{"planned", "superseded", "unchanged", "ignored",
			"ignored"},
			kept...), 9},
		{"one", Options{MaxMessages: 1}, []string{"deleted: deployed"}, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, config := fill(t, letters...)
			got, err := redriveAll(t, config, all, tt.Options)
			slices.Sort(got)
			slices.Sort(tt.want)
			left := e.Queue(queueARN)
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil || len(left) != tt.left {
				t.Errorf("%v, %d messages left, want %d (-want +got):\n%s", err, len(left), tt.left, diff)
			}
			if again := receiveAll(t, config); len(again) != tt.left {
				t.Errorf("%d messages are visible, want %d", len(again), tt.left)
			}
		})
	}
}

// TestDiscard deletes messages by their ids, and runs nothing.
func TestDiscard(t *testing.T) {
	t.Parallel()
	e, config := fill(t, letters[0], letters[4], letters[8])
	id := map[string]string{}
	o := Options{QueueURL: queueURL, DryRun: true, Found: func(Item) {}}
	var all []string
	o.Report = func(r Report) { id[r.EventID] = r.MessageID; all = append(all, r.MessageID) }
	if err := Run(t.Context(), config, prod(t), results{}, o); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		dryRun  bool
		discard []string
		want    []string
		left    int
	}{
		{"a look", true, []string{id["ignored"]}, []string{id["ignored"] + " false"}, 3},
		{"one", false, []string{id["ignored"]}, []string{id["ignored"] + " true"}, 2},
		{"it is gone", false, []string{id["ignored"]}, nil, 2},
		{"of any form", false, all, []string{id["deployed"] + " true", id[""] + " true"}, 0},
	} {
		var got []string
		o := Options{QueueURL: queueURL, DryRun: tt.dryRun, Discard: tt.discard, Found: func(Item) {},
			Report: func(r Report) { got = append(got, fmt.Sprint(r.MessageID, " ", r.Deleted)) }}
		err := Run(t.Context(), config, prod(t), results{}, o)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil || len(e.Queue(queueARN)) != tt.left {
			t.Errorf("%s: %v, %d left (-want +got):\n%s", tt.name, err, len(e.Queue(queueARN)), diff)
		}
	}
}

// TestDiscardAsks deletes only what a person wants to delete.
func TestDiscardAsks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		answers []Answer
		want    []string
	}{
		{"no, yes", []Answer{No, Yes}, []string{"the answer was no", "deleted"}},
		{"all", []Answer{All}, []string{"deleted", "deleted"}},
		{"quit", []Answer{Quit}, []string{"the answer was no"}},
	} {
		e, config := fill(t, letters[0], letters[1])
		var got, ids []string
		look := Options{QueueURL: queueURL, DryRun: true, Found: func(Item) {},
			Report: func(r Report) { ids = append(ids, r.MessageID) }}
		if err := Run(t.Context(), config, prod(t), all, look); err != nil {
			t.Fatal(err)
		}
		o := Options{QueueURL: queueURL, Discard: ids, Found: func(Item) {}, Report: func(r Report) {
			if r.Deleted {
				got = append(got, "deleted")
			} else {
				got = append(got, fmt.Sprint(r.Err))
			}
		}}
		o.Ask = func(context.Context, Report) (answer Answer, err error) {
			answer, tt.answers = tt.answers[0], tt.answers[1:]
			return answer, nil
		}
		err := Run(t.Context(), config, prod(t), results{}, o)
		left := 2 - strings.Count(strings.Join(got, " "), "deleted")
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil || len(e.Queue(queueARN)) != left ||
			len(tt.answers) > 0 {
			t.Errorf("%s: %v, %d left (-want +got):\n%s", tt.name, err, len(e.Queue(queueARN)), diff)
		}
	}
}

// TestNever checks which messages can never be carried out, and that their events are not run.
func TestNever(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		never      bool
	}{
		{"an event", fmt.Sprintf(deployEvent, "deployed"), false},
		{"an outage", fmt.Sprintf(deployEvent, "failing"), false},
		{"an image that is missing", fmt.Sprintf(deployEvent, "rejected"), false},
		{"a malformed event", `{"id":"deployed","detail-type":"DEPLOY","source":"action.production",` +
			`"time":"2026-01-22T10:15:30Z","detail":{"service":"backend","tag":"git-"}}`, true},
		{"an unknown service", strings.Replace(fmt.Sprintf(deployEvent, "deployed"), "backend", "web", 1), true},
		{"another environment's event", strings.Replace(fmt.Sprintf(deployEvent, "deployed"), "production", "dev", 1),
			true},
		{"no event", `{}`, true},
		{"no JSON", `nope`, true},
		{"a kept event without event", `{"kind":"deployer.kept-event","schema":1,"function":"` + function +
			`","detail":{}}`, true},
		{"a kept event of a later version", `{"kind":"deployer.kept-event","schema":2}`, false},
		{"an outcome of an earlier version", `{"id":"o","detail-type":"Deployment Failed","source":"deployer",` +
			`"detail":{"event":` + fmt.Sprintf(deployEvent, "deployed") + `}}`, true},
	} {
		_, config := fill(t, tt.body)
		var got *Report
		o := Options{QueueURL: queueURL, Found: func(Item) {}, Report: func(r Report) { got = &r }}
		// Only its preview says why it is not run.
		p := preview{all, tt.never}
		if err := Run(t.Context(), config, prod(t), p, o); err != nil || got == nil || got.Never() != tt.never {
			t.Errorf("%s: %+v, %v, want never %t", tt.name, got, err, tt.never)
		}
	}
}

// TestOneOfSeveralFailed keeps the message of an event that failed for one service, whatever the others say.
func TestOneOfSeveralFailed(t *testing.T) {
	t.Parallel()
	yes := func(context.Context, Report) (Answer, error) { return Yes, nil }
	for _, status := range []ecsdeploy.Status{ecsdeploy.Deployed, ecsdeploy.Unchanged, ecsdeploy.Superseded} {
		e, config := fill(t, letters[0])
		got, err := redriveAll(t, config, several{status}, Options{Ask: yes})
		want := []string{"never: event e ignored for api: it failed"}
		if diff := cmp.Diff(want, got); diff != "" || err != nil || len(e.Queue(queueARN)) != 1 {
			t.Errorf("%s: %v (-want +got):\n%s", status, err, diff)
		}
	}
}

// TestItem checks what people see of messages before they are run.
func TestItem(t *testing.T) {
	t.Parallel()
	at := time.Now().UTC().Add(-3 * time.Hour).Format(time.RFC3339)
	old := "2014-01-01T00:00:00Z"
	event := `{"id":"e1","detail-type":%q,"source":"action.prod","time":%q,"detail":%s}`
	_, config := fill(t, fmt.Sprintf(event, "DEPLOY", at, `{"service":"backend","tag":"v1","actor":"ada"}`),
		fmt.Sprintf(event, "DEPLOY", at, `{"service":"backend","action":"rollback"}`),
		fmt.Sprintf(event, "DEPLOY", at, `{"service":"backend","action":"redeploy"}`),
		fmt.Sprintf(event, "DEPLOY", old, `{"service":"\u001b[2J","tag":["x"]}`), fmt.Sprintf(rolloutEvent, "e2"),
		`{"id":"e3","detail-type":"ECR Image Action","source":"aws.ecr","detail":{"action-type":"PUSH",`+
			`"repository-name":"myproject_service_worker","image-tag":"v9"}}`, `nope`)
	var got []Item
	err := Run(t.Context(), config, prod(t), all, Options{QueueURL: queueURL, DryRun: true, Report: func(Report) {},
		Found: func(i Item) {
			if i.SentAt.IsZero() {
				t.Errorf("%s has no time", i.MessageID)
			}
			i.MessageID, i.SentAt = "", time.Time{}
			i.Age = i.Age.Truncate(time.Hour)
			got = append(got, i)
		}})
	want := []Item{
		{Form: DeadLetter, EventID: "e1", Asks: "DEPLOY", Service: "backend", Tag: "v1", Actor: "ada",
			Age: 3 * time.Hour},
		{Form: DeadLetter, EventID: "e1", Asks: "rollback", Service: "backend", Age: 3 * time.Hour},
		{Form: DeadLetter, EventID: "e1", Asks: "redeploy", Service: "backend", Age: 3 * time.Hour},
		{Form: DeadLetter, EventID: "e1", Asks: "DEPLOY", Service: "\x1b[2J"},
		{Form: DeadLetter, EventID: "e2", Asks: "ECS Deployment State Change", Service: "backend"},
		{Form: DeadLetter, EventID: "e3", Asks: "ECR Image Action", Service: "myproject_service_worker", Tag: "v9"},
		{Form: unknownForm},
	}
	if len(got) == len(want) {
		want[4].Age = got[4].Age // since January 2026
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// receiveAll returns the ids of the messages that can be received now.
func receiveAll(t *testing.T, config aws.Config) []string {
	t.Helper()
	ids := map[string]bool{}
	for range 10 {
		out, err := sqs.NewFromConfig(config).ReceiveMessage(t.Context(),
			&sqs.ReceiveMessageInput{QueueUrl: aws.String(queueURL), MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Messages {
			ids[aws.ToString(m.MessageId)] = true
		}
	}
	return slices.Collect(maps.Keys(ids))
}
