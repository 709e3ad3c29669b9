package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"deployer/internal/compare"
	"deployer/internal/environment"
)

// diffFlags are the flags of diff.
type diffFlags struct{ asJSON, values, all bool }

// twoEnvironments is what diff prints with --json.
type twoEnvironments struct {
	Service      string               `json:"service"`
	Environments [2]compare.Side      `json:"environments"`
	Differences  []compare.Difference `json:"differences"`
	Alike        int                  `json:"alike"` // settings that differ only in the names of the environments
}

// diffEnvironments prints what differs between what a service runs in two environments, each
// read with its own credentials.
func (a *app) diffEnvironments(ctx context.Context, files []string, name string, how diffFlags, c canvas) error {
	var envs [2]*environment.Environment
	var workloads [2]environment.Workload
	for i, file := range files {
		var err error
		if envs[i], workloads[i], err = a.loadService(file, name); err != nil {
			return err
		}
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	report := twoEnvironments{Service: workloads[0].Label()}
	err := a.atOnce(len(envs), func(a *app, i int) error {
		place, err := a.open(ctx, envs[i], nil, true)
		if err == nil {
			report.Environments[i], err = compare.Read(ctx, place.Config, place.Env, place.Env.Current(workloads[i]))
		}
		return err
	})
	if err != nil {
		return err
	}
	sides := report.Environments
	report.Differences, report.Alike = compare.Sides(sides[0], sides[1], how.all, how.values)
	if how.asJSON {
		report.Differences = append([]compare.Difference{}, report.Differences...)
		return printJSON(a.out, report)
	}
	if len(report.Differences) == 0 {
		a.note("nothing differs between %s and %s", envs[0].Name, envs[1].Name)
	} else if _, err := fmt.Fprint(a.out, drawDifferences(c, report)); err != nil {
		return err
	}
	a.noteHidden(report, how)
	return nil
}

// drawDifferences returns the differences as a table, or if that is too wide as a paragraph for
// each: a value that is cut says nothing.
func drawDifferences(c canvas, report twoEnvironments) string {
	left, right := report.Environments[0], report.Environments[1]
	rows := [][]string{{"revision", revisionName(left.Revision), revisionName(right.Revision)}}
	for _, d := range report.Differences {
		row := []string{d.What}
		for _, v := range d.Values {
			text := "-"
			if v != nil {
				text = *v
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	t := table{free: true}
	t.head("WHAT", strings.ToUpper(left.Environment), strings.ToUpper(right.Environment))
	for _, row := range rows {
		t.add(cell{text: row[0]}, cell{text: row[1]}, cell{text: row[2]})
	}
	whole := c
	whole.columns = 0
	text := t.draw(whole)
	if c.columns == 0 || widest(text) <= c.columns {
		return text
	}
	var b strings.Builder
	width := max(len(left.Environment), len(right.Environment))
	for _, row := range rows {
		fmt.Fprintf(&b, "%s\n  %-*s  %s\n  %-*s  %s\n", printable(row[0]), width, left.Environment, printable(row[1]),
			width, right.Environment, printable(row[2]))
	}
	return b.String()
}

// widest returns the number of characters of the longest line.
func widest(text string) (n int) {
	for line := range strings.Lines(text) {
		n = max(n, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")))
	}
	return n
}

// noteHidden says what is not shown, and how to see it.
func (a *app) noteHidden(report twoEnvironments, how diffFlags) {
	if report.Alike > 0 && !how.all {
		a.note("%d more differ only in the environments' names, accounts and regions: see them with --all",
			report.Alike)
	}
	hidden := slices.ContainsFunc(report.Differences, func(d compare.Difference) bool { return d.Hidden })
	if hidden && !how.values {
		a.note("values of environment variables, command lines and labels are hidden: see them with --values")
	}
}

// oneEnvironment returns the file of a command line of diff with a tag.
func (a *app) oneEnvironment(files, args []string) (string, error) {
	_, count := a.withEnvironments(nil)
	switch {
	case len(files) == 0:
		return "", a.errNoEnvironment()
	case len(files) == 1 && len(args) < 2 && count == 2:
		return "", a.notWithItself(files[0])
	case len(files) > 1 && len(args) > 1:
		return "", wrongUsage("with a tag, diff is for one environment: leave out all but one -e, or leave out the " +
			"tag to compare what runs in two")
	case len(files) > 2:
		return "", wrongUsage("diff compares two environments, not %d", len(files))
	case len(files) == 1 && len(args) < 2:
		return "", wrongUsage("TAG is missing; to compare with what runs in another environment, name that with a " +
			"second -e")
	}
	return files[0], nil
}
