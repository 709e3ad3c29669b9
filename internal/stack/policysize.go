package stack

import (
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// policySize estimates how many characters the policies of the function's role have, without white space: at least as
// many as they really have. Most names are in them several times.
type policySize struct {
	cluster, region, partition int // characters of the names
	fixed                      int // the inline policy, without its lists
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
		return s.fixed + lengthOf(r.families, r.extraFamilies)
	}}
	outcomes = policyKind{"outcomes", maxManaged, func(_ policySize, r *resources) int {
		return 370 + lengthOf(r.families, r.extraFamilies)
	}}
	taskRoles = policyKind{"roles", maxManaged, func(_ policySize, r *resources) int {
		return 220 + lengthOf(r.roles) + len(r.extraRoles) + 3*strings.Count(r.extraRoles, ",")
	}}
	moreTaskRoles = policyKind{"more_roles", maxManaged, func(_ policySize, r *resources) int {
		return 220 + lengthOf(r.moreRoles)
	}}
	images = policyKind{"images", maxManaged, func(_ policySize, r *resources) int {
		return 200 + lengthOf(r.repositories, r.extraRepositories)
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
	s := policySize{cluster: len(env.Cluster), region: max(len(env.Region), len(env.Registry().Region)),
		partition: len(image.PartitionOf(env.Region).Name)}
	s.fixed = 2750 + 6*len(env.Project) + 4*len(env.Name) + 8*s.cluster + 15*s.region + 16*s.partition
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

// of returns the size of a policy with the lists, of which [resources.fill] leaves none empty.
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

// lengthOf returns the size of lists.
func lengthOf(lists ...[]string) (size int) {
	for _, list := range lists {
		for _, arn := range list {
			size += len(arn) + len(`"",`)
		}
	}
	return size
}
