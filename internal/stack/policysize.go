package stack

import (
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// policySize estimates how many characters the policy of the function's role has, without
// white space: at least as many as it really has. Most names are in it several times.
type policySize struct {
	project, env, cluster, region, partition int // characters of the names
	fixed                                    int // what does not depend on the lists
}

// sizeOf returns the size of an environment's policy without its lists, for the parameters of
// its stack.
func sizeOf(env *environment.Environment, all []Parameter) policySize {
	s := policySize{project: len(env.Project), env: len(env.Name), cluster: len(env.Cluster),
		region: max(len(env.Region), len(env.Registry().Region)), partition: len(image.PartitionOf(env.Region).Name)}
	s.fixed = 3320 + 6*s.project + 4*s.env + 8*s.cluster + 15*s.region + 16*s.partition
	for _, p := range all {
		switch n := len(p.Value); {
		case n == 0:
		case p.Name == "SlackParameter":
			s.fixed += 120 + n + s.region + s.partition
			if strings.HasPrefix(p.Value, "/aws/reference/secretsmanager/") {
				s.fixed += 155 + n + s.region + s.partition
			}
		case p.Name == "NotifyTopicArn":
			s.fixed += 85 + n
		case p.Name == "KmsKeyArns":
			s.fixed += 255 + n + 3*strings.Count(p.Value, ",") + 4*s.region
		}
	}
	return s
}

// of returns the size of the policy with lists, or with the patterns in the place of empty
// ones. Two statements have the families, and two the rules.
func (s policySize) of(r *resources) int {
	size := s.fixed
	if len(r.families) == 0 {
		size += 220 + 4*(s.project+s.env+s.region+s.partition)
	}
	if len(r.roles) == 0 {
		size += 95 + 2*(s.project+s.env+s.partition)
	}
	if len(r.repositories) == 0 {
		size += 45 + s.project + s.region + s.partition
	}
	if len(r.schedules) > 0 {
		size += 280 + len(r.extraRoles)
	}
	if len(r.rules) > 0 {
		size += 450 + s.cluster + s.region + s.partition + len(r.extraRoles)
	}
	if len(r.schedules)+len(r.rules) > 0 {
		size += 95 + len(r.extraRoles)
	}
	for _, list := range [][]string{r.families, r.families, r.extraFamilies, r.extraFamilies, r.roles,
		r.schedules, r.scheduleRoles, r.scheduleRoles, r.rules, r.rules, r.ruleRoles, r.ruleRoles, {r.extraRoles},
		r.repositories, r.extraRepositories} {
		for _, arn := range list {
			size += len(arn) + len(`"",`)
		}
	}
	return size
}
