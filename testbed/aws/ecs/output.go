package ecs

import (
	"fmt"
	"strings"
	"time"

	"deployer/testbed/aws/api"
)

// Logs is where containers with the log driver awslogs write.
type Logs interface {
	// Append appends a line to a stream of a log group. It is called with the backend's lock held.
	Append(scope api.Scope, group, stream string, at time.Time, message string)
}

// LogTo makes the containers of services write to logs.
func (e *Server) LogTo(logs Logs) { e.logs = logs }

// Print makes containers whose image reference contains part write these lines before they exit.
func (e *Server) Print(part string, lines ...string) {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	e.output = append(e.output, output{part, lines})
}

// output is what the containers of an image write.
type output struct {
	part  string
	lines []string
}

// awslogs is the part of a container's log configuration by which its stream is found (ECS developer guide, "Send
// Amazon ECS logs to CloudWatch").
type awslogs struct {
	Driver  string `json:"logDriver"`
	Options struct {
		Group  string `json:"awslogs-group"`
		Region string `json:"awslogs-region"`
		Prefix string `json:"awslogs-stream-prefix"`
	} `json:"options"`
}

// printed writes what the failed container of a stopped task wrote, to the stream PREFIX/CONTAINER/TASK. A task whose
// containers did not start wrote nothing.
func (e *Server) printed(scope api.Scope, t stoppedTask) {
	if e.logs == nil || t.failure.exitCode == nil {
		return
	}
	for _, c := range t.containers {
		to := c.Logs
		if c.Image != t.failure.container || to.Driver != "awslogs" || to.Options.Prefix == "" {
			continue
		}
		if to.Options.Region != "" {
			scope.Region = to.Options.Region
		}
		lines := []string{fmt.Sprintf("%s: fatal error, exit code %d", c.Name, *t.failure.exitCode)}
		for _, o := range e.output {
			if strings.Contains(c.Image, o.part) {
				lines = o.lines
			}
		}
		stream := to.Options.Prefix + "/" + c.Name + "/" + t.arn[strings.LastIndexByte(t.arn, '/')+1:]
		for _, line := range lines {
			e.logs.Append(scope, to.Options.Group, stream, t.stopped, line)
		}
	}
}
