// Package ecsservice reads services of Amazon ECS, their task definition
// revisions, containers and deployments, and checks whether a service can be
// deployed to. A task is read as if it had a service. The package writes notes into journals,
// which are the tags of revisions, and moves the pointers of tasks by package pointer.
package ecsservice
