package histories

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A choice is what a service is to run, as someone chose it: an event, a command, or an external rollout.
type choice struct {
	at       time.Time
	image    string
	name     string
	external bool
	optional bool // ECS does not show that it was made, see Move
	broken   bool // ECS rolls it back
	move     *move
	event    *requested
}

// ownTime is how long after its registration the first rollout of the deployer's revision may be taken for its own.
const ownTime = 6 * time.Minute

// choices returns the choices for a service, oldest first.
func (w *world) choices(service int) (all []choice) {
	for _, id := range w.record.order {
		e := w.record.events[id]
		if e.action.Service != service || e.image == "" {
			continue
		}
		c := choice{at: e.at, image: e.image, name: id, event: e, broken: w.broken(service, e.image)}
		c.optional = e.command && !w.answered(id) // an operator's machine that dies tries no more
		all = append(all, c)
	}
	for i, m := range w.record.moves {
		if m.service != service || m.by != "person" && m.by != "terraform" || m.deployment == "" {
			continue
		}
		all = append(all, choice{
			at: m.at, image: m.image, external: true, name: "the move to " + m.revision + " by the " + m.by,
			broken:   w.broken(service, m.image),
			optional: m.ownRevision && m.at.Sub(m.registeredAt) < ownTime, move: &w.record.moves[i],
		})
	}
	slices.SortStableFunc(all, func(a, b choice) int { return a.at.Compare(b.at) })
	return all
}

// answered reports whether an attempt at an event was answered.
func (w *world) answered(id string) bool {
	return slices.ContainsFunc(w.record.results, func(r result) bool { return r.eventID == id && r.err == nil })
}

// broken reports whether ECS rolls back a rollout of an image.
func (w *world) broken(service int, image string) bool {
	return w.history.Breakers[service] && w.neverRuns(image)
}

// neverRuns reports whether the tasks of an image do not start.
func (w *world) neverRuns(image string) bool {
	return version(image) > 0 && w.history.Broken[version(image)]
}

// version returns the number of an image's version, 0 if it has none.
func version(image string) (number int) {
	_, _ = fmt.Sscanf(image[strings.IndexByte(image, '/')+1:], "v%d", &number)
	return number
}

// newest returns the choices that may be the newest, and whether one of them is broken.
func newest(all []choice) (allowed []choice, broken bool) {
	var last time.Time
	for _, c := range all {
		if at := c.at.Truncate(time.Second); !c.optional && at.After(last) {
			last = at
		}
	}
	for _, c := range all {
		if !c.at.Truncate(time.Second).Before(last) {
			allowed = append(allowed, c)
			broken = broken || c.broken
		}
	}
	return allowed, broken
}

// afterFailure reports whether a service may run an image after its newest choice failed: what ECS rolled back to last,
// or a choice that is newer than that and not broken. Events that were superseded by the broken choice are not brought
// back. ECS does not say who chose what it rolled back to: an external revision counts with its registration.
func (w *world) afterFailure(service int, all []choice, image string) bool {
	back, registered := imageName(service, 0), time.Time{}
	for _, m := range w.record.moves {
		if m.service == service && m.by == "ECS" {
			back, registered = m.image, m.registeredAt
		}
	}
	if image == back {
		return true
	}
	var since time.Time
	for _, c := range all {
		if c.image == back && !c.broken {
			since = c.at
		}
	}
	return slices.ContainsFunc(all, func(c choice) bool {
		return c.image == image && !c.broken && (c.at.After(since) || c.at.After(registered))
	})
}

// visible returns the newest choice that the service had been moved to at a time.
func (w *world) visible(service int, all []choice, at time.Time) (seen choice, ok bool) {
	for _, c := range all {
		moved := c.external && c.at.Before(at) || !c.external &&
			slices.ContainsFunc(w.record.moves, func(m move) bool {
				return m.service == service && m.image == c.image && m.at.Before(at) && m.own() &&
					w.record.registrationOf(m.revision).eventID == c.name
			})
		if moved {
			seen, ok = c, true
		}
	}
	return seen, ok
}
