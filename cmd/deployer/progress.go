package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"deployer/internal/ecsdeploy"
)

// progress shows how far rollouts have come: on a terminal as a bar that is
// drawn again and again on one line, elsewhere as a line for each change.
type progress struct {
	w        io.Writer
	terminal bool
	drawn    bool // a bar is on the line
}

// newProgress returns the progress display on w.
func newProgress(w io.Writer) *progress {
	return &progress{w: w, terminal: isTerminal(w)}
}

// isTerminal reports whether a person looks at what is written to w as it comes.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

// barWidth is how many characters a full bar has.
const barWidth = 20

// show shows how far a service's rollout has come.
func (p *progress) show(service string, r ecsdeploy.Rollout) {
	text := fmt.Sprintf("%s: %s: %d of %d tasks run, %d pending, %d failed", service, r.Phase, r.Running, r.Desired, r.Pending, r.Failed)
	if !p.terminal {
		fmt.Fprintf(p.w, "deployer: %s\n", text)
		return
	}
	full := 0
	if r.Desired > 0 {
		full = min(barWidth, barWidth*r.Running/r.Desired)
	}
	fmt.Fprintf(p.w, "\r\x1b[K[%s%s] %s", strings.Repeat("#", full), strings.Repeat("-", barWidth-full), text)
	p.drawn = true
}

// end leaves the line that a bar is on.
func (p *progress) end() {
	if p.drawn {
		fmt.Fprintln(p.w)
	}
}
