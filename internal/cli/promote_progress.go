package cli

import (
	"fmt"
	"io"

	"deployer/internal/promote"
)

// copyProgress shows the progress of a copy: on a terminal as a bar that is redrawn on
// one line, elsewhere as a line for each blob, and for each tenth of a large one.
type copyProgress struct {
	canvas
	last  promote.Progress // that was shown
	drawn bool             // a bar is on the current line
}

func newCopyProgress(w io.Writer) *copyProgress { return &copyProgress{canvas: newCanvas(w)} }

func (p *copyProgress) show(now promote.Progress) {
	text := fmt.Sprintf("%s of %s, %d of %s", size(now.Bytes), size(now.AllBytes), now.Blobs,
		count(now.AllBlobs, "blob"))
	switch {
	case p.terminal:
		// In thousandths, so that a bar fits any size.
		fmt.Fprint(p, "\r\x1b[K"+p.onOneLine(p.bar(int(now.Bytes*1000/max(now.AllBytes, 1)), 1000), text))
		p.drawn = true
	case now.Blobs > p.last.Blobs || now.Bytes-p.last.Bytes >= max(now.AllBytes/10, 1<<20):
		fmt.Fprintf(p, "deployer: copied %s\n", text)
	default:
		return
	}
	p.last = now
}

// end ends the line of a bar.
func (p *copyProgress) end() {
	if p.drawn {
		fmt.Fprintln(p)
	}
}

// size returns a number of bytes as people read it.
func size(bytes int64) string {
	units := []string{"B", "KiB", "MiB", "GiB"}
	value, unit := float64(bytes), 0
	for value >= 1000 && unit < len(units)-1 { // at most three digits before the point
		value /= 1024
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}
