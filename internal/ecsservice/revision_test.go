package ecsservice

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/journal"
)

// TestRecord checks that the record contains the image of the workload's container.
func TestRecord(t *testing.T) {
	t.Parallel()
	entry := journal.Entry{Cause: event.Cause{ID: "e1", Time: eventTime}, Tag: "v1", Digest: digest}
	base := journal.Record{TaskDefinition: arn + "f:7", Revision: 7, Registered: eventTime}
	foreign, ours := base, base
	foreign.Image, foreign.Tag, foreign.Foreign = host+"/p_service_web:v1", "v1", true
	gone := foreign
	gone.Inactive = true
	none := base
	none.Foreign = true
	ours.Cause, ours.Image, ours.Tag, ours.Digest = entry.Cause, foreign.Image, "v1", digest
	const sidecar = "log_router=public.ecr.aws/aws-observability/aws-for-fluent-bit:stable"
	const app = "app=" + host + "/p_service_web:v1"
	for _, tt := range []struct {
		name   string
		td     *types.TaskDefinition
		status types.TaskDefinitionStatus
		tags   []journal.Tag
		want   journal.Record
	}{
		{"with a journal", containers(sidecar, app), "ACTIVE", entry.Tags(), ours},
		{"without a journal", containers(sidecar, app), "ACTIVE", nil, foreign},
		{"deregistered", containers(sidecar, app), "INACTIVE", nil, gone},
		{"being deleted", containers(sidecar, app), "DELETE_IN_PROGRESS", nil, gone},
		{"without the workload's container", containers("a=nginx", "b=redis"), "ACTIVE", nil, none},
	} {
		tt.td.TaskDefinitionArn, tt.td.Revision = aws.String(arn+"f:7"), 7
		tt.td.Status, tt.td.RegisteredAt = tt.status, &eventTime
		if diff := cmp.Diff(tt.want, target.Record(Revision{tt.td, SDKTags(tt.tags), nil})); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestNames checks family, number and sibling of revisions' names.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, family string
		number       int
	}{{arn + "f:12", "f", 12}, {"f:12", "f", 12}, {"f", "f", 0}, {"", "", 0}} {
		if FamilyOf(tt.name) != tt.family || NumberOf(tt.name) != tt.number {
			t.Errorf("%q: family %q, number %d", tt.name, FamilyOf(tt.name), NumberOf(tt.name))
		}
	}
	if got := Sibling(arn+"f:12", 9); got != arn+"f:9" {
		t.Errorf("sibling %q", got)
	}
}

// TestAddNote checks that a note is added to a journal, that other tags are kept, and that
// foreign revisions are not tagged.
func TestAddNote(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	entry := journal.Entry{Cause: event.Cause{ID: "e", Time: eventTime, Actor: "ada"}}
	a.register(t, host+"/p_service_web:v2", append(entry.Tags(), journal.Tag{Key: "team", Value: "web"})...)
	note := func(r journal.Record, n journal.Note) journal.Record {
		t.Helper()
		must(t, a.services.AddNote(t.Context(), r, n))
		after, err := a.services.Record(t.Context(), target, r.TaskDefinition)
		must(t, err)
		return after
	}
	for n, foreign := range []bool{true, false} {
		before, err := a.services.Record(t.Context(), target, fmt.Sprint(arn, target.Family, ":", n+1))
		must(t, err)
		want := before
		if !foreign {
			want.DeploymentID, want.Outcome = "ecs-svc/1", journal.Failed
		}
		note(before, journal.Note{DeploymentID: "ecs-svc/1"})
		if diff := cmp.Diff(want, note(before, journal.Note{Outcome: journal.Failed})); diff != "" {
			t.Errorf("foreign %v: %s", foreign, diff)
		}
	}
	after, err := a.services.DescribeRevision(t.Context(), target.Family)
	must(t, err)
	if after.tags()["team"] != "web" {
		t.Errorf("tags %v", after.tags())
	}
}

// TestRecordOrARN checks the record of a revision that does not exist.
func TestRecordOrARN(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	missing := arn + target.Family + ":9"
	if _, err := a.services.Record(t.Context(), target, missing); fault.NameOf(err) != "TaskDefinitionNotFound" {
		t.Errorf("%v", err)
	}
	got, err := a.services.RecordOrARN(t.Context(), target, missing)
	if diff := cmp.Diff(journal.Record{TaskDefinition: missing, Revision: 9}, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}
