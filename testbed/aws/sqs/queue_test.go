package sqs_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestQueues sends, receives, hides and deletes messages.
func TestQueues(t *testing.T) {
	t.Parallel()
	clock := emulator.NewClock(time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC))
	e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now})
	client := sqs.NewFromConfig(accounts.Connect(url, "111111111111", "us-east-1").Config)
	ctx, queue := t.Context(), aws.String("https://sqs.us-east-1.amazonaws.com/111111111111/jobs")
	receive := func() []types.Message {
		t.Helper()
		out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, MaxNumberOfMessages: 10,
			VisibilityTimeout: 60, MessageAttributeNames: []string{"All"}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Messages
	}
	for _, body := range []string{"one", "two"} {
		if _, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String(body),
			MessageAttributes: map[string]types.MessageAttributeValue{"ERROR_CODE": {DataType: aws.String("String"),
				StringValue: aws.String(body)}}}); err != nil {
			t.Fatal(err)
		}
	}
	got := receive()
	if len(got) != 2 || aws.ToString(got[0].Body) != "one" ||
		aws.ToString(got[1].MessageAttributes["ERROR_CODE"].StringValue) != "two" {
		t.Fatalf("received %v", got)
	}
	if again := receive(); len(again) != 0 {
		t.Errorf("hidden messages were received: %v", again)
	}
	if _, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queue,
		ReceiptHandle: got[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: queue,
		ReceiptHandle: got[1].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	if again := receive(); len(again) != 1 || aws.ToString(again[0].Body) != "two" {
		t.Errorf("shown again: %v", again)
	}
	clock.Advance(61 * time.Second)
	if again := receive(); len(again) != 1 {
		t.Errorf("after the timeout: %v", again)
	}
	if left := e.Queue("arn:aws:sqs:us-east-1:111111111111:jobs"); len(left) != 1 || string(left[0].Body) != "two" {
		t.Errorf("left: %v", left)
	}
	_, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, MaxNumberOfMessages: 11})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "InvalidParameterValue" {
		t.Errorf("eleven messages: %v", err)
	}
}
