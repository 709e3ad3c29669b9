// Package ecsservice reads what Amazon ECS runs: services, their task
// definition revisions and containers, and the deployments of services. It
// finds out why a service cannot be deployed to. The only thing it writes is a
// revision's tags, the journal.
package ecsservice
