package emulator_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// A stack of dev that forwards pushes to prod, and one of prod that receives them.
const (
	forwardingTemplate = `
Parameters:
  Receiver: {Type: String}
Resources:
  ForwardRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: Forward
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: put
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: events:PutEvents, Resource: !Ref Receiver}]
  ForwardRule:
    Type: AWS::Events::Rule
    Properties:
      Name: forward
      EventPattern: {source: [aws.ecr]}
      Targets: [{Id: prod, Arn: !Ref Receiver, RoleArn: !GetAtt ForwardRole.Arn}]
`
	receivingTemplate = `
Parameters:
  Sender: {Type: String}
Resources:
  Permission:
    Type: AWS::Events::EventBusPolicy
    Properties:
      StatementId: sender
      Statement:
        Effect: Allow
        Principal: {AWS: !Sub "arn:aws:iam::${Sender}:root"}
        Action: events:PutEvents
        Resource: !Sub "arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
        Condition: {StringEquals: {"events:source": aws.ecr}}
  Letters:
    Type: AWS::SQS::Queue
    Properties: {QueueName: letters}
  LettersPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Letters]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Letters.Arn
            Condition: {ArnEquals: {"aws:SourceArn": !GetAtt PushRule.Arn}}
  PushRule:
    Type: AWS::Events::Rule
    Properties:
      Name: push
      EventPattern: {source: [aws.ecr], account: [!Ref Sender]}
      Targets:
        - Id: function
          Arn: !Sub "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:deployer"
          DeadLetterConfig: {Arn: !GetAtt Letters.Arn}
`
)

