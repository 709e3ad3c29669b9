package journal

import (
	"strconv"
	"time"
)

// earliest is the earliest time of an event that counts: Amazon ECS became available
// in 2015.
var earliest = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

// maxAhead is how far the time of an event may be after the registration of its
// revision. Clocks of senders differ.
const maxAhead = 24 * time.Hour

// maxNumber is the greatest number of a revision. Amazon ECS allows 1,000,000
// revisions of a family (Amazon ECS service quotas).
const maxNumber = 1_000_000

// parseTime parses a time in RFC 3339. Anything else is the zero time, and so is a
// time that no event can have. Registered is when the revision was registered; zero
// if that is not known.
func parseTime(s string, registered time.Time) time.Time {
	at, _ := time.Parse(time.RFC3339Nano, s)
	if at.Before(earliest) || !registered.IsZero() && at.After(registered.Add(maxAhead)) || at.Year() > 2200 {
		return time.Time{}
	}
	return at
}

// parseNumber parses the number of a revision below a limit. Anything else is 0.
func parseNumber(s string, limit int) int {
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 || n >= limit {
		return 0
	}
	return n
}

// formatNumber formats the number of a revision; 0 is "".
func formatNumber(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
