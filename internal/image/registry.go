// Package image parses and formats the names of container images: ECR registries,
// image references, tags and digests. It is pure.
package image

import "strings"

// Registry is the private ECR registry of an AWS account in a region. Every account
// has exactly one per region.
type Registry struct {
	AccountID string // 12 digits, with leading zeros
	Region    string // such as "us-east-1"
}

// Host returns the registry's host name for `docker pull`, such as
// "111111111111.dkr.ecr.us-east-1.amazonaws.com". See "Amazon ECR endpoints and quotas".
func (r Registry) Host() string {
	return r.AccountID + ".dkr.ecr." + r.Region + "." + PartitionOf(r.Region).Suffix
}

// String returns the registry for messages: "account 111111111111 in us-east-1".
func (r Registry) String() string {
	return "account " + r.AccountID + " in " + r.Region
}

// RepositoryARN returns the ARN of a repository in the registry.
func (r Registry) RepositoryARN(repository string) string {
	return "arn:" + PartitionOf(r.Region).Name + ":ecr:" + r.Region + ":" + r.AccountID + ":repository/" + repository
}

// Partition is a part of AWS with its own accounts, ARNs and DNS suffix.
type Partition struct {
	Name   string // the second field of an ARN: "aws", "aws-cn", ...
	Suffix string // the suffix of its services' DNS names: "amazonaws.com", ...
}

// partitions are the partitions by prefix of the region. Other regions are in the
// commercial partition.
var partitions = []struct {
	prefix    string
	partition Partition
}{
	{"cn-", Partition{"aws-cn", "amazonaws.com.cn"}},
	{"us-gov-", Partition{"aws-us-gov", "amazonaws.com"}},
	{"us-isob-", Partition{"aws-iso-b", "sc2s.sgov.gov"}},
	{"us-isof-", Partition{"aws-iso-f", "csp.hci.ic.gov"}},
	{"us-iso-", Partition{"aws-iso", "c2s.ic.gov"}},
	{"eu-isoe-", Partition{"aws-iso-e", "cloud.adc-e.uk"}},
	{"eusc-", Partition{"aws-eusc", "amazonaws.eu"}},
}

// PartitionOf returns the partition that a region belongs to.
func PartitionOf(region string) Partition {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.prefix) {
			return p.partition
		}
	}
	return Partition{"aws", "amazonaws.com"}
}

// ParseHost returns the registry with a host name, and whether the name is that of a
// registry: plain, FIPS, or the dual-stack forms of both, in any partition.
func ParseHost(host string) (Registry, bool) {
	account, rest, _ := strings.Cut(host, ".")
	if len(rest) < len("dkr.ecr") || !ValidAccountID(account) {
		return Registry{}, false
	}
	service, rest := rest[:len("dkr.ecr")], strings.TrimPrefix(rest[len("dkr.ecr"):], "-fips")
	location, dotted := strings.CutPrefix(rest, ".")
	region, suffix, _ := strings.Cut(location, ".")
	if service != "dkr.ecr" && service != "dkr-ecr" || !dotted || !ValidRegion(region) {
		return Registry{}, false
	}
	switch suffix {
	case PartitionOf(region).Suffix, "on.aws", "on.amazonwebservices.com.cn":
		return Registry{AccountID: account, Region: region}, true
	}
	return Registry{}, false
}
