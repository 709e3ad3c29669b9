package emulator

import (
	"context"
	"time"

	policy "deployer/internal/iam"
	"deployer/testbed/aws/api"
	"deployer/testbed/aws/iam"
	"deployer/testbed/aws/lambda"
	"deployer/testbed/aws/sqs"
)

// A Message is a message in an SQS queue.
type Message = sqs.Message

// SetOrganization makes the accounts members of one organization of AWS Organizations, which is the condition key
// aws:PrincipalOrgID.
func (e *Emulator) SetOrganization(id string, accounts ...string) {
	e.iam.SetOrganization(id, accounts...)
}

// SetTrust replaces the policy that says which web identities may assume a role.
func (e *Emulator) SetTrust(account, role string, document *policy.Document) {
	e.iam.SetTrust(account, role, document)
}

// Observe makes f hear of every decision about a permission. f must not call the emulator.
func (e *Emulator) Observe(f func(iam.Check)) { e.iam.Observe(f) }

// SetRolePolicy replaces the identity policies of a role. A role without policies may do nothing.
func (e *Emulator) SetRolePolicy(account, role string, documents ...*policy.Document) {
	e.iam.SetRolePolicy(account, role, documents...)
}

// FailImage makes every task fail to become healthy that has a container whose image reference contains part, from its
// next attempt on.
func (e *Emulator) FailImage(part string) { e.ecs.FailImage(part) }

// Print makes every container whose image reference contains part write the lines before it exits, to the log group of
// its log configuration.
func (e *Emulator) Print(part string, lines ...string) { e.ecs.Print(part, lines...) }

// DelayFailures sets how long after the start of its rollback a deployment becomes FAILED.
func (e *Emulator) DelayFailures(by time.Duration) { e.ecs.DelayFailures(by) }

// Tick advances every rollout to the clock's time, so that its events are sent even if no one describes the service. It
// also runs the schedules that are due.
func (e *Emulator) Tick() {
	e.ecs.Tick()
	e.scheduler.Tick()
}

// Log appends a line to a log group of CloudWatch Logs, which it creates if there is none.
func (e *Emulator) Log(account, region, group, line string) {
	e.logs.Put(api.Scope{Account: account, Region: region}, group, line)
}

// LogAs is Log with the permissions of a role of the account, as Lambda writes the log of a function. A line that the
// role may not write is lost (Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs").
func (e *Emulator) LogAs(account, region, role, group, line string) {
	scope := api.Scope{Account: account, Region: region}
	stream := scope.ARN("logs", "log-group:"+group+":log-stream:function")
	e.backend.Mu.Lock()
	err := e.iam.Authorize(api.Caller{Account: account, Region: region, Role: role},
		api.Access{Action: "logs:PutLogEvents", Resource: stream})
	e.backend.Mu.Unlock()
	if err == nil {
		e.logs.Put(scope, group, line)
	}
}

// TraceAs decides whether Lambda may send X-Ray a trace of a function with a role of the account, for which it needs
// both actions (Lambda developer guide, "Visualize Lambda function invocations using AWS X-Ray"). A trace that the role
// may not send is lost. Traces are not kept.
func (e *Emulator) TraceAs(account, region, role string) {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	for _, action := range []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"} {
		_ = e.iam.Authorize(api.Caller{Account: account, Region: region, Role: role},
			api.Access{Action: action, Resource: "*"})
	}
}

// CreateLogGroup creates a log group of CloudWatch Logs, if there is none of the name.
func (e *Emulator) CreateLogGroup(account, region, group string) {
	e.logs.Create(api.Scope{Account: account, Region: region}, group)
}

// CreateScheduleGroup creates a schedule group of EventBridge Scheduler, if there is none of the name.
func (e *Emulator) CreateScheduleGroup(account, region, name string) {
	e.scheduler.CreateGroup(api.Scope{Account: account, Region: region}, name)
}

// RunSchedule runs the task of a schedule as if it were due, with the schedule's role. The error says that there is
// nothing to run; a run that is denied is none.
func (e *Emulator) RunSchedule(account, region, group, name string) error {
	return e.scheduler.Run(api.Scope{Account: account, Region: region}, group, name)
}

// FailRuns makes RunTask answer that no task can be placed, for a reason such as RESOURCE:MEMORY; "" ends that.
func (e *Emulator) FailRuns(reason string) { e.ecs.FailRuns(reason) }

// Scheduled returns the times of the schedules that have not run, in order.
func (e *Emulator) Scheduled() []time.Time { return e.scheduler.Pending() }

// FailTarget makes PutTargets answer for a target of a rule that it failed with an error code, "" for no more.
func (e *Emulator) FailTarget(account, region, rule, target, code string) {
	e.events.FailTarget(api.Scope{Account: account, Region: region}, rule, target, code)
}

// ManageRule makes a rule one of an AWS service, such as "autoscaling.amazonaws.com".
func (e *Emulator) ManageRule(account, region, rule, service string) {
	e.events.ManageRule(api.Scope{Account: account, Region: region}, rule, service)
}

