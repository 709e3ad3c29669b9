package environment

import "strings"

// MatchesARN reports whether the stack's rule and role match a service of the cluster by
// its ARN: the long one, service/CLUSTER/NAME, or the short one of a service that was
// created before its account opted in to long ARNs, service/NAME, if its name begins with
// [Environment.ShortARNPrefix].
func (e *Environment) MatchesARN(arn string) bool {
	_, name, _ := strings.Cut(arn, ":service/")
	return strings.Contains(name, "/") || strings.HasPrefix(name, e.ShortARNPrefix())
}

// ShortARNPrefix is how the name of a service with a short ARN must begin.
func (e *Environment) ShortARNPrefix() string { return e.Project + "_service_" }

// LongARNSteps returns the steps that give a service with a short ARN the long one. A
// TagResource with the long ARN migrates the service ("Migrate an Amazon ECS short service
// ARN to a long ARN" in the ECS developer guide, which has the setting too).
func (e *Environment) LongARNSteps(arn string) string {
	long := strings.Replace(arn, ":service/", ":service/"+e.Cluster+"/", 1)
	return "migrate it, which cannot be undone: as the user or role that created the service, aws ecs " +
		"put-account-setting --region " + e.Region + " --name serviceLongArnFormat --value enabled, then aws ecs " +
		"tag-resource --region " + e.Region + " --resource-arn " + long + " --tags key=arn,value=long"
}

// adviseOnShortARN warns about the short ARN of a service that the stack does not match.
// An ARN under a key does not say that the service still has it.
func (s section) adviseOnShortARN(e *Environment, name string) {
	arn := s.text("service")
	if !strings.HasPrefix(arn, "arn:") || e.MatchesARN(arn) {
		return
	}
	s.adviseOn("service", "is "+quote(arn)+", a short ARN, without the cluster: the stack's rule and role match "+
		"short ARNs only of services whose names begin with "+e.ShortARNPrefix()+", so no outcome would be reported "+
		"and UpdateService would be denied", "write "+name+", and if the service still has that ARN, "+
		e.LongARNSteps(arn))
}
