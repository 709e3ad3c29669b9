package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// nearestFlag returns the name of the flag that was probably meant, "" if no
// name is near.
func nearestFlag(flags *pflag.FlagSet, name string) string {
	if flags.Lookup(name) != nil {
		return name
	}
	var names []string
	flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return nearest(name, names)
}

// withNearestFlag returns the flag that was probably meant by one that there is not, and the command line with it; ""
// if no flag is near.
func (a *app) withNearestFlag(cmd *cobra.Command, name string) (near, hint string) {
	near = nearestFlag(cmd.Flags(), name)
	i := slices.IndexFunc(a.args, func(arg string) bool {
		return arg == "--"+name || strings.HasPrefix(arg, "--"+name+"=")
	})
	if near == "" || i < 0 {
		return near, ""
	}
	corrected := slices.Clone(a.args)
	corrected[i] = "--" + near + strings.TrimPrefix(a.args[i], "--"+name)
	return near, commandLine(corrected...)
}

// nearest returns the first name that begins with s, else the name that is the
// fewest edits away from s: at most one if s is short, at most two otherwise. Of
// several, one with the same first letter is preferred. Upper and lower case are
// alike. It returns "" if there is none.
func nearest(s string, names []string) string {
	best, fewest, typed := "", 3, strings.ToLower(s)
	if len(s) < 5 {
		fewest = 2
	}
	for _, name := range names {
		lower := strings.ToLower(name)
		if len(s) > 2 && strings.HasPrefix(lower, typed) {
			return name
		}
		n, begins := edits(typed, lower), s != "" && strings.HasPrefix(lower, typed[:1])
		if n < fewest || n == fewest && begins && best != "" && !strings.HasPrefix(strings.ToLower(best), typed[:1]) {
			best, fewest = name, n
		}
	}
	return best
}

// edits returns how many bytes have to be inserted, deleted or replaced to make
// b of a.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
