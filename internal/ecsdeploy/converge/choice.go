package converge

// Choice is what the service was chosen to run: by an accepted event, or by an
// external rollout.
type Choice struct {
	Key      Key    // Number is the revision's; 0 means that there is no choice
	External bool   // an external rollout
	Event    string // id of the event, or of the external rollout
	Image    string
	Demand   Demand

	Configuration int // the revision whose configuration was chosen
}

// Less reports whether another choice is newer. At the same time an event counts
// as later than an external rollout, because events' times are whole seconds.
func (c Choice) Less(other Choice) bool {
	switch {
	case c.Key.Time != other.Key.Time:
		return c.Key.Time < other.Key.Time
	case c.External != other.External:
		return c.External
	}
	return c.Key.Number < other.Key.Number
}

// choiceOf returns the choice that one of the deployer's own revisions was registered for.
func choiceOf(r Revision) Choice {
	return Choice{Key: Key{r.Time, r.Number}, Event: r.Event, Image: r.Image, Demand: r.Demand,
		Configuration: r.configuration()}
}

// is reports whether a choice is one of an event.
func (c Choice) is(event string) bool { return c.Key.Number > 0 && c.Event == event && event != "" }
