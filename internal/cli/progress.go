package cli

import (
	"fmt"
	"io"
	"unicode/utf8"

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
	paused  string // the stage at which it was paused, as it was shown last
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
		fmt.Fprint(p, p.item("deployer: ", p.target.Workload+": stopped tasks: "+r.Stopped, 2))
		p.stopped, p.drawn = r.Stopped, false
	}
	if p.terminal && r.Paused && r.Stage != p.paused { // the line of the bar may be cut
		p.end()
		fmt.Fprint(p, p.item("deployer: ", p.target.Workload+": to continue: "+p.target.Command("continue"), 2))
		p.paused, p.drawn = r.Stage, false
	}
	if p.target.Task && r.Ended() {
		return // what is said of its end says it
	}
	text := fmt.Sprintf("%s: moving it: %d of %d schedules and rules hold the revision", p.target.Workload, r.Running,
		r.Desired)
	if !p.target.Task {
		text = fmt.Sprintf("%s: %s: %d of %d tasks running, %d pending, %d failed", p.target.Workload, p.state(r),
			r.Running, r.Desired, r.Pending, r.Failed)
	}
	if p.terminal {
		fmt.Fprint(p, "\r\x1b[K"+p.onOneLine(p.bar(r.Running, r.Desired), text))
		p.drawn = true
		return
	}
	fmt.Fprint(p, p.item("deployer: ", text, 2))
}

// onOneLine returns a bar and a text without the bar, or cut, where a terminal is too narrow:
// what is on two lines cannot be drawn again.
func (c canvas) onOneLine(bar, text string) string {
	bare := escapes.ReplaceAllString(text, "")
	switch n := utf8.RuneCountInString(bare); {
	case c.columns == 0 || len(bar)+n < c.columns:
		return bar + text
	case n < c.columns:
		return text
	}
	return ellipsis(bare, c.columns-1)
}

// state returns the rollout's phase and stage; of one that is paused, off a terminal, the
// command that continues it.
func (p *progress) state(r rollout.Progress) string {
	switch {
	case r.Paused && p.terminal:
		return p.paint("paused", amber) + " at " + r.Stage
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
