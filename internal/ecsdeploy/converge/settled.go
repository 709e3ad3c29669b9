package converge

// settled reports whether the service runs what a choice chose.
func (k *known) settled(c Choice) bool {
	if c.Key.Number == 0 {
		return true
	}
	all := true
	for _, now := range k.rolls.current() {
		if c.External && c.Event == now.ID {
			return !k.unusable(now.Revision)
		}
		all = k.runs(c, now.Revision) && all
	}
	return all
}

// unusable reports whether a task holds one of the deployer's own revisions that ECS does not start. What others
// registered and deregistered is theirs.
func (k *known) unusable(revision int) bool {
	if !k.rolls.pointers() {
		return false
	}
	r, _ := k.at(revision)
	return r.Own && r.Unusable
}

// runs reports whether a revision runs what a choice chose. A task runs nothing of an unusable one.
func (k *known) runs(c Choice, revision int) bool {
	r, ok := k.at(revision)
	switch {
	case !ok || r.Image != c.Image || r.Unusable && k.rolls.pointers():
		return false
	case c.Demand == NewerConfiguration:
		return r.configuration() >= c.Configuration
	case c.Demand == SameConfiguration:
		return r.configuration() == c.Configuration
	case c.Demand == OwnRevision:
		return r.Own && r.Event == c.Event
	}
	return true
}

// configuration returns the newest external revision up to the newest one, and a
// known revision that has its configuration.
func (k *known) configuration() (external, clone int) {
	for n := k.newest; n > 0; n-- {
		r, ok := k.at(n)
		switch {
		case !ok:
			return 0, 0
		case r.Other:
			k.ahead(n)
			continue
		case !r.Own || r.Seen == 0:
			return n, n
		}
		gap, ok := k.gap(r)
		if !ok {
			return 0, 0
		}
		for _, one := range gap {
			if !one.Own && !one.Other {
				return one.Number, one.Number
			}
		}
		if r.Configuration == r.Seen {
			return r.Seen, n
		}
		if _, ok := k.at(r.Seen); !ok {
			return 0, 0
		}
		return r.Seen, r.Seen
	}
	return 0, 0
}
