package cli

import (
	"fmt"
	"strings"

	"deployer/internal/fleet"
	"deployer/internal/rollout"
)

// rolloutCell returns the state of a service's rollout as one field.
func rolloutCell(c canvas, s fleet.Service) cell {
	text := rolloutText(s)
	switch {
	case s.Failed():
		return cell{text, red}
	case s.Condition == rollout.Steady:
		return cell{text, green}
	}
	return cell{c.bar(s.Rollout.Running, s.Rollout.Desired) + text, amber}
}

// nextRunCell returns when a task runs next as one field.
func nextRunCell(c canvas, s fleet.Service) cell {
	switch {
	case s.Running != nil && s.Running.Inactive:
		return cell{fmt.Sprintf("revision %d is INACTIVE: no run starts", s.Running.Revision), red}
	case s.Disabled:
		return cell{"its schedule is DISABLED", amber}
	case s.Over:
		return cell{"its schedule never runs again", amber}
	case !s.DueAt.IsZero():
		return cell{"next run " + c.moment(s.DueAt), green}
	}
	return cell{"next run " + s.NextRun, green}
}

// rolloutText returns the state of a service's rollout.
func rolloutText(s fleet.Service) string {
	text := fmt.Sprintf("%s %d/%d", s.Condition, s.Rollout.Running, s.Rollout.Desired)
	if s.Rollout.Failed > 0 {
		text += fmt.Sprintf(", %d failed", s.Rollout.Failed)
	}
	if s.Rollout.Stage != "" {
		text += " at " + s.Rollout.Stage
	}
	return text
}

// driftCell returns a service's drift as one field.
func driftCell(d *fleet.Drift) cell {
	lines, uncertain := d.Lines()
	switch {
	case len(lines) == 0:
		return cell{"none", green}
	case uncertain:
		return cell{text: lines[0]}
	}
	return cell{strings.Join(lines, "; "), amber}
}
