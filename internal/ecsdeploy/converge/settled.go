package converge

// settled reports whether the service runs what a choice chose.
func (k *known) settled(c Choice) bool {
	if c.Key.Number == 0 {
		return true
	}
	all := true
	for _, now := range k.rolls.current() {
		if c.External && c.Event == now.ID {
			return true
		}
		all = k.runs(c, now.Revision) && all
	}
	return all
}

// runs reports whether a revision runs what a choice chose.
func (k *known) runs(c Choice, revision int) bool {
	r, ok := k.at(revision)
	switch {
	case !ok || r.Image != c.Image:
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
