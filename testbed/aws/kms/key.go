// Package kms emulates how services of AWS use customer managed keys in the name of a caller (KMS developer guide, "How
// AWS services use AWS KMS"): the caller needs the permission on the key itself, and the service is the condition key
// kms:ViaService. The keys have the default key policy, which leaves the decision to the policies of the key's account.
package kms

import "deployer/testbed/aws/api"

// The actions that services need on a key.
const (
	Decrypt         = "kms:Decrypt"
	GenerateDataKey = "kms:GenerateDataKey"
)

// Use checks that the caller of a request may have a service, such as "ssm", use the key with the ARN for actions. An
// empty ARN is a key that AWS manages, whose policy allows every principal of the account (KMS developer guide, "AWS
// managed keys"). The error is that of KMS, AccessDeniedException.
func Use(r *api.Request, service, key string, actions ...string) *api.Error {
	if key == "" {
		return nil
	}
	for _, action := range actions {
		err := r.Authorize(api.Access{Action: action, Resource: key, Context: map[string]string{
			"kms:ViaService":    service + "." + r.Caller.Region + ".amazonaws.com",
			"kms:CallerAccount": r.Caller.Account,
		}})
		if err != nil {
			return err
		}
	}
	return nil
}
