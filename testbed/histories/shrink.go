package histories

import "slices"

// Shrink returns the smallest history that it finds, in which a check still fails: it drops actions, deliveries, deaths
// and delays as long as fails reports true.
func Shrink(h History, fails func(History) bool) History {
	for smaller := true; smaller; {
		smaller = false
		for _, candidate := range simpler(h) {
			if fails(candidate) {
				h, smaller = candidate, true
				break
			}
		}
	}
	return h
}

// simpler returns the histories that are one step simpler.
func simpler(h History) (all []History) {
	for i := range h.Actions {
		one := h
		one.Actions = slices.Delete(slices.Clone(h.Actions), i, i+1)
		all = append(all, one)
	}
	for i, a := range h.Actions {
		if len(a.Delays) > 1 {
			b := a
			b.Delays = a.Delays[:len(a.Delays)-1]
			all = append(all, h.with(i, b))
		}
		for k := range a.Kills {
			b := a
			b.Kills = slices.Delete(slices.Clone(a.Kills), k, k+1)
			all = append(all, h.with(i, b))
		}
		for d := range a.Delays {
			if a.Delays[d] == 0 {
				continue
			}
			b := a
			b.Delays = slices.Clone(a.Delays)
			b.Delays[d] = 0
			all = append(all, h.with(i, b))
		}
	}
	for _, change := range []func(*History) bool{
		func(h *History) bool { was := h.LateRollouts; h.LateRollouts = 0; return was > 0 },
		func(h *History) bool { was := h.FailureDelay; h.FailureDelay = 0; return was > 0 },
		func(h *History) bool { was := h.StaleFor; h.StaleFor = 0; return was > 0 },
		func(h *History) bool { was := len(h.Broken); h.Broken = nil; return was > 0 },
	} {
		one := h
		if change(&one) {
			all = append(all, one)
		}
	}
	return all
}

// with returns the history with another action.
func (h History) with(i int, a Action) History {
	h.Actions = slices.Clone(h.Actions)
	h.Actions[i] = a
	return h
}