// Archive moves the image with the digest to ECR's archive, as a lifecycle policy would: it keeps its tags and can be
// described, but cannot be pulled until it is pushed again.
func (e *Emulator) Archive(account, region, repository, digest string) error {
	return e.ecr.Archive(api.Scope{Account: account, Region: region}, repository, digest)
}

// Replicate copies the image with the tag from one account's registry to that of another account or region, as a
// replication rule of ECR would, and returns its digest. The registry of the copy sends the event of a replication.
func (e *Emulator) Replicate(fromAccount, fromRegion, toAccount, toRegion, repository, tag string) (string, error) {
	from, to := api.Scope{Account: fromAccount, Region: fromRegion}, api.Scope{Account: toAccount, Region: toRegion}
	return e.ecr.Replicate(from, to, repository, tag)
}

// HandleLambda makes f the Lambda function with the ARN. A delivery succeeds if f returns nil. An error stands for one
// that EventBridge gets when it invokes the function asynchronously: the event goes to the target's dead-letter queue
// at once, as if the target's retries were exhausted. Several deliveries may run at the same time.
func (e *Emulator) HandleLambda(arn string, f func(ctx context.Context, event []byte) error) {
	e.events.HandleLambda(arn, f)
}

// Drain waits until no delivery to a function is running, or returns an error that wraps the context's.
func (e *Emulator) Drain(ctx context.Context) error { return e.events.Drain(ctx) }

// CreateQueue creates an SQS queue, if there is none of the name, and returns its ARN. A template and the first message
// create a queue too.
func (e *Emulator) CreateQueue(account, region, name string) (arn string) {
	return e.sqs.Create(api.Scope{Account: account, Region: region}, name)
}

// PutMessage puts a message into a queue as if its SenderID had sent it.
func (e *Emulator) PutMessage(queueARN string, m Message) { e.sqs.Put(queueARN, m) }

// Queue returns the messages in the SQS queue with the ARN, oldest first. EventBridge may send to every queue, except
// to one that a template created without a policy that allows it, see [Emulator.LoadTemplate].
func (e *Emulator) Queue(arn string) []Message { return e.sqs.Messages(arn) }

// CreateTopic creates an SNS topic, if there is none of the name, and returns its ARN.
func (e *Emulator) CreateTopic(account, region, name string) (arn string) {
	return e.sns.Create(api.Scope{Account: account, Region: region}, name)
}

// Published returns the messages of the SNS topic with the ARN, oldest first.
func (e *Emulator) Published(topicARN string) []string { return e.sns.Published(topicARN) }

// PutParameter sets a SecureString of Parameter Store, such as /deployer/slack.
func (e *Emulator) PutParameter(account, region, name, value string) {
	e.ssm.Put(api.Scope{Account: account, Region: region}, name, value)
}

// PutSecret sets a secret of Secrets Manager and returns its ARN, which ends in six random characters.
func (e *Emulator) PutSecret(account, region, name, value string) (arn string) {
	return e.secrets.Put(api.Scope{Account: account, Region: region}, name, value)
}

// TrailRotation sends the event that a trail of CloudTrail delivers about the rotation of a secret that exists, such as
// RotationStarted or RotationSucceeded. The new value and its own event are PutSecret's.
func (e *Emulator) TrailRotation(account, region, name, event string) {
	e.secrets.Trail(api.Scope{Account: account, Region: region}, name, event)
}

// PutFile puts an object into an S3 bucket that sends its events to EventBridge. Only the event is emulated.
func (e *Emulator) PutFile(account, region, bucket, key string) {
	e.s3.Created(api.Scope{Account: account, Region: region}, bucket, key)
}

// EncryptParameter gives a SecureString a customer managed key, by its ARN.
func (e *Emulator) EncryptParameter(account, region, name, key string) {
	e.ssm.Encrypt(api.Scope{Account: account, Region: region}, name, key)
}

// EncryptSecret gives a secret a customer managed key, by its ARN.
func (e *Emulator) EncryptSecret(account, region, name, key string) {
	e.secrets.Encrypt(api.Scope{Account: account, Region: region}, name, key)
}

// EncryptTopic gives the SNS topic with the ARN a customer managed key, by its ARN.
func (e *Emulator) EncryptTopic(arn, key string) { e.sns.Encrypt(arn, key) }

// EncryptQueue gives the SQS queue with the ARN a customer managed key, by its ARN.
func (e *Emulator) EncryptQueue(arn, key string) { e.sqs.Encrypt(arn, key) }

// AliasKey gives the KMS key with the ARN an alias, such as alias/deployer.
func (e *Emulator) AliasKey(account, region, alias, key string) {
	e.kms.Alias(api.Scope{Account: account, Region: region}, alias, key)
}

// CreateFunction creates a Lambda function, or replaces the one with its ARN, so that its configuration can be read.
func (e *Emulator) CreateFunction(f lambda.Function) { e.lambda.Create(f) }

// SetFunctionCode replaces the code, a zip, of the Lambda function with the ARN, if there is one.
func (e *Emulator) SetFunctionCode(arn string, zip []byte) { e.lambda.SetCode(arn, zip) }

// DeleteFunction deletes the Lambda function with the ARN, if there is one.
func (e *Emulator) DeleteFunction(arn string) { e.lambda.Delete(arn) }
