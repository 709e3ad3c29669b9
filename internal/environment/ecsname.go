package environment

import (
	"fmt"
	"strings"

	"deployer/internal/image"
)

// maxECSName is the number of characters that ECS allows in a name (ECS API reference, "CreateService").
const maxECSName = 255

// validECSName reports whether s can be the name of a cluster, service or family. See
// "CreateCluster", "CreateService" and "RegisterTaskDefinition" in the ECS API reference.
func validECSName(s string) bool { return only(s, upper+lower+digits+"_-") && len(s) <= maxECSName }

// ecsName returns the name of an ECS resource under a key: the value itself, or the name
// in an ARN of the environment's account and region. Kind is the word in the ARN:
// "cluster", "service" or "task-definition". It returns "" after adding a fault.
func (s section) ecsName(e *Environment, key, kind string) string {
	text := s.text(key)
	name := text
	if strings.HasPrefix(text, "arn:") {
		name = s.nameInARN(e, key, kind, text)
		if name == "" {
			return ""
		}
	}
	if kind == "service" && strings.HasPrefix(text, "arn:") { // service/NAME before 2019, service/CLUSTER/NAME since
		if cluster, service, long := strings.Cut(name, "/"); long {
			if cluster != e.Cluster {
				s.fault(key, fmt.Sprintf("is in cluster %q, and the environment's is %q", cluster, e.Cluster),
					"an environment has one cluster: set deployer.cluster, or name a service of that cluster")
				return ""
			}
			name = service
		}
	}
	if family, revision, ok := strings.Cut(name, ":"); ok && kind == "task-definition" &&
		validECSName(family) && !strings.Contains(revision, "/") {
		s.fault(key, "is "+quote(text)+", which names revision "+revision+
			": each deployment registers a new one", "write the family alone: "+family)
		return ""
	}
	if name != "" && !validECSName(name) {
		s.fault(key, "is "+quote(text)+", which is not the name of an ECS "+kind,
			"write the name alone: letters, digits, - and _")
		return ""
	}
	return name
}

// nameInARN returns what follows the kind in an ARN, or "" after adding a fault.
func (s section) nameInARN(e *Environment, key, kind, arn string) string {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) < 6 || fields[2] != "ecs" || !strings.HasPrefix(fields[5], kind+"/") {
		s.fault(key, "is "+quote(arn)+", which is not the ARN of an ECS "+kind, "write its name alone")
		return ""
	}
	partition, region, account := fields[1], fields[3], fields[4]
	switch {
	case partition != image.PartitionOf(e.Region).Name || region != e.Region:
		s.fault(key, fmt.Sprintf("is in partition %s and region %s, and the environment in %s and %s", partition,
			region,
			image.PartitionOf(e.Region).Name, e.Region), "name one of the environment's own region")
		return ""
	case e.AccountID == "" && image.ValidAccountID(account):
		s.warn(key, "is in account "+account+", and the file does not say that it is the environment's",
			`add the line: account_id: "`+account+`"`)
	case account != e.AccountID:
		s.fault(key, fmt.Sprintf("is in account %s, and the environment in %s", account, e.AccountID),
			"name one of the environment's own account")
		return ""
	}
	return strings.TrimPrefix(fields[5], kind+"/")
}

// checkPartition adds a fault if a registry's region is in another partition of AWS than
// the environment's: neither replication nor IAM crosses partitions. It reports whether
// there is none.
func (s section) checkPartition(e *Environment, key, region string) bool {
	own, other := image.PartitionOf(e.Region).Name, image.PartitionOf(region).Name
	if region == "" || e.Region == "" || own == other {
		return true
	}
	s.fault(key, fmt.Sprintf("is in %s, which is in the partition %s, and the environment in %s: neither images nor "+
		"permissions cross partitions", region, other, own), "name a registry in "+own)
	return false
}
