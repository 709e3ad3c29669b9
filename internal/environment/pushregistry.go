package environment

import (
	"slices"

	"deployer/internal/image"
)

// PushRegistries returns the registries whose pushes can deploy a workload, each once,
// in the file's order; none if no push deploys. Besides the strategy's, they are those
// of images and repositories that the file names by hand.
func (e *Environment) PushRegistries() (registries []image.Registry) {
	if e.AutoDeploy.IsEmpty() {
		return nil
	}
	for _, w := range e.Workloads {
		if w.DeploysOnPush() && !slices.Contains(registries, w.Registry) {
			registries = append(registries, w.Registry)
		}
	}
	return registries
}
