package redrive

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/fault"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/api"
	"deployer/testbed/aws/emulator"
)

// TestSenders runs messages of every form that the function and EventBridge sent
// through emulated SQS, and none of another principal of the account.
func TestSenders(t *testing.T) {
	t.Parallel()
	e, config := fill(t)
	own := api.RoleID(accounts.Prod, "myproject_deployer_prod") + ":myproject_deployer_prod"
	kept := `{"kind":"deployer.kept-event","schema":1,"function":"` + function + `","detail":{"event":` +
		letters[0] + `}}`
	record := `{"requestContext":{"functionArn":"` + function + `:$LATEST"},"requestPayload":` + letters[1] + `}`
	e.PutMessage(queueARN, emulator.Message{Body: []byte(kept), SenderID: own})
	e.PutMessage(queueARN, emulator.Message{Body: []byte(record), SenderID: own})
	for _, forged := range []string{kept, record} {
		in := &sqs.SendMessageInput{QueueUrl: aws.String(queueURL), MessageBody: aws.String(forged)}
		if _, err := sqs.NewFromConfig(config).SendMessage(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	got, err := redriveAll(t, config, all, Options{})
	forged := "kept: it was sent by 333333333333, not by the function: its SenderId does not begin with " +
		api.RoleID(accounts.Prod, "myproject_deployer_prod") + ", the id of role myproject_deployer_prod"
	if diff := cmp.Diff([]string{"deleted: deployed", "deleted: superseded", forged, forged}, got); diff != "" ||
		err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestRunDeniedByOrganization checks that AWS's message is believed about the policy.
func TestRunDeniedByOrganization(t *testing.T) {
	t.Parallel()
	e, config := fill(t, letters...)
	e.Inject(emulator.Fault{Operation: "sqs:ReceiveMessage", Error: emulator.AccessDenied("User: " +
		"arn:aws:iam::333333333333:user/ada is not authorized to perform: sqs:ReceiveMessage on resource: " +
		"arn:aws:sqs:us-east-1:333333333333:q with an explicit deny in a service control policy")})
	_, err := redriveAll(t, config, all, Options{})
	if err == nil || !strings.Contains(err.Error(), "(in the organization's management account, in the service "+
		"control policy, exclude arn:aws:iam::333333333333:user/ada from the Deny for sqs:ReceiveMessage on "+
		"arn:aws:sqs:us-east-1:333333333333:q)") {
		t.Error(err)
	}
}

func TestRunDenied(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"ReceiveMessage", "DeleteMessage"} {
		e, config := fill(t, letters...)
		e.Inject(emulator.Fault{Operation: "sqs:" + operation, Error: emulator.AccessDenied("no")})
		_, err := redriveAll(t, config, all, Options{})
		want := fmt.Sprintf(`of queue %q: `, queueURL)
		if !errors.Is(err, fault.ErrAccessDenied) || !strings.Contains(err.Error(), want) ||
			!strings.HasSuffix(err.Error(), "(allow sqs:"+operation+" on the queue)") {
			t.Errorf("%s: %v", operation, err)
		}
	}
}
