package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"deployer/internal/ecsservice"
	"deployer/internal/failure"
)

// failureTime limits the reading of what a failed rollout left behind.
const failureTime = 20 * time.Second

// showFailure reads and prints what the rollout of a revision left behind that failed or is
// impaired. It does so even if ctx has ended.
func (a *app) showFailure(ctx context.Context, s *session, t ecsservice.Target, revision string) *failure.Report {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), failureTime)
	defer cancel()
	left := failure.Read(ctx, s.config, ecsservice.New(s.config), t, revision)
	fmt.Fprint(a.err, drawFailure(newCanvas(a.err), t.Workload, left))
	return left
}

// drawFailure returns what a failed rollout left behind as text, in which what AWS and
// containers wrote is escaped; "" if there is nothing.
func drawFailure(c canvas, service string, r *failure.Report) string {
	var b strings.Builder
	number := ecsservice.NumberOf(r.TaskDefinition)
	if len(r.Tasks) > 0 {
		b.WriteString(c.item(service+": ", fmt.Sprintf("stopped tasks of revision %d:", number), 2))
		for _, task := range r.Tasks {
			count := ""
			if task.Count > 1 {
				count = fmt.Sprintf(" (%d tasks)", task.Count)
			}
			b.WriteString(c.item(fmt.Sprintf("  %s  %s  ", c.moment(task.StoppedAt), task.ID()),
				printable(task.Reason)+count, 4))
		}
	}
	if r.Log != nil {
		b.WriteString(c.item(service+": ", fmt.Sprintf("the last lines of container %s (log group %s, stream %s, "+
			"times in UTC):", printable(r.Log.Container), printable(r.Log.Group), printable(r.Log.Stream)), 2))
		for _, l := range r.Log.Lines {
			fmt.Fprintf(&b, "  %s  %s\n", l.At.Format(time.TimeOnly), printableAtMost(l.Text, maxLogLine))
		}
	}
	if len(r.Events) > 0 {
		fmt.Fprintf(&b, "%s: the last events of the service:\n", service)
		for _, e := range r.Events {
			b.WriteString(c.item("  "+c.moment(e.At)+"  ", printable(e.Text), 4))
		}
	}
	for _, note := range r.Notes {
		b.WriteString(c.item(service+": ", "not shown: "+printable(note), 2))
	}
	return b.String()
}

// maxLogLine is how many characters of a line of a log are shown.
const maxLogLine = 500
