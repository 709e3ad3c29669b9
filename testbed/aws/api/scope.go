package api

import (
	"fmt"
	"strings"
)

// A Scope is one account in one region. State is kept apart by scope.
type Scope struct{ Account, Region string }

// ARN returns the ARN of a resource of the scope.
func (s Scope) ARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", Partition(s.Region), service, s.Region, s.Account, resource)
}

// RoleARN returns the ARN of an IAM role, which has no region but has the partition of the scope's.
func (s Scope) RoleARN(role string) string {
	return fmt.Sprintf("arn:%s:iam::%s:role/%s", Partition(s.Region), s.Account, role)
}

// SplitARN returns the service, the scope and the resource of an ARN.
func SplitARN(arn string) (service string, owner Scope, resource string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return "", Scope{}, "", false
	}
	return parts[2], Scope{Account: parts[4], Region: parts[3]}, parts[5], true
}

// Partition returns the partition that a region belongs to.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
