package redrive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsdeploy"
	"deployer/internal/fault"
	"deployer/internal/pipeline"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// results is a pipeline whose result of each event is known, by the event's id.
type results map[string]ecsdeploy.Status

func (r results) Handle(_ context.Context, raw json.RawMessage) (pipeline.Result, error) {
	var e struct{ ID string }
	if err := json.Unmarshal(raw, &e); err != nil {
		return pipeline.Result{}, err
	}
	if r[e.ID] == "" {
		return pipeline.Result{}, errors.New("an outage")
	}
	return pipeline.Result{EventID: e.ID, Status: r[e.ID], Reason: "because"}, nil
}

func (r results) Preview(ctx context.Context, raw json.RawMessage) (pipeline.Result, error) {
	result, err := r.Handle(ctx, raw)
	if result.Status == ecsdeploy.Deployed {
		result.Status = ecsdeploy.Planned
	}
	return result, err
}

const queueURL = "https://sqs." + accounts.Region + ".amazonaws.com/" + accounts.Prod + "/failed"

// fill creates a queue with a message of each kind, and returns its account.
func fill(t *testing.T) (*emulator.Emulator, aws.Config) {
	t.Helper()
	e, url := emulatortest.Start(t, emulator.Options{})
	e.CreateQueue(accounts.Prod, accounts.Region, "failed")
	config := accounts.Connect(url, accounts.Prod, accounts.Region).Config
	for _, body := range []string{
		`{"id":"deployed","detail-type":"DEPLOY"}`, `{"id":"superseded","detail-type":"DEPLOY"}`,
		`{"id":"rejected","detail-type":"DEPLOY"}`, `{"id":"failing","detail-type":"DEPLOY"}`, `{}`,
	} {
		in := &sqs.SendMessageInput{QueueUrl: aws.String(queueURL), MessageBody: aws.String(body)}
		if _, err := sqs.NewFromConfig(config).SendMessage(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	return e, config
}

func TestRun(t *testing.T) {
	t.Parallel()
	p := results{"deployed": ecsdeploy.Deployed, "superseded": ecsdeploy.Superseded, "rejected": ecsdeploy.Rejected}
	kept := []string{"kept: an outage", "kept: event rejected rejected: because", "kept: " + ErrNoEvent.Error()}
	for _, tt := range []struct {
		name   string
		max    int
		dryRun bool
		want   []string // in any order
		left   int
	}{
		{"all", 0, false, append([]string{"deleted: deployed", "deleted: superseded"}, kept...), 3},
		{"a dry run", 0, true, append([]string{"planned", "superseded"}, kept...), 5},
		{"one", 1, false, []string{"deleted: deployed"}, 4},
	} {
		e, config := fill(t)
		var got []string
		err := Run(t.Context(), config, queueURL, p, tt.max, tt.dryRun, func(r Report) {
			switch {
			case r.Err != nil:
				got = append(got, "kept: "+r.Err.Error())
			case r.Deleted:
				got = append(got, "deleted: "+string(r.Result.Status))
			default:
				got = append(got, string(r.Result.Status))
			}
		})
		slices.Sort(got)
		slices.Sort(tt.want)
		left := e.Queue("arn:aws:sqs:" + accounts.Region + ":" + accounts.Prod + ":failed")
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil || len(left) != tt.left {
			t.Errorf("%s: %v, %d messages left, want %d (-want +got):\n%s", tt.name, err, len(left), tt.left, diff)
		}
		if again := receiveAll(t, config); len(again) != tt.left {
			t.Errorf("%s: %d messages are visible, want %d", tt.name, len(again), tt.left)
		}
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

// TestRunDeniedByOrganization checks that AWS's message is believed about the policy.
func TestRunDeniedByOrganization(t *testing.T) {
	t.Parallel()
	e, config := fill(t)
	e.Inject(emulator.Fault{Operation: "sqs:ReceiveMessage", Error: emulator.AccessDenied("User: " +
		"arn:aws:iam::333333333333:user/ada is not authorized to perform: sqs:ReceiveMessage on resource: " +
		"arn:aws:sqs:us-east-1:333333333333:q with an explicit deny in a service control policy")})
	err := Run(t.Context(), config, queueURL, results{"deployed": ecsdeploy.Deployed}, 0, false, func(Report) {})
	if err == nil || !strings.Contains(err.Error(), "(an Allow elsewhere does not help: in the organization's "+
		"management account, in the service control policy, exclude arn:aws:iam::333333333333:user/ada from the Deny") {
		t.Error(err)
	}
}

func TestRunDenied(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"ReceiveMessage", "DeleteMessage"} {
		e, config := fill(t)
		e.Inject(emulator.Fault{Operation: "sqs:" + operation, Error: emulator.AccessDenied("no")})
		err := Run(t.Context(), config, queueURL, results{"deployed": ecsdeploy.Deployed}, 0, false, func(Report) {})
		want := fmt.Sprintf(`of queue %q: `, queueURL)
		if !errors.Is(err, fault.ErrAccessDenied) || !strings.Contains(err.Error(), want) ||
			!strings.HasSuffix(err.Error(), "(allow sqs:"+operation+" on the queue)") {
			t.Errorf("%s: %v", operation, err)
		}
	}
}
