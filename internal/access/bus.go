package access

import (
	"fmt"
	"slices"

	"deployer/internal/environment"
)

// putting is events:PutEvents on one bus, of events with one detail-type and
// one of the sources. What the request says of a source is a list to IAM and a
// detail-type is not ("Actions, resources, and condition keys for Amazon
// EventBridge"), so the first takes ForAllValues. That is true of an empty list
// too, which Null rules out. EventBridge asks for each entry of a call apart.
func putting(sid, bus, detailType string, sources ...string) statement {
	return statement{Sid: sid, Action: "events:PutEvents", Resource: bus, Condition: condition{
		"ForAllValues:StringEquals": {"events:source": named(sources)},
		"Null":                      {"events:source": "false"},
		"StringEquals":              {"events:detail-type": detailType},
	}}
}

// Bus returns the policy of an environment's event bus: the callers may send
// the DEPLOY events that the environment obeys, and the account of its registry
// may forward pushes, where pushes deploy. Without callers only the second.
func Bus(env *environment.Environment, who Callers) (Policy, error) {
	bus, err := busARN(env)
	if err != nil {
		return Policy{}, err
	}
	var statements []statement
	switch {
	case who.nobody():
	case len(env.DeploySources) == 0:
		return Policy{}, noSources(env)
	default:
		statements = append(statements, who.admit(env, putting("SendDeployEvents", bus, "DEPLOY", env.DeploySources...)))
	}
	if accounts := pushers(env); len(accounts) > 0 {
		// Under the id that the stack gives its own, so that it replaces it.
		s := putting(env.Project+"_deployer_"+env.Name, bus, "ECR Image Action", "aws.ecr")
		s.Principal = roots(env, accounts)
		statements = append(statements, s)
	}
	if len(statements) == 0 {
		return Policy{}, fmt.Errorf("%w: no other account has to send %s events (to let others send it DEPLOY events, name them: -accounts A,B or -org ID)", ErrUnnamed, env.Name)
	}
	doc := newDocument(statements...)
	return Policy{
		JSON: text(doc, ""),
		Notes: []string{
			"put it on the default event bus of account " + env.AccountID + " in " + env.Region + ", with that account's credentials",
			"a bus has one policy, which this replaces; the statement of the deployer's own stack is in it, another's have to be added (aws events describe-event-bus shows them)",
			"this is the receiver's side; the policies of the roles that send have to allow it too",
		},
		Steps: []string{"aws events put-permission --region " + env.Region + " --policy file://policy.json"},
		Terraform: resource("aws_cloudwatch_event_bus_policy", identifier(env.Project+"_"+env.Name),
			"# In account "+env.AccountID+" in "+env.Region+".", attribute{"event_bus_name", "default"}, attribute{"policy", doc}),
	}, nil
}

// pushers returns the accounts whose pushes deploy here: none but other
// accounts, for those of the environment's own arrive by themselves.
func pushers(env *environment.Environment) []string {
	var accounts []string
	if env.AutoDeploy.IsEmpty() {
		return nil
	}
	for _, w := range env.Workloads {
		r := w.Registry
		if w.Deployable() && w.Repository != "" && foreign(env, r) && !slices.Contains(accounts, r.AccountID) {
			accounts = append(accounts, r.AccountID)
		}
	}
	return accounts
}

func noSources(env *environment.Environment) error {
	return fmt.Errorf("%s obeys no DEPLOY event: deployer.deploy_sources in %s is empty (name a source there, like action.%s)", env.Name, env.File, env.Name)
}
