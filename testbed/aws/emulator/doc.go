// Package emulator is Amazon ECR, Amazon ECS, Amazon EventBridge, Amazon SQS, Amazon SNS,
// Parameter Store and AWS Secrets Manager, and of IAM, S3 and STS what goes with them,
// over HTTP, in one process and in memory.
//
// It speaks the services' own protocols (JSON 1.1, and the query protocol for IAM, SNS and STS),
// so a program reaches it through its SDK's AWS_ENDPOINT_URL and the aws command
// through --endpoint-url; nothing in a client knows that it is there. It is meant as a
// witness: errors, limits and orders of checks are those AWS documents or is reported
// to show, and what it does not implement is refused and recorded (see
// [Emulator.UnknownOperations]), never silently accepted.
//
// State is kept apart by account and region. The region and the service come from the
// credential scope of the request's signature, the account from its access key id:
//
//	111111111111             the administrator of account 111111111111
//	111111111111-Deployer    the role Deployer of that account, see [Emulator.SetRolePolicy]
//
// Signatures are not verified: any secret key will do. A missing or malformed
// Authorization header is refused, as AWS does.
package emulator
