package environment

import "deployer/internal/image"

// FunctionName returns the name of the environment's Lambda function, and of its role.
func (e *Environment) FunctionName() string { return e.Project + "_deployer_" + e.Name }

// FunctionARN returns the ARN of the environment's Lambda function, without a version.
// The environment must know its account.
func (e *Environment) FunctionARN() string {
	return "arn:" + image.PartitionOf(e.Region).Name + ":lambda:" + e.Region + ":" + e.AccountID + ":function:" +
		e.FunctionName()
}

// RuleName returns the name of the rule of the environment's stack for events of a kind:
// "deploy", "push", "rollout" and so on, as deploy/template.yaml names them.
func (e *Environment) RuleName(kind string) string {
	return e.Project + "_deployer_" + kind + "_" + e.Name
}

// FailedQueueURL returns the URL of the queue in which the function keeps what was
// rejected or failed. The environment must know its account.
func (e *Environment) FailedQueueURL() string { return e.QueueURL("failed") }

// UndeliveredQueueURL returns the URL of the dead-letter queue of the environment's
// rules. The environment must know its account.
func (e *Environment) UndeliveredQueueURL() string { return e.QueueURL("undelivered") }

// FailedQueueARN returns the ARN of that queue.
func (e *Environment) FailedQueueARN() string {
	return "arn:" + image.PartitionOf(e.Region).Name + ":sqs:" + e.Region + ":" + e.AccountID + ":" +
		e.QueueName("failed")
}

// RetryName returns the name of the group of schedules that send waiting events to the
// function again, and of the role that they do it with.
func (e *Environment) RetryName() string { return e.Project + "_deployer_retry_" + e.Name }

// QueueName returns the name of one of the stack's queues, "failed" or "undelivered".
func (e *Environment) QueueName(kind string) string {
	return e.Project + "_deployer_" + kind + "_" + e.Name
}

// QueueURL returns the URL of that queue. The environment must know its account.
func (e *Environment) QueueURL(kind string) string {
	return "https://sqs." + e.Region + "." + image.PartitionOf(e.Region).Suffix + "/" + e.AccountID + "/" +
		e.QueueName(kind)
}
