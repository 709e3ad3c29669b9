package pointer

import (
	"testing"
	"time"
)

// TestNext checks when a schedule runs next after Thursday, 22 January 2026, 09:30:20 UTC.
func TestNext(t *testing.T) {
	t.Parallel()
	after := time.Date(2026, 1, 22, 9, 30, 20, 0, time.UTC)
	for _, tt := range []struct{ name, expression, zone, want string }{
		{"every night", "cron(0 3 * * ? *)", "UTC", "2026-01-23T03:00:00Z"},
		{"in a time zone", "cron(0 3 * * ? *)", "Europe/Zurich", "2026-01-23T03:00:00+01:00"},
		{"the next minute", "cron(* * * * ? *)", "", "2026-01-22T09:31:00Z"},
		{"every 20 minutes", "cron(0/20 * * * ? *)", "UTC", "2026-01-22T09:40:00Z"},
		{"work days", "cron(15,45 8-10 ? * MON-FRI *)", "UTC", "2026-01-22T09:45:00Z"},
		{"sundays", "cron(0 0 ? * 1 *)", "UTC", "2026-01-25T00:00:00Z"},
		{"a month", "cron(0 0 1 MAR/3 ? *)", "UTC", "2026-03-01T00:00:00Z"},
		{"a year that is over", "cron(0 0 1 1 ? 2025)", "UTC", ""},
		{"the hour that summer time skips", "cron(30 2 29 3 ? 2026)", "Europe/Zurich", ""},
		{"the half hour that summer time skips", "cron(15 2 4 10 ? 2026)", "Australia/Lord_Howe", ""},
		{"after a midnight that summer time skips", "cron(30 1 6 9 ? *)", "America/Santiago",
			"2026-09-06T01:30:00-03:00"},
		{"the midnight that summer time skips", "cron(0 0 7-8 3 ? 2026)", "America/Havana",
			"2026-03-07T00:00:00-05:00"},
		{"only the midnight that summer time skips", "cron(0 0 8 3 ? 2026)", "America/Havana", ""},
		{"after it, in the Azores", "cron(0 3 ? MAR-APR SUN *)", "Atlantic/Azores", "2026-03-01T03:00:00-01:00"},
		{"on it, in the Azores", "cron(0 3 29 MAR ? *)", "Atlantic/Azores", "2026-03-29T03:00:00Z"},
		{"29 February", "cron(0 0 29 2 ? *)", "UTC", "2028-02-29T00:00:00Z"},
		{"a late year", "cron(0 0 1 1 ? 2198-2199)", "UTC", "2198-01-01T00:00:00Z"},
		{"a day that does not exist", "cron(0 0 31 2,4 ? *)", "UTC", ""},
		{"the last day of the month", "cron(0 0 L * ? *)", "UTC", ""},
		{"a rate", "rate(1 hour)", "UTC", ""},
		{"once", "at(2026-01-22T10:00:00)", "UTC", "2026-01-22T10:00:00Z"},
		{"once, over", "at(2026-01-22T10:00:00)", "Europe/Zurich", ""},
		{"a zone that is not known", "cron(0 3 * * ? *)", "Mars/Base", ""},
		{"too few fields", "cron(0 3 * * ?)", "UTC", ""},
		{"a rule", "", "", ""},
	} {
		p := Pointer{Expression: tt.expression, Timezone: tt.zone}
		got := ""
		if at, ok := p.Next(after); ok {
			got = at.Format(time.RFC3339)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		p.Disabled = true
		if _, ok := p.Next(after); ok {
			t.Errorf("%s: a disabled schedule runs", tt.name)
		}
	}
}

// TestNextWithDates checks when a schedule with a StartDate or an EndDate runs next after Thursday, 22 January 2026,
// 09:30:20 UTC, and why it is over.
func TestNextWithDates(t *testing.T) {
	t.Parallel()
	after := time.Date(2026, 1, 22, 9, 30, 20, 0, time.UTC)
	const nightly = "cron(0 3 * * ? *)"
	for _, tt := range []struct {
		name, expression, starts, ends, want, over string
	}{
		{"began", nightly, "2026-01-01T00:00:00Z", "", "2026-01-23T03:00:00Z", ""},
		{"begins", nightly, "2026-03-01T12:00:00Z", "", "2026-03-02T03:00:00Z", ""},
		{"begins with a run", nightly, "2026-03-01T03:00:00Z", "", "2026-03-01T03:00:00Z", ""},
		{"begins within its minute", nightly, "2026-03-01T03:00:30Z", "", "2026-03-02T03:00:00Z", ""},
		{"ends", nightly, "", "2026-03-01T00:00:00Z", "2026-01-23T03:00:00Z", ""},
		{"ended", nightly, "", "2026-01-22T09:30:20Z", "", "EndDate is 2026-01-22T09:30:20Z"},
		{"ends before its next run", nightly, "", "2026-01-23T03:00:00Z", "", "EndDate is 2026-01-23T03:00:00Z"},
		{"ends before it begins", nightly, "2026-03-01T00:00:00Z", "2026-02-01T00:00:00Z", "",
			"EndDate is 2026-02-01T00:00:00Z"},
		{"a rate that began", "rate(1 hour)", "2026-01-01T00:00:00Z", "", "", ""},
		{"a rate that begins", "rate(1 hour)", "2026-02-01T00:00:00Z", "", "2026-02-01T00:00:00Z", ""},
		{"a rate that ends before it begins", "rate(1 hour)", "2026-02-01T00:00:00Z", "2026-01-30T00:00:00Z", "",
			"EndDate is 2026-01-30T00:00:00Z"},
		{"a rate that ended", "rate(1 hour)", "2026-01-01T00:00:00Z", "2026-01-22T09:00:00Z", "",
			"EndDate is 2026-01-22T09:00:00Z"},
		{"the last day of the month, ended", "cron(0 0 L * ? *)", "", "2026-01-22T09:00:00Z", "",
			"EndDate is 2026-01-22T09:00:00Z"},
		{"once", "at(2026-01-22T10:00:00)", "2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-22T10:00:00Z",
			""},
		{"a cron of years that are over", "cron(0 0 1 1 ? 2024-2025)", "", "2030-01-01T00:00:00Z", "",
			"cron(0 0 1 1 ? 2024-2025) is over"},
		{"a cron of this year that is over", "cron(0 9 22 1 ? 2026)", "", "", "", "cron(0 9 22 1 ? 2026) is over"},
		{"a cron that begins after its years", "cron(0 0 1 1 ? 2027)", "2028-01-01T00:00:00Z", "", "",
			"cron(0 0 1 1 ? 2027) is over"},
		{"a leap year, and an end before it", "cron(0 0 29 2 ? *)", "", "2028-02-29T00:00:00Z", "",
			"EndDate is 2028-02-29T00:00:00Z"},
	} {
		p := Pointer{Expression: tt.expression}
		for text, at := range map[string]*time.Time{tt.starts: &p.Starts, tt.ends: &p.Ends} {
			if text != "" {
				*at, _ = time.Parse(time.RFC3339, text)
			}
		}
		got := ""
		if at, ok := p.Next(after); ok {
			got = at.Format(time.RFC3339)
		}
		if got != tt.want || p.Over(after) != tt.over {
			t.Errorf("%s: %q, over %q, want %q, %q", tt.name, got, p.Over(after), tt.want, tt.over)
		}
	}
}

func FuzzNext(f *testing.F) {
	f.Add("cron(0/20 8-10 ? JAN-MAR MON,3 2026)", "UTC")
	f.Add("at(2026-01-22T10:00:00)", "Europe/Zurich")
	after := time.Date(2026, 1, 22, 9, 30, 20, 0, time.UTC)
	f.Fuzz(func(t *testing.T, expression, zone string) {
		if at, ok := (Pointer{Expression: expression, Timezone: zone}).Next(after); ok && !at.After(after) {
			t.Errorf("%q in %q: %s", expression, zone, at)
		}
	})
}
