package pipeline

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"deployer/internal/ecsdeploy"
	"deployer/internal/fault"
)

// oddAnswers are answers with which a proxy, a gateway or a broken service may replace
// the real one, which has HTTP status 200.
var oddAnswers = []struct {
	name   string
	status int // 200 if it is 0
	change func(real []byte) []byte
}{
	{"no members", 0, func([]byte) []byte { return []byte("{}") }},
	{"null", 0, func([]byte) []byte { return []byte("null") }},
	{"empty", 0, func([]byte) []byte { return nil }},
	{"a list", 0, func([]byte) []byte { return []byte("[]") }},
	{"cut in half", 0, func(real []byte) []byte { return real[:len(real)/2] }},
	{"HTML", 0, func([]byte) []byte { return []byte("<html><body>Welcome to the proxy</body></html>") }},
	{"HTML with status 502", 502, func([]byte) []byte { return []byte("<html>Bad Gateway</html>") }},
	{"HTML with status 403", 403, func([]byte) []byte { return []byte("<html>Forbidden</html>") }},
	{"null members", 0, members(func(any) any { return nil })},
	{"empty members", 0, members(func(v any) any {
		switch v.(type) {
		case []any:
			return []any{}
		case map[string]any:
			return map[string]any{}
		}
		return ""
	})},
	{"null items", 0, members(func(v any) any { return items(v, nil) })},
	{"empty items", 0, members(func(v any) any { return items(v, map[string]any{}) })},
	{"null members of members", 0, members(func(v any) any {
		for _, one := range append(list(v), v) {
			if object, ok := one.(map[string]any); ok {
				for key := range object {
					object[key] = nil
				}
			}
		}
		return v
	})},
	{"other types", 0, members(func(any) any { return 7 })},
}

// members returns a change of each member of a JSON object.
func members(change func(any) any) func([]byte) []byte {
	return func(real []byte) []byte {
		var object map[string]any
		if json.Unmarshal(real, &object) != nil {
			return []byte("{}")
		}
		for key, value := range object {
			object[key] = change(value)
		}
		text, _ := json.Marshal(object)
		return text
	}
}

func list(v any) []any { l, _ := v.([]any); return l }

// items replaces the items of a list, if v is one.
func items(v, by any) any {
	for i := range list(v) {
		list(v)[i] = by
	}
	return v
}

// TestOddAnswers replaces each answer of AWS while an event is handled. No answer ends
// the process or is taken for a decision: the event fails with a named fault, or it is
// handled as well as can be. Without the odd answers, its retry handles it.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		noAccount bool
		prepare   func(*testing.T, *oddWorld) (event string)
		// statuses are those with which the event may be handled in spite of odd answers.
		statuses []ecsdeploy.Status
		only     []string // the operations whose answers are replaced; nil for all
	}{
		{"deploy", true, func(t *testing.T, w *oddWorld) string {
			t.Helper()
			w.push(t, "v2")
			return w.event("DEPLOY", "action.dev", `{"service":"s0","tag":"v2"}`)
		}, []ecsdeploy.Status{ecsdeploy.Deployed}, nil},
		{"roll back", false, func(t *testing.T, w *oddWorld) string {
			t.Helper()
			w.deploy(t)
			time.Sleep(10 * time.Minute)
			w.aws.Tick()
			if _, err := w.handle(t, w.rollout(t, "SERVICE_DEPLOYMENT_COMPLETED")); err != nil {
				t.Fatal(err)
			}
			if _, err := w.dev.Push(t.Context(), "p_service_s0", "v3", "v3"); err != nil {
				t.Fatal(err)
			}
			if _, err := w.handle(t, w.event("DEPLOY", "action.dev", `{"service":"s0","tag":"v3"}`)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			return w.event("DEPLOY", "action.dev", `{"service":"s0","action":"rollback"}`)
		}, []ecsdeploy.Status{ecsdeploy.Deployed}, []string{"ListTaskDefinitions", "DescribeTaskDefinition"}},
		{"rollout started", false, func(t *testing.T, w *oddWorld) string {
			t.Helper()
			w.deploy(t)
			return w.rollout(t, "SERVICE_DEPLOYMENT_IN_PROGRESS")
		}, []ecsdeploy.Status{ecsdeploy.Followed}, nil},
		{"rollout completed", false, func(t *testing.T, w *oddWorld) string {
			t.Helper()
			w.deploy(t)
			time.Sleep(10 * time.Minute)
			w.aws.Tick()
			return w.rollout(t, "SERVICE_DEPLOYMENT_COMPLETED")
		}, []ecsdeploy.Status{ecsdeploy.Followed}, nil},
		{"rollout failed", false, func(t *testing.T, w *oddWorld) string {
			t.Helper()
			w.aws.FailImage("sha256")
			w.deploy(t)
			event := w.rollout(t, "SERVICE_DEPLOYMENT_FAILED")
			time.Sleep(10 * time.Minute)
			w.aws.Tick()
			return event
		}, []ecsdeploy.Status{ecsdeploy.Followed}, nil},
		{"lost push", false, func(t *testing.T, w *oddWorld) string {
			t.Helper()
			time.Sleep(time.Hour)
			w.push(t, "latest")
			time.Sleep(time.Hour)
			return strings.Replace(scheduled, "2026-01-22T10:15:00Z", time.Now().UTC().Format(time.RFC3339), 1)
		}, []ecsdeploy.Status{ecsdeploy.Deployed},
			[]string{"DescribeImages", "DescribeServices", "DescribeTaskDefinition"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var operations []string
			want := ""
			synctest.Test(t, func(t *testing.T) {
				w := newOddWorld(t, !tt.noAccount)
				event := tt.prepare(t, w)
				w.aws.ResetCalls()
				got, err := w.handle(t, event)
				if err != nil || !slices.Contains(tt.statuses, got.Status) {
					t.Fatalf("%+v, %v", got, err)
				}
				for _, c := range w.aws.Calls() {
					if !slices.Contains(operations, c.Operation) {
						operations = append(operations, c.Operation)
					}
				}
				want = w.result(t)
			})
			for _, operation := range operations {
				if tt.only != nil && !slices.Contains(tt.only, operation) {
					continue
				}
				for _, odd := range oddAnswers {
					if operation == "ListTaskDefinitions" && odd.name == "empty members" {
						continue // a family may have no revision
					}
					t.Run(operation+"/"+odd.name, func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							w := newOddWorld(t, !tt.noAccount)
							event := tt.prepare(t, w)
							w.aws.ResetCalls()
							w.transport.operation = operation
							w.transport.status, w.transport.change = odd.status, odd.change
							got, err := w.handle(t, event)
							if w.transport.replaced == 0 {
								t.Fatal("no answer was replaced")
							}
							switch name := fault.NameOf(err); {
							case err != nil && (name == "Unknown" || name == "" || fault.IsRejected(err)):
								t.Errorf("it failed without a name: %v", err)
							case err != nil:
								t.Logf("%s: %v", name, err)
							case !slices.Contains(tt.statuses, got.Status):
								t.Errorf("it was handled: %s: %s", got.Status, got.Reason)
							}
							w.transport.operation = ""
							if _, err = w.handle(t, event); err != nil {
								t.Errorf("the retry: %v", err)
							}
							if got := w.result(t); got != want {
								t.Errorf("after the retry: %s, want %s", got, want)
							}
						})
					})
				}
			}
		})
	}
}
