package deploy_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"deployer/internal/fault"
	"deployer/internal/iam"
	"deployer/internal/signed"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const kmsKey = "arn:aws:kms:us-east-1:" + prod + ":key/"

// TestKmsKeys checks that the role may use the given keys, through the services that
// need them, and no key by default.
func TestKmsKeys(t *testing.T) {
	t.Parallel()
	allowed := func(template *cloudformation.Template, resource, service string) iam.Decision {
		return document(t, roleStatements(template)).Evaluate(iam.Request{Action: "kms:Decrypt", Resource: resource,
			Principal: "arn:aws:iam::" + prod + ":role/deployer", Account: prod,
			Context: map[string]string{"kms:ViaService": service + ".us-east-1.amazonaws.com"}})
	}
	values := map[string]string{"Project": "p", "Env": "prod"}
	without, err := loadWith(t, prod, values)
	if err != nil {
		t.Fatal(err)
	}
	if got := allowed(without, kmsKey+"a", "ssm"); got != iam.NoMatch {
		t.Errorf("without keys: %v", got)
	}
	values["KmsKeyArns"] = kmsKey + "a," + kmsKey + "b"
	with, err := loadWith(t, prod, values)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		key, service string
		want         iam.Decision
	}{
		{"a", "ssm", iam.Allow}, {"b", "sns", iam.Allow}, {"a", "secretsmanager", iam.Allow},
		{"b", "sqs", iam.Allow}, {"c", "ssm", iam.NoMatch}, {"a", "s3", iam.NoMatch},
	} {
		if got := allowed(with, kmsKey+tt.key, tt.service); got != tt.want {
			t.Errorf("key %s through %s: %v, want %v", tt.key, tt.service, got, tt.want)
		}
	}
	for _, invalid := range []string{kmsKey + "*", "*", "alias/deployer"} {
		values["KmsKeyArns"] = invalid
		if _, err := loadWith(t, prod, values); err == nil {
			t.Errorf("%s is accepted", invalid)
		}
	}
}

// TestEncrypted reads the webhook, publishes to the topic and sends to the failure
// queue with the role of the stack, each encrypted with a customer managed key: the
// role may only if KmsKeyArns has the key. With keys of AWS it needs no parameter.
func TestEncrypted(t *testing.T) {
	t.Parallel()
	const (
		topic     = "arn:aws:sns:us-east-1:" + prod + ":deployments"
		queue     = "arn:aws:sqs:us-east-1:" + prod + ":p_deployer_failed_prod"
		parameter = "/p/slack"
		secret    = "p/slack"
		reference = "/aws/reference/secretsmanager/" + secret
	)
	calls := map[string]func(context.Context, aws.Config) error{
		"ssm": func(ctx context.Context, c aws.Config) error {
			return signed.New(c).JSON(ctx, "ssm", "AmazonSSM.GetParameter", "reading",
				map[string]any{"Name": parameter, "WithDecryption": true}, &struct{}{})
		},
		"secretsmanager": func(ctx context.Context, c aws.Config) error {
			return signed.New(c).JSON(ctx, "ssm", "AmazonSSM.GetParameter", "reading",
				map[string]any{"Name": reference, "WithDecryption": true}, &struct{}{})
		},
		"sns": func(ctx context.Context, c aws.Config) error {
			return signed.New(c).Query(ctx, "sns", "publishing", url.Values{"Action": {"Publish"},
				"Version": {"2010-03-31"}, "TopicArn": {topic}, "Message": {"hello"}}, nil)
		},
		"sqs": func(ctx context.Context, c aws.Config) error {
			_, err := sqs.NewFromConfig(c).SendMessage(ctx, &sqs.SendMessageInput{MessageBody: aws.String("{}"),
				QueueUrl: aws.String("https://sqs.us-east-1.amazonaws.com/" + prod + "/p_deployer_failed_prod")})
			return err
		},
	}
	for _, tt := range []struct {
		name, encrypted, allowed string // keys
		denied                   bool
	}{
		{"keys of AWS", "", "", false},
		{"no parameter", "a", "", true},
		{"another key", "a", "b", true},
		{"the key", "a", "a", false},
		{"one of two keys", "a", "b,a", false},
	} {
		for service, call := range calls {
			t.Run(tt.name+" of "+service, func(t *testing.T) {
				t.Parallel()
				e, endpoint := emulatortest.Start(t, emulator.Options{})
				slack := parameter
				if service == "secretsmanager" {
					slack = reference
				}
				values := map[string]string{"Project": "p", "Env": "prod", "SlackParameter": slack,
					"NotifyTopicArn": topic, "KmsKeyArns": kmsKeys(tt.allowed)}
				template, err := loadWith(t, prod, values)
				if err != nil {
					t.Fatal(err)
				}
				e.PutParameter(prod, region, parameter, "https://hooks.example/1")
				e.PutSecret(prod, region, secret, "https://hooks.example/1")
				e.CreateTopic(prod, region, "deployments")
				if err := e.LoadTemplate(prod, region, template); err != nil {
					t.Fatal(err)
				}
				if key := kmsKeys(tt.encrypted); key != "" {
					e.EncryptParameter(prod, region, parameter, key)
					e.EncryptSecret(prod, region, secret, key)
					e.EncryptTopic(topic, key)
					e.EncryptQueue(queue, key)
				}
				config := accounts.Connect(endpoint, prod, region).Config.Copy()
				config.RetryMaxAttempts = 1
				config.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: prod + "-p_deployer_prod", SecretAccessKey: "any"}, nil
				})
				err = call(t.Context(), config)
				if tt.denied != (err != nil) {
					t.Fatalf("%v, want an error: %t", err, tt.denied)
				}
				if message, _ := fault.Denied(err); err != nil && service != "secretsmanager" &&
					!strings.Contains(fmt.Sprint(message, err), "is not authorized to perform: kms:") {
					t.Errorf("the error does not name the action on the key: %v", err)
				}
			})
		}
	}
}

// kmsKeys returns the ARNs of keys, given by their ids.
func kmsKeys(ids string) string {
	if ids == "" {
		return ""
	}
	return kmsKey + strings.ReplaceAll(ids, ",", ","+kmsKey)
}
