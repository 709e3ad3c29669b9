// Package emulator emulates AWS over HTTP, in one process and in memory: ECR, ECS, EventBridge and its Scheduler, SQS,
// SNS, Parameter Store, Secrets Manager, CloudWatch Logs and STS, and the parts of IAM, KMS, Lambda and S3 that they
// need. Each service is a package of its own beside this one; this package assembles them, records their calls, and
// injects faults.
//
//	e := emulator.New(emulator.Options{})
//	url, stop, err := emulator.Serve(e) // for AWS_ENDPOINT_URL
//
// It speaks the services' own protocols, so programs reach it through the SDK's AWS_ENDPOINT_URL and the aws command
// through --endpoint-url. It serves as a second implementation of AWS: errors, limits and the order of checks are those
// that AWS documents. An operation that it does not have is an error and is recorded, see [Emulator.UnknownOperations].
//
// State is kept apart by account and region. The region and the service come from the credential scope of the request's
// signature, the account from its access key id:
//
//	111111111111             the administrator of account 111111111111
//	111111111111-Deployer    the role Deployer of that account, see [Emulator.SetRolePolicy]
//
// Signatures are not verified, so any secret access key works.
package emulator
