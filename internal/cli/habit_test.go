package cli

import (
	"slices"
	"testing"
)

// TestHabits checks that habits lead to commands, and are none themselves.
func TestHabits(t *testing.T) {
	t.Parallel()
	names := commandNames((&app{}).root())
	for habit, command := range habits {
		if slices.Contains(names, habit) || !slices.Contains(names, command) {
			t.Errorf("%s leads to %s; the commands are %q", habit, command, names)
		}
	}
}
