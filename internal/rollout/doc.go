// Package rollout follows rollouts of ECS services. A [Handler] observes a rollout for an
// event of ECS, and [Decide] says which outcomes to report of it. A [Client] shows, follows,
// continues and stops rollouts for commands.
//
//	reports, reason, err := rollout.NewHandler(services).Handle(ctx, env, e, at)
//	// publish each report's outcome, then note it with Handler.Journal
//
// Decide is pure. decide.go has what the start, the completion and the failure of a rollout
// lead to; decide_impaired.go and decide_hook.go the other events; decide_replaced.go what
// became of the rollouts that this one replaced. ends.go sees to it that an event has one
// end, and external.go that the step of an external rollout is reported once.
//
// IsRollback and RollbackOf say that the observed rollout is ECS's rollback of another one;
// RolledBackBy… and RolledBackTo, that ECS rolled the observed one back. Foreign means
// external: not the deployer's.
package rollout
