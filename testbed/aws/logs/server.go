// Package logs emulates the part of Amazon CloudWatch Logs that reads: FilterLogEvents and GetLogEvents (CloudWatch
// Logs API reference).
package logs

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"deployer/testbed/aws/api"
)

// A Server is CloudWatch Logs in all accounts and regions. A log group exists from its first line on.
type Server struct {
	backend *api.Backend
	groups  map[string][]line // by ARN
}

// A line is a log event.
type line struct {
	stream  string
	at      int64 // in milliseconds
	message string
}

// New returns a CloudWatch Logs without log groups.
func New(backend *api.Backend) *Server {
	return &Server{backend: backend, groups: map[string][]line{}}
}

// Operations returns the operations that are emulated.
func (s *Server) Operations() api.Operations {
	return api.Operations{
		"logs:FilterLogEvents": api.JSON(s.filterLogEvents),
		"logs:GetLogEvents":    api.JSON(s.getLogEvents),
	}
}

// Create creates a log group, if there is none of the name.
func (s *Server) Create(scope api.Scope, group string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	arn := groupARN(scope, group)
	s.groups[arn] = append(s.groups[arn], []line{}...)
	if s.groups[arn] == nil {
		s.groups[arn] = []line{}
	}
}

// Put appends a line of a function to a log group, at the time of the clock.
func (s *Server) Put(scope api.Scope, group, message string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	at := s.backend.Clock()
	s.Append(scope, group, at.UTC().Format("2006/01/02")+"/[$LATEST]1", at, message)
}

// Append appends a line to a stream of a log group. It is called with the backend's lock held.
func (s *Server) Append(scope api.Scope, group, stream string, at time.Time, message string) {
	arn := groupARN(scope, group)
	s.groups[arn] = append(s.groups[arn], line{stream, at.UnixMilli(), message})
}

// groupARN returns the ARN of a group as policies name it (Service authorization reference, CloudWatch Logs).
func groupARN(scope api.Scope, group string) string {
	return scope.ARN("logs", "log-group:"+group+":*")
}

type filterLogEventsInput struct {
	Group   string `json:"logGroupName"`
	Pattern string `json:"filterPattern"`
	Begin   int64  `json:"startTime"`
	End     int64  `json:"endTime"`
	Limit   int    `json:"limit"`
	Token   string `json:"nextToken"`
}

// maxEvents is the default and the largest number of events of an answer.
const maxEvents = 10000

// filterLogEvents returns the lines of a group within a time, the oldest first (CloudWatch Logs API reference,
// "FilterLogEvents"). Of filter patterns it knows terms in quotes, all of which a line must have ("Filter pattern
// syntax", "Match terms").
func (s *Server) filterLogEvents(r *api.Request, in filterLogEventsInput) (any, *api.Error) {
	arn := groupARN(r.Scope(), in.Group)
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: arn}); err != nil {
		return nil, err
	}
	all, ok := s.groups[arn]
	if !ok {
		return nil, api.NewError("ResourceNotFoundException", "The specified log group does not exist.")
	}
	terms, ok := termsOf(in.Pattern)
	first, err := strconv.Atoi("0" + in.Token)
	if !ok || err != nil {
		return nil, api.NewError("InvalidParameterException", "Invalid filter pattern or token")
	}
	limit := in.Limit
	if limit <= 0 || limit > maxEvents {
		limit = maxEvents
	}
	events := []api.Object{}
	answer := api.Object{}
	for i := first; i < len(all); i++ {
		one := all[i]
		if one.at < in.Begin || in.End > 0 && one.at > in.End || slices.ContainsFunc(terms, func(term string) bool {
			return !strings.Contains(one.message, term)
		}) {
			continue
		}
		if len(events) == limit {
			answer["nextToken"] = strconv.Itoa(i)
			break
		}
		events = append(events, api.Object{
			"timestamp": one.at, "ingestionTime": one.at, "message": one.message, "eventId": strconv.Itoa(i),
			"logStreamName": one.stream,
		})
	}
	answer["events"], answer["searchedLogStreams"] = events, []string{}
	return answer, nil
}

// termsOf returns the terms in quotes of a filter pattern.
func termsOf(pattern string) (terms []string, ok bool) {
	for rest := strings.TrimSpace(pattern); rest != ""; {
		if rest[0] != '"' {
			return nil, false
		}
		term, after, closed := strings.Cut(rest[1:], `"`)
		if !closed {
			return nil, false
		}
		terms, rest = append(terms, term), strings.TrimSpace(after)
	}
	return terms, true
}
