package pointer

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxOffset is the max offset of a time zone from UTC.
const maxOffset = 14 * time.Hour

// maxYears is how many years ahead Next looks: 29 February can be eight years ahead.
const maxYears = 9

// oneTime returns when a one-time schedule runs; false for another expression. If its time
// zone is not known here, it is the earliest time that it can be.
func oneTime(expression, zone string) (at time.Time, ok bool) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		location = time.UTC
	}
	at, parseErr := time.ParseInLocation("at(2006-01-02T15:04:05)", expression, location)
	if err != nil {
		at = at.Add(-maxOffset)
	}
	return at, parseErr == nil
}

// Next returns when the pointer starts the task next, after a time. It is false where that
// is not known: for rules, for rate(…) that has begun, for a time zone that this machine does
// not know, and for the letters L, W and # in a cron(…); and where no run is due.
func (p Pointer) Next(after time.Time) (time.Time, bool) {
	if p.Disabled {
		return time.Time{}, false
	}
	location, err := time.LoadLocation(p.Timezone)
	if err != nil {
		return time.Time{}, false
	}
	if at, ok := oneTime(p.Expression, p.Timezone); ok {
		return at, at.After(after)
	}
	next, known := p.recurs(after, location)
	return next, known && !next.IsZero() && !p.ended(next)
}

// Over returns why no run of a schedule is due after a time, such as "EndDate is 2026-01-22T09:00:00Z" or
// "cron(0 0 1 1 ? 2025) is over"; "" if one is due, or if that is not known. AWS shows such a schedule as ENABLED.
func (p Pointer) Over(after time.Time) string {
	location, err := time.LoadLocation(p.Timezone)
	at, once := oneTime(p.Expression, p.Timezone)
	ended := "EndDate is " + p.Ends.Format(time.RFC3339)
	switch {
	case once && err == nil && !at.After(after):
		return p.Expression + " is over"
	case once || p.Rule: // AWS ignores an EndDate
		return ""
	case p.ended(after):
		return ended
	case err != nil:
		return ""
	}
	switch next, known := p.recurs(after, location); {
	case !known:
		return ""
	case next.IsZero():
		return p.Expression + " is over"
	case p.ended(next):
		return ended
	}
	return ""
}

// ended reports whether the schedule does not run at a time, because its EndDate is not after it ("The date, in UTC,
// before which the schedule can invoke its target", UpdateSchedule in the API reference).
func (p Pointer) ended(at time.Time) bool { return !p.Ends.IsZero() && !at.Before(p.Ends) }

// recurs returns when a recurring schedule runs next, as if it had no EndDate, zero if it never does. It begins on
// its StartDate or after it; a rate(…) begins on it (user guide, "Schedule types"). It is false if that is not known.
func (p Pointer) recurs(after time.Time, location *time.Location) (time.Time, bool) {
	waits := p.Starts.After(after)
	if strings.HasPrefix(p.Expression, "rate(") {
		return p.Starts, waits
	}
	if waits {
		after = p.Starts.Add(-time.Nanosecond)
	}
	c, ok := parseCron(p.Expression)
	if !ok {
		return time.Time{}, false
	}
	return c.next(after.In(location)), true
}

// cron is a cron expression of EventBridge Scheduler (user guide, "Cron-based schedules"):
// the values that each field allows. Nil allows all.
type cron struct{ minutes, hours, days, months, weekdays, years []int }

var (
	monthNames   = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	weekdayNames = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
)

// parseCron reads a cron expression.
func parseCron(expression string) (c cron, ok bool) {
	fields := strings.Fields(strings.TrimSuffix(strings.TrimPrefix(expression, "cron("), ")"))
	if !strings.HasPrefix(expression, "cron(") || len(fields) != 6 {
		return c, false
	}
	for i, f := range []struct {
		to        *[]int
		low, high int
		names     []string
	}{
		{&c.minutes, 0, 59, nil}, {&c.hours, 0, 23, nil}, {&c.days, 1, 31, nil}, {&c.months, 1, 12, monthNames},
		{&c.weekdays, 1, 7, weekdayNames}, {&c.years, 1970, 2199, nil},
	} {
		if *f.to, ok = parseField(strings.ToUpper(fields[i]), f.low, f.high, f.names); !ok {
			return c, false
		}
	}
	return c, true
}

// parseField returns the values that a field allows, nil for all.
func parseField(text string, low, high int, names []string) (values []int, ok bool) {
	if text == "*" || text == "?" {
		return nil, true
	}
	number := func(s string) (int, bool) {
		if i := slices.Index(names, s); i >= 0 {
			return low + i, true
		}
		n, err := strconv.Atoi(s)
		return n, err == nil && n >= low && n <= high
	}
	for part := range strings.SplitSeq(text, ",") {
		span, every, stepped := strings.Cut(part, "/")
		step, from, to := 1, low, high
		if stepped {
			if n, err := strconv.Atoi(every); err != nil || n < 1 {
				return nil, false
			} else {
				step = n
			}
		}
		first, last, isRange := strings.Cut(span, "-")
		if span != "*" {
			var okFirst, okLast bool
			from, okFirst = number(first)
			to, okLast = from, true
			if isRange {
				to, okLast = number(last)
			} else if stepped {
				to = high
			}
			if !okFirst || !okLast || to < from {
				return nil, false
			}
		}
		for n := from; n <= to; n += step {
			values = append(values, n)
		}
	}
	return values, true
}

func allows(values []int, n int) bool { return values == nil || slices.Contains(values, n) }

// next returns the first time after another one, in its location, zero if there is none. Days are counted in UTC,
// for in some time zones midnight does not exist on each day.
func (c cron) next(after time.Time) time.Time {
	start := after.Truncate(time.Minute).Add(time.Minute)
	year, month, date := start.Date()
	day := time.Date(year, month, date, 0, 0, 0, 0, time.UTC)
	for last := c.lastYear(year); day.Year() <= last; day = day.AddDate(0, 0, 1) {
		if c.onDay(day) {
			if at, ok := c.within(day, start); ok {
				return at
			}
		}
	}
	return time.Time{}
}

// lastYear returns the last year that next has to look at.
func (c cron) lastYear(from int) int {
	if c.years != nil {
		return slices.Max(c.years)
	}
	return from + maxYears
}

// within returns the first allowed time of a day that is not before start, in the location of start. It passes a time
// that a change of the clocks skips: that is no run (user guide, "Daylight savings time").
func (c cron) within(day, start time.Time) (time.Time, bool) {
	year, month, date := day.Date()
	for minutes := range 24 * 60 {
		hour, minute := minutes/60, minutes%60
		if !allows(c.hours, hour) || !allows(c.minutes, minute) {
			continue
		}
		at := time.Date(year, month, date, hour, minute, 0, 0, start.Location())
		if !at.Before(start) && at.Hour() == hour && at.Minute() == minute {
			return at, true
		}
	}
	return time.Time{}, false
}

func (c cron) onDay(day time.Time) bool {
	return allows(c.years, day.Year()) && allows(c.months, int(day.Month())) && allows(c.days, day.Day()) &&
		allows(c.weekdays, int(day.Weekday())+1)
}
