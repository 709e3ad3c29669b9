package compare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy"
)

// field is one setting of what a service runs.
type field struct {
	what, value string
	private     bool // shown only if values are asked for
	secret      bool // never shown
}

// serviceFields returns the settings of an ECS service that are no names of its account's
// resources.
func serviceFields(s *types.Service) (all []field) {
	if s == nil {
		return nil // a task has none
	}
	add := func(what string, value any) {
		all = append(all, field{what: "service: " + what, value: fmt.Sprint(value)})
	}
	add("desired count", s.DesiredCount)
	if s.LaunchType != "" {
		add("launch type", s.LaunchType)
	}
	if version := aws.ToString(s.PlatformVersion); version != "" {
		add("platform version", version)
	}
	add("execute command", s.EnableExecuteCommand)
	if s.HealthCheckGracePeriodSeconds != nil {
		add("health check grace period", *s.HealthCheckGracePeriodSeconds)
	}
	c := s.DeploymentConfiguration
	if c == nil {
		return all
	}
	breaker := "off"
	if b := c.DeploymentCircuitBreaker; b != nil && b.Enable {
		breaker = "on"
		if b.Rollback {
			breaker = "on, with rollback"
		}
	}
	add("circuit breaker", breaker)
	if c.Strategy != "" {
		add("strategy", c.Strategy)
	}
	if c.MinimumHealthyPercent != nil {
		add("minimum healthy percent", *c.MinimumHealthyPercent)
	}
	if c.MaximumPercent != nil {
		add("maximum percent", *c.MaximumPercent)
	}
	return all
}

// taskFields returns the settings of a task definition, given as RegisterTaskDefinition takes
// it. The images of the app's containers, by their names, are left out. Names of containers
// are compared without the environment's.
func taskFields(document []byte, app map[string]bool, names names) ([]field, error) {
	var td map[string]any
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	if err := d.Decode(&td); err != nil {
		return nil, fmt.Errorf("reading a task definition: %w", err)
	}
	containers, _ := td["containerDefinitions"].([]any)
	delete(td, "containerDefinitions")
	delete(td, "family")
	w := &walker{}
	w.object("", td, false)
	for _, one := range containers {
		c, _ := one.(map[string]any)
		name, _ := c["name"].(string)
		delete(c, "name")
		if app[name] {
			delete(c, "image")
		}
		prefix := "container: "
		if len(containers) > 1 {
			prefix = "container " + names.Replace(name) + ": "
			if app[name] {
				prefix = "app container: "
			}
		}
		w.object(prefix, c, false)
	}
	return w.fields, nil
}

// walker collects the settings of a JSON object.
type walker struct{ fields []field }

// lists are the members whose elements have a name, with the members that are the name and
// the value; other lists are compared whole.
var lists = map[string][2]string{
	"environment": {"name", "value"}, "secrets": {"name", "valueFrom"}, "secretOptions": {"name", "valueFrom"},
	"tags": {"key", "value"}, "environmentFiles": {"value", "type"},
}

// private are the members whose values may be secret.
var private = []string{"environment", "command", "entryPoint", "dockerLabels", "driverOpts", "labels"}

// labels are what members are called for people.
var labels = map[string]string{
	"taskRoleArn": "task role", "executionRoleArn": "execution role", "secrets": "secret",
	"tags":             "tag of the revision",
	"environmentFiles": "environment file",
}

// object adds the settings of an object.
func (w *walker) object(prefix string, o map[string]any, hidden bool) {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		label := name
		if known, ok := labels[name]; ok {
			label = known
		}
		hide := hidden || slices.Contains(private, name)
		switch v := o[name].(type) {
		case nil:
		case map[string]any:
			w.object(prefix+label+".", v, hide)
		case []any:
			w.list(prefix+label, name, v, hide)
		default:
			secret := strings.HasSuffix(prefix, "options.") && ecsdeploy.IsSecret(name)
			w.fields = append(w.fields, field{prefix + label, textOf(v), hide, secret})
		}
	}
}

// list adds the elements of a list: each by its name if they have one, else the whole.
func (w *walker) list(what, name string, list []any, hidden bool) {
	members, named := lists[name]
	if !named {
		if len(list) > 0 {
			w.fields = append(w.fields, field{what, textOf(list), hidden, false})
		}
		return
	}
	for _, one := range list {
		o, _ := one.(map[string]any)
		w.fields = append(w.fields, field{what + " " + textOf(o[members[0]]), textOf(o[members[1]]), hidden, false})
	}
}

// textOf returns a value as text: a string as it is, anything else as JSON.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, err := json.Marshal(v) // sorts the keys
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
