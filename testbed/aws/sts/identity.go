// Package sts emulates GetCallerIdentity of AWS STS (STS API reference).
package sts

import (
	"encoding/xml"

	"deployer/testbed/aws/api"
)

// Operations returns the operations that are emulated.
func Operations() api.Operations {
	return api.Operations{"sts:GetCallerIdentity": getCallerIdentity}
}

// getCallerIdentity needs no permission.
func getCallerIdentity(r *api.Request) (any, *api.Error) {
	type result struct{ Arn, UserId, Account string }
	return struct {
		XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
		Result  result   `xml:"GetCallerIdentityResult"`
	}{Result: result{Arn: r.Caller.ARN(), UserId: r.Caller.UserID(), Account: r.Caller.Account}}, nil
}
