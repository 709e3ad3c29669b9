package emulator_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/emulator"
	"deployer/internal/emulator/template"
)

// A stack of dev that sends pushes on to prod, and one of prod that takes them.
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
	w := newWorld(t, emulator.Options{})
	load := func(account, text string, values map[string]string) {
		t.Helper()
		loaded, err := template.Load([]byte(text), template.Parameters{Account: account, Region: "us-east-1", Partition: "aws", Stack: "s", Values: values})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.LoadTemplate(account, "us-east-1", loaded); err != nil {
			t.Fatal(err)
		}
	}
	load(dev, forwardingTemplate, map[string]string{"Receiver": prodBus})
	load(prod, receivingTemplate, map[string]string{"Sender": dev})

	push := func(tag string) {
		t.Helper()
		w.push(t, dev, "myproject_backend", tag, tag)
		if err := w.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.do(t, dev, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
	push("v1") // the function is not there yet
	if got := len(w.Queue("arn:aws:sqs:us-east-1:333333333333:letters")); got != 1 {
		t.Errorf("there are %d dead letters, want 1", got)
	}
	received := 0
	w.HandleLambda("arn:aws:lambda:us-east-1:333333333333:function:deployer", func(context.Context, []byte) error {
		received++ // there is one delivery at a time
		return nil
	})
	push("v2")
	w.do(t, dev, "events:PutEvents", deployEntry)
	if err := w.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if received != 1 {
		t.Errorf("the function ran %d times, want 1", received)
	}
}

func TestLoadTemplateOfAnotherAccount(t *testing.T) {
	t.Parallel()
	loaded, err := template.Load([]byte(forwardingTemplate), template.Parameters{
		Account: dev, Region: "us-east-1", Partition: "aws", Stack: "s", Values: map[string]string{"Receiver": prodBus},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = emulator.New(emulator.Options{}).LoadTemplate(prod, "us-east-1", loaded)
	const want = `loading the rule "ForwardRule": the bus "arn:aws:events:us-east-1:111111111111:event-bus/default" is not in account 333333333333, region us-east-1`
	if diff := cmp.Diff(want, errorText(err)); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
