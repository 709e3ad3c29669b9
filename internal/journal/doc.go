// Package journal encodes and decodes the journal of a task definition
// revision: its tags under "deployer:", which say for which event the revision
// was registered, and how its rollout ended. There is no database: history,
// idempotency and the order of events are read from these tags.
//
// The package is pure: it makes no call and knows no AWS SDK.
package journal
