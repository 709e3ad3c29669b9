package histories

import (
	"slices"
	"strings"
	"time"
)

// checkRolledOut checks that a DEPLOY, a command or a redeployment that is the newest choice rolled out the
// configuration that was registered before it, or a newer one, also if the service ran its image already.
func (w *world) checkRolledOut(service int, runs registration) {
	all := w.choices(service)
	if len(all) == 0 || w.history.OneFamily {
		return
	}
	last := all[len(all)-1]
	if last.external || last.optional || last.broken || last.image != runs.image || !last.event.rollsOut() {
		return
	}
	if len(all) > 1 && last.at.Sub(all[len(all)-2].at) < 2*time.Second { // either may count as the newest
		return
	}
	var allowed []string // the configuration that was there for certain, and later ones
	for _, g := range w.record.registered {
		if g.own() || !strings.HasPrefix(g.revision, w.family(service)+":") {
			continue
		}
		if g.at.Before(last.at.Add(-w.history.StaleFor - time.Second)) {
			allowed = nil
		}
		allowed = append(allowed, g.config)
	}
	if !slices.Contains(allowed, runs.config) {
		w.problem(checkConfig, "s%d runs configuration %s (%s), but %s was to roll out %s", service, runs.config,
			runs.revision, last.name, strings.Join(allowed, " or "))
	}
}

// rollsOut reports whether an event rolls out a newer configuration too.
func (e *requested) rollsOut() bool {
	return slices.Contains([]Kind{Deploy, DeployCommand, Redeploy}, e.action.Kind)
}
