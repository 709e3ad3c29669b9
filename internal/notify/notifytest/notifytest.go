// Package notifytest has what the messages of every channel are held by: the
// outcomes they are of, and the comparison with their files.
package notifytest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/outcome"
)

// Outcomes returns an outcome of every kind, read from outcome/testdata as a
// listener on the bus would, and a hostile one: words of others that a channel
// must not take for commands, in every place where others' words can stand.
// Root leads to the directory internal.
func Outcomes(tb testing.TB, root, words string) map[string]outcome.Outcome {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(root, "outcome", "testdata", "*.json"))
	if err != nil || len(files) == 0 {
		tb.Fatal(err, files)
	}
	all := map[string]outcome.Outcome{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var event struct {
			Kind      outcome.Kind    `json:"detail-type"`
			Resources []string        `json:"resources"`
			Detail    outcome.Outcome `json:"detail"`
		}
		if err := json.Unmarshal(text, &event); err != nil {
			tb.Fatal(err)
		}
		event.Detail.Kind, event.Detail.ServiceARN = event.Kind, strings.Join(event.Resources, "")
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = event.Detail
	}
	hostile := all["failed"]
	hostile.Service, hostile.Tag, hostile.Cause.Actor, hostile.Cause.Reason, hostile.ECSReason = words, words, words, words, words
	hostile.RolledBackTo = outcome.Revision{}
	all["hostile"] = hostile
	return all
}

// Golden holds a message as JSON against its file in testdata, to the letter,
// and returns the JSON. UPDATE_GOLDEN=1 rewrites the file.
func Golden(tb testing.TB, file string, message any) string {
	tb.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(message); err != nil {
		tb.Fatal(err)
	}
	file = filepath.Join("testdata", file)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		tb.Errorf("%s (-want +got):\n%s", file, diff)
	}
	return b.String()
}
