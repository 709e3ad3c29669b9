package environment

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// misplaced returns the settings that stand beside the section instead of in it, with their right names. It leaves out
// `base`, `notify` and `workloads`: the infrastructure may have keys of these names itself.
func (s section) misplaced() map[string]string {
	names := []string{"auto_deploy", "cluster", "deploy_sources", "image", "redeploy_on", "replicated", "role_patterns"}
	found := map[string]string{}
	for key, node := range s.values {
		name := key
		if !slices.Contains(names, key) {
			name = Nearest(key, names)
		}
		if name == "" || name == "cluster" && node.Kind != yaml.ScalarNode ||
			name == "image" && !slices.Contains([]string{string(ByDigest), string(ByTag)}, node.Value) {
			continue
		}
		found[key] = name
	}
	return found
}