func TestLoadTemplate(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	load := func(account, text string, values map[string]string) {
		t.Helper()
		loaded, err := cloudformation.Load([]byte(text), cloudformation.Parameters{Account: account,
			Region: "us-east-1", Partition: "aws", Stack: "s", Values: values})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.AWS.LoadTemplate(account, "us-east-1", loaded); err != nil {
			t.Fatal(err)
		}
	}
	load(dev, forwardingTemplate, map[string]string{"Receiver": prodBus})
	load(prod, receivingTemplate, map[string]string{"Sender": dev})

	push := func(tag string) {
		t.Helper()
		w.Push(t, dev, "myproject_backend", tag, tag)
		if err := w.AWS.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
	push("v1") // the function is not there yet
	if got := len(w.AWS.Queue("arn:aws:sqs:us-east-1:333333333333:letters")); got != 1 {
		t.Errorf("there are %d dead letters, want 1", got)
	}
	received := 0
	w.AWS.HandleLambda("arn:aws:lambda:us-east-1:333333333333:function:deployer", func(context.Context, []byte) error {
		received++ // there is one delivery at a time
		return nil
	})
	push("v2")
	w.Do(t, dev, "events:PutEvents", deployEntry)
	if err := w.AWS.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if received != 1 {
		t.Errorf("the function ran %d times, want 1", received)
	}
}

func TestLoadTemplateOfAnotherAccount(t *testing.T) {
	t.Parallel()
	loaded, err := cloudformation.Load([]byte(forwardingTemplate), cloudformation.Parameters{
		Account: dev, Region: "us-east-1", Partition: "aws", Stack: "s", Values: map[string]string{"Receiver": prodBus},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = emulator.New(emulator.Options{}).LoadTemplate(prod, "us-east-1", loaded)
	const want = `loading the rule "ForwardRule": the bus "arn:aws:events:us-east-1:111111111111:event-bus/default" ` +
		`is not in account 333333333333, region us-east-1`
	if diff := cmp.Diff(want, errorText(err)); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

// TestStacksOfOneAccount checks that no stack creates what another one has, except in another account, and that each
// stack has its statements of the bus's policy.
func TestStacksOfOneAccount(t *testing.T) {
	t.Parallel()
	const source = `
Parameters: {Name: {Type: String}}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub "${Name}"
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Unnamed: {Type: AWS::SQS::Queue, Properties: {}}
  Policy:
    Type: AWS::Events::EventBusPolicy
    Properties:
      EventBusName: default
      StatementId: !Ref Name
      Statement:
        Effect: Allow
        Principal: {AWS: "333333333333"}
        Action: events:PutEvents
        Resource: !Sub "arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
`
	w := emulatortest.New(t, emulator.Options{})
	for _, tt := range []struct{ stack, account, region, name, want string }{
		{"a", dev, "us-east-1", "x", ""},
		{"a", dev, "us-east-1", "x", ""}, // an update
		{"b", dev, "us-east-1", "y", ""},
		{"c", dev, "us-east-1", "x", "x already exists in stack arn:aws:cloudformation:us-east-1:111111111111:stack/a"},
		{"c", dev, "eu-west-1", "x", "x already exists in stack arn:aws:cloudformation:us-east-1:111111111111:stack/a"},
		{"c", prod, "us-east-1", "x", ""},
	} {
		loaded, err := cloudformation.Load([]byte(source), cloudformation.Parameters{Account: tt.account,
			Region: tt.region, Stack: tt.stack, Values: map[string]string{"Name": tt.name}})
		if err != nil {
			t.Fatal(err)
		}
		err = w.AWS.LoadTemplate(tt.account, tt.region, loaded)
		if diff := cmp.Diff(tt.want, errorText(err)); diff != "" {
			t.Errorf("stack %s in %s, %s (-want +got):\n%s", tt.stack, tt.account, tt.region, diff)
		}
	}
	var bus struct{ Policy string }
	if err := json.Unmarshal([]byte(w.Do(t, dev, "events:DescribeEventBus", `{}`)), &bus); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(bus.Policy, `"Sid":"x"`) || !strings.Contains(bus.Policy, `"Sid":"y"`) ||
		strings.Count(bus.Policy, "Sid") != 2 {
		t.Errorf("the bus has the policy %s", bus.Policy)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// load creates the stack s of a template in dev.
func load(t *testing.T, w *emulatortest.Env, source string, values map[string]string) *cloudformation.Template {
	t.Helper()
	loaded, err := cloudformation.Load([]byte(source), cloudformation.Parameters{Account: dev, Region: "us-east-1",
		Stack: "s", Values: values})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AWS.LoadTemplate(dev, "us-east-1", loaded); err != nil {
		t.Fatal(err)
	}
	return loaded
}

// TestQueueOfTemplate: a rule sends events to a queue if the queue's policy allows it, otherwise to its dead-letter
// queue if that queue's policy allows it.
func TestQueueOfTemplate(t *testing.T) {
	t.Parallel()
	const source = `
Parameters:
  Allowed: {Type: String}
  Letters: {Type: String, Default: "*"}
Resources:
  Outcomes: {Type: AWS::SQS::Queue, Properties: {QueueName: outcomes}}
  DeadLetters: {Type: AWS::SQS::Queue, Properties: {QueueName: letters}}
  OutcomesPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Outcomes]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: sqs:SendMessage, Resource: !GetAtt Outcomes.Arn, Condition: {ArnEquals: {"aws:SourceArn": !Sub "arn:aws:events:${AWS::Region}:${AWS::AccountId}:rule/${Allowed}"}}}
          - {Effect: Deny, Principal: "*", Action: "sqs:*", Resource: !GetAtt Outcomes.Arn, Condition: {Bool: {"aws:SecureTransport": "false"}}}
  LettersPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref DeadLetters]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: sqs:SendMessage, Resource: !GetAtt DeadLetters.Arn, Condition: {ArnLike: {"aws:SourceArn": !Sub "arn:aws:events:*:*:rule/${Letters}"}}}]
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Name: failures
      EventPattern: {source: [deployer], detail-type: [Deployment Failed]}
      Targets: [{Id: queue, Arn: !GetAtt Outcomes.Arn, DeadLetterConfig: {Arn: !GetAtt DeadLetters.Arn}}]
`
	const event = `{"version":"0","id":"ID","detail-type":"Deployment Failed","source":"deployer",` +
		`"account":"111111111111","time":"2026-01-22T09:30:00Z","region":"us-east-1","resources":[],` +
		`"detail":{"service":"web"}}`
	tests := []struct {
		name          string
		values        map[string]string
		want, letters []string
	}{
		{"the queue allows the rule", map[string]string{"Allowed": "failures"}, []string{event}, nil},
		{"the queue allows another rule", map[string]string{"Allowed": "others"}, nil, []string{event}},
		{"neither queue allows the rule", map[string]string{"Allowed": "others", "Letters": "others"}, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			load(t, w, source, tt.values)
			w.Do(t, dev, "events:PutEvents", `{"Entries":[{"Source":"deployer","DetailType":"Deployment Failed",`+
				`"Detail":"{\"service\":\"web\"}"},{"Source":"deployer","DetailType":"Deployment Started",`+
				`"Detail":"{}"}]}`)
			if diff := cmp.Diff(tt.want, w.Bodies(t, "arn:aws:sqs:us-east-1:111111111111:outcomes")); diff != "" {
				t.Errorf("the queue (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.letters, w.Bodies(t, "arn:aws:sqs:us-east-1:111111111111:letters")); diff != "" {
				t.Errorf("the dead letters (-want +got):\n%s", diff)
			}
			for _, m := range w.AWS.Queue("arn:aws:sqs:us-east-1:111111111111:letters") {
				if got := m.Attributes["ERROR_CODE"]; got != "NO_PERMISSIONS" {
					t.Errorf("the dead letter says %s, want NO_PERMISSIONS", got)
				}
			}
		})
	}
}
