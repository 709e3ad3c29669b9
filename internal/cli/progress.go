package cli

import (
	"fmt"
	"io"

	"deployer/internal/journal"
	"deployer/internal/rollout"
)

// progress shows how far rollouts have come: on a terminal as a bar that is
// drawn again and again on one line, elsewhere as a line for each change.
type progress struct {
	canvas
	drawn bool // a bar is on the line
}

// newProgress returns the progress display on w.
func newProgress(w io.Writer) *progress { return &progress{canvas: newCanvas(w)} }

// phaseColors are the colors of how rollouts end.
var phaseColors = map[journal.Phase]color{journal.Succeeded: green, journal.Failed: red, journal.Superseded: amber, journal.Impaired: amber}

// show shows how far a service's rollout has come.
func (p *progress) show(service string, r rollout.Progress) {
	before, after := "deployer: ", "\n"
	if p.terminal {
		before, after, p.drawn = "\r\x1b[K"+p.bar(r.Running, r.Desired), "", true
	}
	fmt.Fprintf(p, "%s%s: %s: %d of %d tasks run, %d pending, %d failed%s", before,
		service, p.doing(service, r), r.Running, r.Desired, r.Pending, r.Failed, after)
}

// doing says what a rollout is doing, and if it waits for somebody which command it waits for.
func (p *progress) doing(service string, r rollout.Progress) string {
	switch {
	case r.Paused:
		return p.paint("paused", amber) + " at " + r.Stage + ", until deployer continue -f FILE " + service
	case r.Stage != "":
		return string(r.Phase) + " at " + r.Stage
	}
	return p.paint(string(r.Phase), phaseColors[r.Phase])
}

// end leaves the line that a bar is on.
func (p *progress) end() {
	if p.drawn {
		fmt.Fprintln(p)
	}
}
