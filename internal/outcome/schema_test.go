package outcome

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"deployer/internal/event"
)

const schemaFile = "../../docs/reference/outcome.schema.json"

// schema returns the contract, itself checked against JSON Schema's own schema.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func document(t *testing.T, text string) map[string]any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}

// TestSchema validates outcomes of every kind, and those of hostile events.
func TestSchema(t *testing.T) {
	t.Parallel()
	s := schema(t)
	all := samples(t)
	for name, event := range map[string]string{"cut off": `{"a":`, "huge": strings.Repeat("x", 1<<20)} {
		o := base(t)
		o.Problem, o.Event = "no", json.RawMessage(event)
		o.Cause.Actor, o.Cause.Reason = strings.Repeat("é", 1<<16), "a\n\"b\" <!channel>\x00\xff"
		var err error
		if all[name], err = Rejected(o); err != nil {
			t.Fatal(err)
		}
	}
	for name, o := range all {
		if err := s.Validate(document(t, string(o.Detail()))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaRefuses checks that the schema rejects what is not an outcome.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	s := schema(t)
	inner := func(d map[string]any, name string) map[string]any { return d[name].(map[string]any) }
	for name, spoil := range map[string]func(map[string]any){
		"an unknown field":            func(d map[string]any) { d["status"] = "deployed" },
		"an unknown field in image":   func(d map[string]any) { inner(d, "image")["now"] = "a" },
		"an unknown field in links":   func(d map[string]any) { inner(d, "links")["cluster"] = "https://a" },
		"an unknown field of a newer": func(d map[string]any) { d["superseded_by"] = map[string]any{"id": "a"} },
		"no schema":                   func(d map[string]any) { delete(d, "schema") },
		"another schema":              func(d map[string]any) { d["schema"] = json.Number("2") },
		"no message":                  func(d map[string]any) { delete(d, "message") },
		"an empty text":               func(d map[string]any) { d["actor"] = "" },
		"null":                        func(d map[string]any) { d["reason"] = nil },
		"an empty image":              func(d map[string]any) { d["image"] = map[string]any{} },
		"a revision's name":           func(d map[string]any) { inner(d, "revision")["after"] = "web:12" },
		"a digest without its kind":   func(d map[string]any) { d["digest"] = older },
		"a time in another zone":      func(d map[string]any) { d["event_time"] = "2026-01-22T10:15:30+01:00" },
		"an invalid time":             func(d map[string]any) { d["event_time"] = "yesterday, Z" },
		"seconds as text":             func(d map[string]any) { d["seconds"] = "92" },
		"negative seconds":            func(d map[string]any) { d["seconds"] = json.Number("-1") },
		"not foreign":                 func(d map[string]any) { d["foreign"] = false },
		"an event that is a list":     func(d map[string]any) { d["event"] = []any{} },
		"a link that is a script":     func(d map[string]any) { inner(d, "links")["service"] = "javascript:alert(1)" },
	} {
		d := document(t, string(samples(t)["succeeded"].Detail()))
		if spoil(d); s.Validate(d) == nil {
			t.Errorf("%s: it is valid", name)
		}
	}
}

// TestSchemaIsWhole checks that the schema has exactly the fields of outcomes.
func TestSchemaIsWhole(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var described struct {
		Properties map[string]struct{} `json:"properties"`
	}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&described); err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, of := range []reflect.Type{reflect.TypeFor[Outcome](), reflect.TypeFor[event.Cause]()} {
		for f := range of.Fields() {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "-" && !f.Anonymous {
				fields = append(fields, name)
			}
		}
	}
	slices.Sort(fields)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(described.Properties)), fields); diff != "" {
		t.Errorf("the schema and the type differ (-schema +type):\n%s", diff)
	}
}
