package stack

import (
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// policySize estimates how many characters the policies of the function's role have, without white space: at least as
// many as they really have. Most names are in them several times.
type policySize struct {
	project, env, cluster, region, partition int // characters of the names
	fixed                                    int // the inline policy, without its lists
}

// policyKind is one of the policies of the function's role.
type policyKind struct {
	name  string
	limit int
	size  func(s policySize, r *resources) int
}

// The limits on policies, without white space (IAM and STS quotas): of a role's inline policies, and of a managed one.
const maxInline, maxManaged = 10240, 6144

// The policies, with the names that are in those of the template.
var (
	inline = policyKind{"deployer", maxInline, func(s policySize, r *resources) int {
		if len(r.policies) > 0 {
			return s.fixed + 640
		}
		return s.fixed + s.families(r)
	}}
	outcomes = policyKind{"outcomes", maxManaged, func(s policySize, r *resources) int {
		return 370 + s.families(r)
	}}
	taskRoles = policyKind{"roles", maxManaged, func(s policySize, r *resources) int {
		size := 220 + lengthOf(r.roles) + len(r.extraRoles) + 3*strings.Count(r.extraRoles, ",")
		if len(r.roles) == 0 {
			size += 95 + 2*(s.project+s.env+s.partition)
		}
		return size
	}}
	moreTaskRoles = policyKind{"more_roles", maxManaged, func(_ policySize, r *resources) int {
		return 220 + lengthOf(r.moreRoles)
	}}
	images = policyKind{"images", maxManaged, func(s policySize, r *resources) int {
		size := 200 + lengthOf(r.repositories, r.extraRepositories)
		if len(r.repositories) == 0 {
			size += 45 + s.project + s.region + s.partition
		}
		return size
	}}
	schedules = policyKind{"schedules", maxManaged, func(_ policySize, r *resources) int {
		return 180 + lengthOf(r.schedules)
	}}
	rules = policyKind{"rules", maxManaged, func(s policySize, r *resources) int {
		return 360 + s.cluster + s.region + s.partition + 2*lengthOf(r.rules)
	}}
	starts = policyKind{"starts", maxManaged, func(_ policySize, r *resources) int {
		return 360 + lengthOf(r.scheduleRoles, r.ruleRoles) + 2*(len(r.extraRoles)+3*strings.Count(r.extraRoles, ","))
	}}
	checks = policyKind{"checks", maxManaged, func(_ policySize, r *resources) int {
		return 180 + lengthOf(r.scheduleRoles, r.ruleRoles) + len(r.extraRoles) + 3*strings.Count(r.extraRoles, ",")
	}}
	policyKinds = []policyKind{inline, outcomes, taskRoles, moreTaskRoles, images, schedules, rules, starts, checks}
)

// sizeOf returns the size of an environment's policies without their lists, for the parameters of its stack.
func sizeOf(env *environment.Environment, all []Parameter) policySize {
	s := policySize{project: len(env.Project), env: len(env.Name), cluster: len(env.Cluster),
		region: max(len(env.Region), len(env.Registry().Region)), partition: len(image.PartitionOf(env.Region).Name)}
	s.fixed = 2750 + 6*s.project + 4*s.env + 8*s.cluster + 15*s.region + 16*s.partition
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

// of returns the size of a policy with lists, or with the backend's names in the place of empty ones.
func (s policySize) of(r *resources, kind policyKind) int { return kind.size(s, r) }

// fits reports whether IAM accepts policies.
func (s policySize) fits(r *resources, kinds ...policyKind) bool {
	for _, kind := range kinds {
		if s.of(r, kind) > kind.limit {
			return false
		}
	}
	return true
}

// families returns the size of the list of families.
func (s policySize) families(r *resources) int {
	size := lengthOf(r.families, r.extraFamilies)
	if len(r.families) == 0 {
		size += 110 + 2*(s.project+s.env+s.region+s.partition)
	}
	return size
}

// lengthOf returns the size of lists.
func lengthOf(lists ...[]string) (size int) {
	for _, list := range lists {
		for _, arn := range list {
			size += len(arn) + len(`"",`)
		}
	}
	return size
}
