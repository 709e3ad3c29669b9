package histories

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// probeVersion is the image of the event that ends a history.
const probeVersion = 900

// probe sends one more event to each service, which must deploy, with the configuration that was registered last.
func (w *world) probe(ctx context.Context) error {
	for i := range w.history.Services {
		time.Sleep(2 * time.Second)
		a := Action{
			ID: probeVersion + i, Kind: Deploy, Service: i, Version: probeVersion + i, Delays: []time.Duration{0},
		}
		if err := w.act(ctx, a); err != nil {
			return err
		}
	}
	w.rest(time.Now().Add(settleLimit))
	for i := range w.history.Services {
		runs, err := w.now(ctx, i)
		if err != nil {
			return err
		}
		w.record.mu.Lock()
		w.checkProbe(i, runs)
		w.record.mu.Unlock()
	}
	return nil
}

func (w *world) checkProbe(service int, runs registration) {
	id, image := fmt.Sprintf("event-%d", probeVersion+service), imageName(service, probeVersion+service)
	if runs.image != image {
		why := "?"
		for _, r := range w.record.results {
			if r.eventID == id {
				why = fmt.Sprintf("%s %s %v", r.status, r.reason, r.err)
			}
		}
		w.problem(checkHandled, "a further event for s%d was not deployed: it runs %s; %s", service, runs.image, why)
		return
	}
	if want := w.lastConfiguration(service); !w.history.OneFamily && runs.config != want {
		w.problem(checkConfig, "s%d runs configuration %s after a further event, want %s, which was registered last",
			service, runs.config, want)
	}
	ends := slices.DeleteFunc(slices.Clone(w.record.published), func(p publication) bool {
		return p.eventID != id || !slices.Contains(ended, p.kind)
	})
	wrong := slices.ContainsFunc(ends, func(p publication) bool { return p.kind != "Succeeded" })
	if twice := repeated(ends); len(ends) == 0 || wrong || twice != "" {
		w.problem(checkEnds, "a further event for s%d has the ends %v, want Succeeded once", service, ends)
	}
}

// lastConfiguration returns the configuration of the newest revision of a service's family that the deployer did not
// register.
func (w *world) lastConfiguration(service int) (config string) {
	for _, g := range w.record.registered {
		if strings.HasPrefix(g.revision, w.family(service)+":") && !g.own() {
			config = g.config
		}
	}
	return config
}

// report returns the result of the history.
func (w *world) report() Report {
	r := Report{Problems: w.problems, Calls: w.record.calls, Trace: w.record.text()}
	for i := range w.history.Services {
		r.Choices += len(w.choices(i))
	}
	for _, m := range w.record.moves {
		if m.own() {
			r.Moves++
		}
	}
	return r
}
