package api

import "time"

// An Event is an event that an AWS service sends to the default bus of a scope.
type Event struct {
	Scope      Scope
	Time       time.Time
	Source     string // such as "aws.ecs"
	DetailType string
	Resources  []string
	Detail     Object
}

// A Publisher publishes events. It is called with the backend's lock held.
type Publisher interface {
	Publish(Event)
}

// EventTime returns a time as events have it: in UTC, to the second.
func EventTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
