package journal

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// ServiceName returns the name of a service in the journal: CLUSTER/SERVICE. A name that
// is too long for a tag is cut, and ends with a hash of the whole.
func ServiceName(cluster, service string) string {
	name := cluster + "/" + service
	if len(name) <= maxValue {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:maxValue-17] + fmt.Sprintf(".%x", sum[:8])
}

// Principal returns the name in the journal of the principal with an ARN that STS or
// ECS returned: "111111111111:role/NAME", without a role's path and session. Both
// return an assumed role with its session; published answers of
// DescribeTaskDefinition have "arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION". Of a
// text that is no ARN it returns "".
func Principal(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[4] == "" {
		return ""
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	switch kind {
	case "assumed-role":
		name, _, _ = strings.Cut(name, "/")
		kind = "role"
	case "role", "user": // the last part; before it is the path
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	if name == "" {
		return Value(parts[4] + ":" + kind)
	}
	return Value(parts[4] + ":" + kind + "/" + name)
}

// RolePrincipal returns the [Principal] of a role of an account by its name.
func RolePrincipal(account, role string) string { return Value(account + ":role/" + role) }
