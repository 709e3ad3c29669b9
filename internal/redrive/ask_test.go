package redrive

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsdeploy"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestAsk checks what the answers of a person do, and what is not asked about.
func TestAsk(t *testing.T) {
	t.Parallel()
	events := []string{letters[3], letters[0], letters[1], letters[2]} // rejected, deployed, superseded, unchanged
	const declined = "kept: the answer was no"
	const rejected = "kept: event rejected rejected: because"
	for _, tt := range []struct {
		name    string
		answers []Answer
		want    []string
		left    int
	}{
		{"no, yes, no", []Answer{No, Yes, No}, []string{rejected, declined, "deleted: superseded", declined}, 3},
		{"all", []Answer{All}, []string{rejected, "deleted: deployed", "deleted: superseded", "deleted: unchanged"}, 1},
		{"yes, quit", []Answer{Yes, Quit}, []string{rejected, "deleted: deployed", declined}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, config := fill(t, events...)
			asked := 0
			got, err := redriveAll(t, config, all, Options{Ask: func(_ context.Context, preview Report) (Answer,
				error) {
				if preview.Result.Status == ecsdeploy.Deployed || preview.Err != nil {
					t.Errorf("asked after %+v", preview)
				}
				asked++
				return tt.answers[asked-1], nil
			}})
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil || len(e.Queue(queueARN)) != tt.left ||
				asked != len(tt.answers) {
				t.Errorf("%v after %d questions, %d left, want %d (-want +got):\n%s", err, asked,
					len(e.Queue(queueARN)),
					tt.left, diff)
			}
			if again := receiveAll(t, config); len(again) != tt.left {
				t.Errorf("%d messages are visible, want %d", len(again), tt.left)
			}
		})
	}
}

// TestAskSlowly answers after the time for which SQS hides a message: another receiver
// may run it meanwhile.
func TestAskSlowly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		wait time.Duration
		want string
	}{
		{"in time", visibilityTimeout * time.Second * 9 / 10, "deleted: deployed"},
		{"too late", visibilityTimeout * time.Second, "kept: the answer came after more than 2m30s, so another " +
			"redrive may have the message: run this one again: keeping a message hidden of queue \"" + queueURL +
			"\": " +
			"MessageNotInflight (another consumer received the message meanwhile, or it was deleted)"},
	} {
		clock := emulator.NewClock(time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC))
		e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now})
		e.PutMessage(queueARN, emulator.Message{Body: []byte(letters[0]), SenderID: eventBridge,
			Attributes: map[string]string{"RULE_ARN": rule, "TARGET_ARN": function}})
		var got string
		r := &run{pipeline: all, owner: owner{env: prod(t)}, now: clock.Now, Options: Options{Found: func(Item) {},
			Report: func(r Report) {
				if got = "deleted: " + string(r.Result.Status); r.Err != nil {
					got = "kept: " + r.Err.Error()
				}
			},
			Ask: func(context.Context, Report) (Answer, error) {
				clock.Advance(tt.wait)
				return Yes, nil
			}}}
		r.queue = &queue{sqs.NewFromConfig(accounts.Connect(url, accounts.Prod, accounts.Region).Config), queueURL}
		m, err := r.queue.receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.message(t.Context(), m); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v\nwant %s", tt.name, got, err, tt.want)
		}
	}
}
