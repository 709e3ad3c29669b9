// Package ecsservice reads services of Amazon ECS, their task definition
// revisions, containers and deployments, and checks whether a service can be
// deployed to. Its only write is the journal: the tags of a revision.
package ecsservice
