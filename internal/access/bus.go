package access

import (
	"fmt"
	"slices"

	"deployer/internal/environment"
)

// putting returns a statement that allows events:PutEvents on a bus for events with
// one of the detail-types and one of the sources. Both keys are lists to IAM (see
// "Actions, resources, and condition keys for Amazon EventBridge"), so they take
// ForAllValues. That holds for an empty list too, which Null excludes. EventBridge
// evaluates the policy for each entry of a call.
func putting(sid, bus string, detailTypes, sources []string) statement {
	return statement{Sid: sid, Action: "events:PutEvents", Resource: bus, Condition: condition{
		"ForAllValues:StringEquals": {"events:source": named(sources), "events:detail-type": named(detailTypes)},
		"Null":                      {"events:source": "false", "events:detail-type": "false"},
	}}
}

// deploys and pushed are the detail-types of DEPLOY events and of an image's arrival
// in a registry.
var (
	deploys = []string{"DEPLOY"}
	pushed  = []string{"ECR Image Action", "ECR Replication Action"}
)

// Bus returns the policy for an environment's event bus. It allows the callers to send
// the DEPLOY events that the environment accepts, and the registry's account to
// forward pushes if pushes deploy. Without callers it allows only the latter.
func Bus(env *environment.Environment, callers Callers) (Policy, error) {
	bus, err := busARN(env)
	if err != nil {
		return Policy{}, err
	}
	var statements []statement
	switch {
	case callers.empty():
	case len(env.DeploySources) == 0:
		return Policy{}, noSources(env)
	default:
		statements = append(statements, callers.admit(env,
			putting("SendDeployEvents", bus, deploys, env.DeploySources)))
	}
	if accounts := pushers(env); len(accounts) > 0 {
		// The stack's own statement has the same id, so that one replaces the other.
		s := putting(env.FunctionName(), bus, pushed, []string{"aws.ecr"})
		s.Principal = roots(env, accounts)
		statements = append(statements, s)
	}
	if len(statements) == 0 {
		return Policy{}, fmt.Errorf(
			"%w: no other account needs to send events to %s (to allow DEPLOY events from others, name them: "+
				"--accounts 111111111111,222222222222 or --org o-a1b2c3d4e5)", ErrUnnamed, env.Name)
	}
	doc := newDocument(statements...)
	return Policy{
		JSON: text(doc, ""),
		Notes: append([]string{
			"put it on the default event bus of account " + env.AccountID + " in " + env.Region +
				", with that account's credentials",
			"a bus has one policy, which this replaces; it includes the statement of the deployer's stack; add " +
				"other statements that the bus has now (aws events describe-event-bus)",
			"the policies of the sending roles must allow it too",
		}, callers.acceptedBy(env)...),
		Steps: []string{"aws events put-permission --region " + env.Region + " --policy file://policy.json"},
		Terraform: resource("aws_cloudwatch_event_bus_policy", identifier(env.Project+"_"+env.Name),
			"# In account "+env.AccountID+" in "+env.Region+".", attribute{"event_bus_name", "default"},
			attribute{"policy", doc}),
	}, nil
}

// pushers returns the other accounts whose pushes deploy here. Events of the own
// account are on the bus anyway.
func pushers(env *environment.Environment) (accounts []string) {
	for _, r := range env.PushRegistries() {
		if foreign(env, r) && !slices.Contains(accounts, r.AccountID) {
			accounts = append(accounts, r.AccountID)
		}
	}
	return accounts
}

func noSources(env *environment.Environment) error {
	return fmt.Errorf(
		"%s accepts no DEPLOY event: deployer.deploy_sources in %s is empty (name a source there, like action.%s)",
		env.Name, env.File, env.Name)
}
