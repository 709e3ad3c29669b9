// Package logs reads what the function logged: the lines of its log group in CloudWatch
// Logs, and the decisions in them.
package logs

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/fault"
	"deployer/internal/signed"
)

// Reader reads a log group.
type Reader struct {
	group  string
	client signed.Client
}

// New returns a reader of the log group with a name.
func New(config aws.Config, group string) *Reader { return &Reader{group, signed.New(config)} }

// Line is a line of the log.
type Line struct {
	At   time.Time
	Text string
}

// maxPages limits how many answers of up to 10,000 lines are read.
const maxPages = 20

// Lines returns the lines since a time, the oldest first: those that have all of the
// terms. It calls logs:FilterLogEvents. Its errors are faults.
func (r *Reader) Lines(ctx context.Context, since time.Time, terms ...string) (lines []Line, err error) {
	var quoted []string
	for _, term := range terms {
		quoted = append(quoted, `"`+strings.ReplaceAll(term, `"`, "")+`"`)
	}
	in := struct {
		Group   string `json:"logGroupName"`
		Begin   int64  `json:"startTime"`
		Pattern string `json:"filterPattern,omitempty"`
		Token   string `json:"nextToken,omitempty"`
	}{Group: r.group, Begin: since.UnixMilli(), Pattern: strings.Join(quoted, " ")}
	for range maxPages {
		answer, err := r.read(ctx, "FilterLogEvents", in)
		if err != nil {
			return nil, err
		}
		lines = append(lines, answer.lines()...)
		in.Token = answer.Next
		if in.Token == "" {
			break
		}
	}
	slices.SortStableFunc(lines, func(x, y Line) int { return x.At.Compare(y.At) }) // several streams
	return lines, nil
}

// page is an answer of CloudWatch Logs with lines.
type page struct {
	Events []struct {
		At   int64  `json:"timestamp"` // in milliseconds since 1970
		Text string `json:"message"`
	} `json:"events"`
	Next   string `json:"nextToken"`         // of FilterLogEvents
	Before string `json:"nextBackwardToken"` // of GetLogEvents
}

// read makes one call that returns lines.
func (r *Reader) read(ctx context.Context, operation string, in any) (p page, err error) {
	doing := "reading log group " + r.group
	if err := r.client.JSON(ctx, "logs", "Logs_20140328."+operation, doing, in, &p); err != nil {
		return page{}, err
	}
	if p.Events == nil { // without lines, CloudWatch Logs returns an empty list
		return page{}, fault.Incomplete(doing, "list of lines")
	}
	return p, nil
}

func (p page) lines() (all []Line) {
	for _, e := range p.Events {
		all = append(all, Line{time.UnixMilli(e.At).UTC(), e.Text})
	}
	return all
}

// Entry is a line that the function wrote itself.
type Entry struct {
	At             time.Time `json:"at"`
	Level          string    `json:"level"`
	Message        string    `json:"message"`
	EventID        string    `json:"event_id,omitempty"`
	Source         string    `json:"source,omitempty"`
	Service        string    `json:"service,omitempty"` // of an event: may be several, with ", " between them
	Tag            string    `json:"tag,omitempty"`
	Repository     string    `json:"repository,omitempty"` // of a push that was ignored
	TaskDefinition string    `json:"task_definition,omitempty"`
	Outcome        string    `json:"outcome,omitempty"`
	Reason         string    `json:"reason,omitempty"`
	Summary        string    `json:"summary,omitempty"`
	Error          string    `json:"error,omitempty"`
	ErrorType      string    `json:"error_type,omitempty"`
}

// Parse returns what a line says, and whether the function wrote it.
func Parse(l Line) (Entry, bool) {
	var e Entry
	if json.Unmarshal([]byte(l.Text), &e) != nil || e.Message == "" {
		return Entry{}, false
	}
	e.At = l.At
	return e, true
}

// Decision returns what the function decided about an event or a part of it: "deployed",
// "unchanged", "superseded", "ignored", "rejected", "waiting" or "failed"; "" for a line
// about something else.
func (e Entry) Decision() string {
	for _, of := range []string{"deployment ", "event "} {
		if what, ok := strings.CutPrefix(e.Message, of); ok && e.EventID != "" && !strings.Contains(what, " ") {
			return what
		}
	}
	return ""
}

// OfEvent reports whether a decision is about an event as a whole, and not about one of the
// services that it deploys.
func (e Entry) OfEvent() bool { return strings.HasPrefix(e.Message, "event ") }

// Why returns the reason or the error.
func (e Entry) Why() string {
	for _, text := range []string{e.Reason, e.Error, e.Summary} {
		if text != "" {
			return text
		}
	}
	return ""
}
