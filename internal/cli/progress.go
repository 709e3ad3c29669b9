package cli

import (
	"fmt"
	"io"

	"deployer/internal/ecsservice"
	"deployer/internal/journal"
	"deployer/internal/rollout"
)

// progress shows the progress of a rollout: on a terminal as a bar that is
// redrawn on one line, elsewhere as a line for each change.
type progress struct {
	canvas
	target ecsservice.Target
	drawn  bool // a bar is on the current line

	stopped string // why tasks stopped, as it was shown last
}

func newProgress(w io.Writer, t ecsservice.Target) *progress {
	return &progress{canvas: newCanvas(w), target: t}
}

// phaseColors are the colors of the phases of a rollout; the others have none.
var phaseColors = map[journal.Phase]color{
	journal.Succeeded: green, journal.Failed: red, journal.Superseded: amber, journal.Impaired: amber,
}

// show shows the rollout's progress, and above it why tasks stopped if that is new.
func (p *progress) show(r rollout.Progress) {
	if r.Stopped != "" && r.Stopped != p.stopped {
		p.end()
		fmt.Fprintf(p, "deployer: %s: stopped tasks: %s\n", p.target.Workload, r.Stopped)
		p.stopped, p.drawn = r.Stopped, false
	}
	if p.target.Task && r.Ended() {
		return // what is said of its end says it
	}
	before, after := "deployer: ", "\n"
	if p.terminal {
		before, after, p.drawn = "\r\x1b[K"+p.bar(r.Running, r.Desired), "", true
	}
	if p.target.Task {
		fmt.Fprintf(p, "%s%s: moving it: %d of %d schedules and rules hold the revision%s", before, p.target.Workload,
			r.Running, r.Desired, after)
		return
	}
	fmt.Fprintf(p, "%s%s: %s: %d of %d tasks running, %d pending, %d failed%s", before,
		p.target.Workload, p.state(r), r.Running, r.Desired, r.Pending, r.Failed, after)
}

// state returns the rollout's phase and stage; of one that is paused, the
// command that continues it.
func (p *progress) state(r rollout.Progress) string {
	switch {
	case r.Paused:
		return p.paint("paused", amber) + " at " + r.Stage + ", until " + p.target.Command("continue")
	case r.Stage != "":
		return string(r.Phase) + " at " + r.Stage
	}
	return p.paint(string(r.Phase), phaseColors[r.Phase])
}

// end ends the line of a bar.
func (p *progress) end() {
	if p.drawn {
		fmt.Fprintln(p)
	}
}
