package journal

import (
	"strconv"
	"strings"
	"time"
)

// Rule is the part of a journal that only the convergence rule needs. Zero fields are
// not known.
type Rule struct {
	Base          int           // number of the family's newest revision when this one was registered
	Best          Best          // the winner of the deployer's own revisions up to Base
	Configuration Configuration // where its configuration is from
	Demand        Demand        // what its event asked for besides its image
	Request       string        // the invocation that registered it
	Principal     string        // who registered it, see [Principal]
}

// String returns the value of the tag: space-separated parts such as "base=12", without
// those that are zero. All parts together fit into a tag.
func (r Rule) String() string {
	var all []string
	add := func(name, value string) {
		value = strings.ReplaceAll(Value(value), " ", "_")
		if value != "" {
			all = append(all, name+"="+value)
		}
	}
	add("base", formatNumber(r.Base))
	add("best", r.Best.String())
	add("config", r.Configuration.String())
	add("manual", string(r.Demand)) // journals that exist have this name
	add("request", cut(r.Request, maxRequest))
	add("by", cut(r.Principal, maxPrincipal))
	return strings.Join(all, " ")
}

// The longest parts of the tag: an id of an invocation is a UUID, and the name of a
// principal has an account, "role/" or "user/", and at most 64 characters.
const (
	maxRequest   = 36
	maxPrincipal = 12 + 1 + 5 + 64
)

func cut(s string, most int) string { return s[:min(len(s), most)] }

// parseRule parses what [Rule.String] returned for a revision with a number. Parts that
// are not valid count as absent.
func parseRule(s string, number int) Rule {
	var r Rule
	for part := range strings.FieldsSeq(s) {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "base":
			r.Base = parseNumber(value, number)
		case "best":
			r.Best = ParseBest(value)
		case "config":
			r.Configuration = parseConfiguration(value, number)
		case "manual":
			r.Demand = parseDemand(value)
		case "request":
			r.Request = value
		case "by":
			r.Principal = value
		}
	}
	return r
}

// Best is the winner of the deployer's own revisions of a family up to the base of a
// new revision: the one with the newest event. With it, the winner can be found without
// reading every revision. The zero value means that there was none.
type Best struct {
	Time   int64 // of the event, in nanoseconds since 1970
	Number int   // of the revision
}

// String returns the value of the tag: NUMBER@TIME, such as
// "12@2026-01-22T10:15:30Z"; "" for the zero value.
func (b Best) String() string {
	if b.Number == 0 {
		return ""
	}
	return strconv.Itoa(b.Number) + "@" + time.Unix(0, b.Time).UTC().Format(time.RFC3339Nano)
}

// ParseBest parses what [Best.String] returned. Anything else is the zero value, and
// so are a number and a time that no revision can have.
func ParseBest(s string) Best {
	number, at, _ := strings.Cut(s, "@")
	n, t := parseNumber(number, maxNumber), parseTime(at, time.Time{})
	if n == 0 || t.IsZero() {
		return Best{}
	}
	return Best{Time: t.UnixNano(), Number: n}
}

// Configuration says which external revision a revision has its configuration from,
// which is all of it but the image. The zero value means that it is not known.
type Configuration struct {
	From int // number of the external revision
	Seen int // number of the family's newest external revision then
}

// String returns the value of the tag: "12", or "12/14" if there was a newer
// external revision; "" for the zero value.
func (c Configuration) String() string {
	if c.From == 0 || c.Seen == c.From || c.Seen == 0 {
		return formatNumber(c.From)
	}
	return strconv.Itoa(c.From) + "/" + strconv.Itoa(c.Seen)
}

// parseConfiguration parses what [Configuration.String] returned for a revision with a
// number. Anything else is the zero value.
func parseConfiguration(s string, number int) Configuration {
	from, seen, newer := strings.Cut(s, "/")
	c := Configuration{From: parseNumber(from, number)}
	c.Seen = c.From
	if newer {
		c.Seen = parseNumber(seen, number)
	}
	if c.From == 0 || c.Seen == 0 {
		return Configuration{}
	}
	return c
}

// Demand is what a revision's event asked for besides its image. The zero value means
// nothing: a service that runs the image is left alone.
type Demand string

// The demands.
const (
	NewerConfiguration Demand = "configuration" // roll out a newer configuration too
	SameConfiguration  Demand = "same"          // exactly the configuration of the revision that it is a copy of
	Forced             Demand = "force"         // roll out in any case
)

// parseDemand parses a demand; anything else is the zero value.
func parseDemand(s string) Demand {
	switch d := Demand(s); d {
	case NewerConfiguration, SameConfiguration, Forced:
		return d
	}
	return ""
}
