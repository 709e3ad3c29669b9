package pointer

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
)

// TestMoveKeepsForm checks that a task definition without an ARN gets no ARN.
func TestMoveKeepsForm(t *testing.T) {
	t.Parallel()
	_, a, c := world(t)
	err := errors.Join(a.Schedule(t.Context(), "s", schedule("rate(1 hour)", "report:1")),
		a.Rule(t.Context(), "r", targetOf("t", cluster, "report:1")))
	if err != nil {
		t.Fatal(err)
	}
	read, err := c.Read(t.Context(), owner, "schedule/jobs/s,rule/r")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range read {
		if err := c.Move(t.Context(), owner, p, second); err != nil {
			t.Error(err)
		}
	}
	read, err = c.Read(t.Context(), owner, "schedule/jobs/s,rule/r")
	if err != nil || read[0].TaskDefinition != "report:2" || read[1].TaskDefinition != "report:2" {
		t.Errorf("%+v, %v", read, err)
	}
}

// TestTargetsInPages reads the targets of a rule that come in two pages, and are ordered by their ids.
func TestTargetsInPages(t *testing.T) {
	t.Parallel()
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked = append(asked, string(body))
		answer := `{"Targets":[` + targetOf("b", cluster, second) + `],"NextToken":"more"}`
		if len(asked) > 1 {
			answer = `{"Targets":[` + targetOf("a", cluster, first) + `]}`
		}
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(s.Close)
	c := New(accounts.Connect(s.URL, account, "us-east-1").Config)
	read, err := c.Read(t.Context(), owner, "rule/bus/uploads")
	if err != nil || len(read) != 2 || read[0].Revision() != 1 || read[1].Revision() != 2 {
		t.Errorf("%+v, %v", read, err)
	}
	want := []string{`{"EventBusName":"bus","Rule":"uploads"}`,
		`{"EventBusName":"bus","NextToken":"more","Rule":"uploads"}`}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
}

// TestMoveOnEventBus moves one target of a rule that is on a bus of its own: the rule of that bus is changed, which may
// have the name of one on the default bus, and no other target is sent.
func TestMoveOnEventBus(t *testing.T) {
	t.Parallel()
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked = append(asked, string(body))
		answer := `{"Targets":[` + targetOf("a", cluster, first) + `,` + targetOf("b", cluster, "other:1") + `]}`
		if len(asked) > 1 {
			answer = `{"FailedEntryCount":0,"FailedEntries":[]}`
		}
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(s.Close)
	c := New(accounts.Connect(s.URL, account, "us-east-1").Config)
	read, err := c.Read(t.Context(), owner, "rule/bus/uploads")
	if err != nil || len(read) != 1 || read[0].String() != "rule/bus/uploads/a" {
		t.Fatalf("%+v, %v", read, err)
	}
	if err := c.Move(t.Context(), owner, read[0], second); err != nil {
		t.Error(err)
	}
	want := []string{`{"EventBusName":"bus","Rule":"uploads"}`,
		`{"Rule":"uploads","EventBusName":"bus","Targets":[` + targetOf("a", cluster, second) + `]}`}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
}
