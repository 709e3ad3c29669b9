package cli

import (
	"fmt"
	"strings"

	"deployer/internal/fleet"
	"deployer/internal/rollout"
)

// drawMatrix returns the status of several environments as a table of services and
// environments. Below it stands which environment is behind, and what is wrong.
func drawMatrix(c canvas, f *fleet.Fleet) string {
	var t table
	head := []string{"SERVICE"}
	for _, e := range f.Environments {
		head = append(head, e.Name)
	}
	t.head(head...)
	for _, name := range f.Names() {
		first, second, more := []cell{{text: name}}, []cell{{text: " "}}, false
		for _, e := range f.Environments {
			above, below := matrixCells(c, f, e, e.Find(name))
			if below.text == "" {
				below.text = " "
			} else {
				more = true
			}
			first, second = append(first, above), append(second, below)
		}
		if t.add(first...); more {
			t.add(second...)
		}
	}
	text := ""
	if len(f.Names()) > 0 {
		text = t.draw(c)
	}
	for _, part := range []string{behind(f), troubles(f)} {
		if part != "" && text != "" {
			text += "\n"
		}
		text += c.wrap(part)
	}
	return text
}

// matrixCells returns what runs in one environment, and below it what is to be said of
// that; "" if nothing is.
func matrixCells(c canvas, f *fleet.Fleet, e fleet.Environment, s *fleet.Service) (above, below cell) {
	switch {
	case e.Error != nil:
		return cell{text: "?"}, cell{}
	case s == nil:
		return cell{}, cell{} // "-"
	case s.Error != nil:
		return cell{"error", red}, cell{s.Error.Name, red}
	}
	what := s.Running.Tag
	if what == "" {
		what = fmt.Sprintf("revision %d", s.Running.Revision)
	}
	when := c.moment(s.Since)
	above = cell{text: strings.TrimSpace(what + "  " + strings.TrimSuffix(when, " ago"))}
	var notes []string
	color := amber
	if s.Condition != rollout.Steady {
		notes = append(notes, rolloutText(*s))
	}
	for _, g := range f.Gaps {
		if g.Service != s.Name || g.Environment != e.Name {
			continue
		}
		switch {
		case g.Images > 0:
			notes = append(notes, fmt.Sprintf("%d behind", g.Images))
		case g.Images < 0:
			notes = append(notes, fmt.Sprintf("%d ahead", -g.Images))
		default:
			notes = append(notes, "another image")
		}
	}
	if lines, uncertain := s.Drift.Lines(); len(lines) > 0 && !uncertain {
		notes = append(notes, "drift")
	}
	if s.Failed() {
		color = red
	}
	return above, cell{strings.Join(notes, ", "), color}
}

// behind says which environment is behind which, a line for each pair that differs.
func behind(f *fleet.Fleet) string {
	var b strings.Builder
	said := map[string][]string{}
	var order []string
	for _, g := range f.Gaps {
		text := g.String()
		if said[text] == nil {
			order = append(order, text)
		}
		said[text] = append(said[text], g.Service)
	}
	for _, text := range order {
		fmt.Fprintf(&b, "%s: %s\n", printable(text), strings.Join(said[text], ", "))
	}
	return b.String()
}

// troubles says what is wrong in each environment, and what has drifted.
func troubles(f *fleet.Fleet) string {
	var b strings.Builder
	unread := map[string][]string{} // the environments by why they cannot be read
	for _, e := range f.Environments {
		if e.Error != nil {
			unread[e.Error.String()] = append(unread[e.Error.String()], e.Name)
		}
	}
	for _, e := range f.Environments {
		if e.Error != nil && unread[e.Error.String()][0] == e.Name {
			fmt.Fprintf(&b, "%s cannot be read: %s\n", strings.Join(unread[e.Error.String()], ", "),
				printable(e.Error.String()))
		}
		for _, s := range e.Services {
			name := e.Name + ": " + s.Name + ": "
			if s.Error != nil {
				fmt.Fprintf(&b, "%serror: %s\n", name, printable(s.Error.String()))
				continue
			}
			b.WriteString(problemLines(fmt.Sprintf("%srevision %d", name, s.Troubled), s.Why, s.Stopped))
			if lines, uncertain := s.Drift.Lines(); len(lines) > 0 && !uncertain {
				fmt.Fprintf(&b, "%sdrift: %s\n", name, printable(strings.Join(lines, "; ")))
			}
		}
	}
	return b.String()
}
