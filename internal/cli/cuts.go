package cli

import (
	"fmt"
	"slices"
	"strings"
)

// cuts is what tables lack because their canvas is too narrow.
type cuts struct {
	cells bool     // some are cut
	left  []string // the columns that are left out
}

// leave records that a column is left out.
func (c *cuts) leave(column string) {
	if c != nil && !slices.Contains(c.left, column) {
		c.left = append(c.left, column)
	}
}

// cell records whether a cell is cut.
func (c *cuts) cell(isCut bool) {
	if c != nil {
		c.cells = c.cells || isCut
	}
}

// noteCut says what the tables on a canvas lack, and how to see it; nothing if they are whole.
func (a *app) noteCut(c canvas) {
	if c.cuts == nil || !c.cuts.cells && len(c.cuts.left) == 0 {
		return
	}
	text := fmt.Sprintf("cut to %d columns", c.columns)
	if len(c.cuts.left) > 0 {
		text += ", without " + strings.Join(c.cuts.left, ", ")
	}
	a.note("%s; all of it: %s", text, commandLine(append(slices.Clone(a.args), "--wide")...))
}
