package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// publishedEvent is an entry of a PutEvents call of the function.
type publishedEvent struct {
	DetailType   string
	Source       string
	EventBusName string
	Resources    []string
	Detail       string
	outcome      map[string]any // Detail, decoded
}

// outcomes returns the events that functions put, which must be valid by
// docs/reference/outcome.schema.json.
func (s *scenario) outcomes(t *testing.T) (all []publishedEvent) {
	t.Helper()
	for _, c := range s.aws.Calls() {
		if c.Operation != "PutEvents" || c.Role == "" {
			continue
		}
		var in struct{ Entries []publishedEvent }
		must(t, json.Unmarshal(c.Body, &in))
		for _, e := range in.Entries {
			detail, err := jsonschema.UnmarshalJSON(strings.NewReader(e.Detail))
			must(t, err)
			if err := outcomeSchema().Validate(detail); err != nil {
				t.Errorf("an outcome does not match docs/reference/outcome.schema.json: %v\n%s", err, e.Detail)
			}
			must(t, json.Unmarshal([]byte(e.Detail), &e.outcome))
			all = append(all, e)
		}
	}
	return all
}

var outcomeSchema = sync.OnceValue(func() *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	return c.MustCompile("../../docs/reference/outcome.schema.json")
})

// String renders an event: its type and message, then a line for each other member
// that is not as usual.
func (e publishedEvent) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", e.DetailType, e.outcome["message"])
	rest := e.unusual()
	delete(rest, "message")
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		text := compactJSON(rest[name])
		if s, ok := rest[name].(string); ok && !strings.ContainsAny(s, "\n\"") {
			text = s
		}
		if change, ok := rest[name].(map[string]any); ok && len(change) == 2 && change["before"] != nil {
			text = fmt.Sprintf("%s → %s", change["before"], change["after"])
		}
		fmt.Fprintf(&b, "  %s: %s\n", name, text)
	}
	return b.String()
}

// unusual returns the members of the event that differ from what every outcome of
// prod's backend has: the schema's version, the names, the links to the console, and
// the envelope. A usual member that is missing is returned as null.
func (e publishedEvent) unusual() map[string]any {
	const (
		console = "https://us-east-1.console.aws.amazon.com/ecs/v2/"
		service = console + "clusters/myproject_cluster_prod/services/myproject_service_prod/"
	)
	links := map[string]any{
		"service":    service + "health?region=us-east-1",
		"deployment": service + "deployments?region=us-east-1",
		"logs":       service + "logs?region=us-east-1",
	}
	if revision, ok := e.outcome["revision"].(map[string]any); ok {
		after := fmt.Sprint(revision["after"])
		links["task_definition"] = console + "task-definitions/myproject_service_prod/" +
			after[strings.LastIndexByte(after, ':')+1:] + "/containers?region=us-east-1"
	}
	usual := map[string]any{
		"schema": 1.0, "environment": "prod", "project": "myproject", "service": "backend", "cluster": prodCluster,
		"links": links, "(source)": "deployer", "(bus)": "default",
		"(resources)": []string{"arn:aws:ecs:us-east-1:333333333333:service/" + prodCluster + "/" + prodBackend},
	}
	all := map[string]any{"(source)": e.Source, "(bus)": e.EventBusName, "(resources)": e.Resources}
	maps.Copy(all, e.outcome)
	for name, value := range usual {
		if got := all[name]; reflect.DeepEqual(got, value) {
			delete(all, name)
		} else {
			all[name] = got
		}
	}
	return all
}

func compactJSON(v any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // it was decoded from JSON
	}
	return strings.TrimSuffix(b.String(), "\n")
}
