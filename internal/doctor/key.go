package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"deployer/internal/fault"
	"deployer/internal/image"
)

// A keyed resource is what the deployer's role uses that may have a KMS key of the
// customer.
type keyed struct {
	check, name string                                        // of the finding
	create      string                                        // the command that creates it
	service     string                                        // uses the key in the role's name
	uses        []string                                      // the IAM actions on the key
	action      string                                        // reads which key it has
	resource    string                                        // the ARN that the action is on
	read        func(context.Context) (key string, err error) // "" for a key of AWS
}

// The IAM actions on a key by which services read and write.
var (
	reading = []string{"kms:Decrypt"}
	writing = []string{"kms:GenerateDataKey", "kms:Decrypt"}
)

// keyed returns what the deployer's role reads and sends to.
func (c *checker) keyed() []keyed {
	all := []keyed{{check: "failed queue", name: "queue " + c.failedQueue(), service: "sqs", uses: writing,
		action: "sqs:GetQueueAttributes", resource: c.arn("sqs", c.failedQueue()), read: c.queueKey}}
	name := c.env.Notify.Slack
	if secret, ok := strings.CutPrefix(name, secretPrefix); ok {
		all = append(all, keyed{check: "webhook", name: "secret " + secret,
			create: "aws secretsmanager create-secret --region " + c.env.Region + " --name " + secret +
				" --secret-string file://webhook.txt",
			service: "secretsmanager", uses: reading, action: "secretsmanager:DescribeSecret",
			resource: c.arn("secretsmanager", "secret:"+secret+"-??????"),
			read:     func(ctx context.Context) (string, error) { return c.secretKey(ctx, secret) }})
	} else if name != "" {
		all = append(all, keyed{check: "webhook", name: "parameter " + name,
			create: "aws ssm put-parameter --region " + c.env.Region + " --type SecureString --name " + name +
				" --value file://webhook.txt",
			service: "ssm", uses: reading, action: "ssm:DescribeParameters", resource: "*",
			read: func(ctx context.Context) (string, error) { return c.parameterKey(ctx, name) }})
	}
	if topic := c.env.Notify.Topic; topic != "" {
		all = append(all, keyed{check: "topic", name: "topic " + topic,
			create: "aws sns create-topic --region " + c.env.Region + " --name " +
				topic[strings.LastIndexByte(topic, ':')+1:],
			service: "sns", uses: writing, action: "sns:GetTopicAttributes", resource: topic,
			read: func(ctx context.Context) (string, error) { return c.topicKey(ctx, topic) }})
	}
	return all
}

// keys returns the uses of customer managed keys that the deployer's role has to be
// allowed. It reports channels that do not exist, and keys that cannot be looked at.
func (f *findings) keys(ctx context.Context, c *checker) (needed []permission) {
	for _, k := range c.keyed() {
		key, err := k.read(ctx)
		switch {
		case isMissing(err):
			f.add(k.check, Problem, k.name+" does not exist: people get no message by it", k.create)
			continue
		case err != nil:
			f.notChecked(c, k.check, k.action, k.resource, err)
			continue
		case key == "" || strings.HasPrefix(key, "alias/aws/") || strings.Contains(key, ":alias/aws/"):
			continue // the policies of AWS's keys allow the account (KMS developer guide, "AWS managed keys")
		}
		if !strings.Contains(key, ":key/") {
			if key, err = c.describeKey(ctx, key); err != nil {
				f.notChecked(c, "key of "+k.name, "kms:DescribeKey", c.arn("kms", "key/*"), err)
				continue
			}
		}
		via := k.service + "." + c.env.Region + "." + image.PartitionOf(c.env.Region).Suffix
		needed = append(needed, permission{k.uses, key, map[string]string{"kms:ViaService": via}})
	}
	return needed
}

var errNoParameter = errors.New("the parameter does not exist")

// isMissing reports whether an error says that what was asked for does not exist.
func isMissing(err error) bool {
	return errors.Is(err, errNoParameter) || fault.HasCode(err, "ResourceNotFoundException") ||
		fault.HasCode(err, "NotFound")
}

// parameterKey returns the key of a parameter, "" if it is no SecureString (SSM API reference, "ParameterMetadata").
func (c *checker) parameterKey(ctx context.Context, name string) (string, error) {
	type filter struct {
		Key, Option string
		Values      []string
	}
	var out struct {
		Parameters []struct {
			KeyID string `json:"KeyId"`
		}
	}
	in := map[string]any{"ParameterFilters": []filter{{"Name", "Equals", []string{name}}}}
	err := c.signed.JSON(ctx, "ssm", "AmazonSSM.DescribeParameters", "describing parameter "+name, in, &out)
	switch {
	case err == nil && out.Parameters == nil: // without a match, the list is empty
		err = fault.Incomplete("describing parameter "+name, "list of parameters")
	case err == nil && len(out.Parameters) == 0:
		err = errNoParameter
	}
	if err != nil {
		return "", err
	}
	return out.Parameters[0].KeyID, nil
}

// secretKey returns the key of a secret, "" for that of AWS.
func (c *checker) secretKey(ctx context.Context, name string) (string, error) {
	var out struct {
		Arn      string `json:"ARN"`
		KmsKeyID string `json:"KmsKeyId"`
	}
	err := c.signed.JSON(ctx, "secretsmanager", "secretsmanager.DescribeSecret", "describing secret "+name,
		map[string]string{"SecretId": name}, &out)
	if err == nil && out.Arn == "" {
		err = fault.Incomplete("describing secret "+name, "ARN")
	}
	return out.KmsKeyID, err
}

// describeKey returns the ARN of a key by its id or alias.
func (c *checker) describeKey(ctx context.Context, id string) (string, error) {
	var out struct{ KeyMetadata struct{ Arn string } }
	err := c.signed.JSON(ctx, "kms", "TrentService.DescribeKey", "describing key "+id,
		map[string]string{"KeyId": id}, &out)
	if err == nil && out.KeyMetadata.Arn == "" {
		err = fault.Incomplete("describing key "+id, "ARN")
	}
	return out.KeyMetadata.Arn, err
}

// topicKey returns the key of a topic, "" if the topic is not encrypted.
func (c *checker) topicKey(ctx context.Context, topic string) (string, error) {
	out, err := c.sns.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String(topic)})
	if err != nil {
		return "", err
	}
	if len(out.Attributes) == 0 {
		return "", fault.Incomplete("reading the attributes of "+topic, "attributes")
	}
	return out.Attributes["KmsMasterKeyId"], nil
}

// queueKey returns the key of the failure queue, "" for that of SQS.
func (c *checker) queueKey(ctx context.Context) (string, error) {
	url := aws.String(c.env.QueueURL("failed"))
	out, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameKmsMasterKeyId}})
	if err != nil {
		return "", nil // the check of the queue's messages reports it
	}
	return out.Attributes["KmsMasterKeyId"], nil
}
